"""What can be said of who waits: the limits, each from both sides."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.models import TITLE_LENGTH, Appointment
from sophiie.waiting_list import entries
from sophiie.waiting_list.entries import MOST_MINUTES, Wish, add, today_of
from sophiie.waiting_list.errors import InvalidEntry
from sophiie.waiting_list.models import NAME_LENGTH, NOTE_LENGTH, PHONE_LENGTH, WaitingEntry
from tests.conftest import details, tomorrow_at

# Tuesday, 13:17 in Sydney.
pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2026-12-01T02:17Z")]
PLAIN: dict[str, Any] = {"title": "Boiler", "customer_name": "Dana", "minutes": 60}
TODAY = date(2026, 12, 1)
DAY = timedelta(days=1)


def wrong(by: Member, **said: Any) -> dict[str, str]:
    """What is refused, by the name of the part."""
    with pytest.raises(InvalidEntry) as caught:
        add(by=by, wish=Wish(**said))
    return dict(caught.value.errors)


@pytest.fixture
def later(alice: Member) -> Appointment:
    return book(by=alice, details=details(start=tomorrow_at(1, days=9)), assignees=[alice])


@pytest.mark.parametrize("minutes", [1, MOST_MINUTES])
def test_the_shortest_and_the_longest(alice: Member, minutes: int) -> None:
    assert add(by=alice, wish=Wish(**PLAIN | {"minutes": minutes})).minutes == minutes


@pytest.mark.parametrize("minutes", [None, 0, -1, MOST_MINUTES + 1])
def test_other_lengths_are_none(alice: Member, minutes: int | None) -> None:
    assert wrong(alice, **PLAIN | {"minutes": minutes}).keys() == {"duration_minutes"}


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("title", TITLE_LENGTH),
        ("customer_name", NAME_LENGTH),
        ("customer_phone", PHONE_LENGTH),
        ("note", NOTE_LENGTH),
    ],
)
def test_a_text_is_as_long_as_there_is_room_for(alice: Member, name: str, length: int) -> None:
    entry = add(by=alice, wish=Wish(**PLAIN | {name: "x" * length}))
    assert getattr(entry, name) == "x" * length
    assert wrong(alice, **PLAIN | {name: "x" * (length + 1)}).keys() == {name}


@pytest.mark.parametrize(
    ("first", "last"),
    [(TODAY, TODAY), (TODAY - DAY, TODAY), (TODAY, TODAY + 92 * DAY), (TODAY + DAY, TODAY + DAY)],
)
def test_days_that_can_be(alice: Member, first: date, last: date) -> None:
    entry = add(by=alice, wish=Wish(**PLAIN, first_day=first, last_day=last))
    assert (entry.first_day, entry.last_day) == (first, last)


@pytest.mark.parametrize(
    ("first", "last", "where", "words"),
    [
        (TODAY + 2 * DAY, TODAY + DAY, "last_day", "before the first"),
        (TODAY - 2 * DAY, TODAY - DAY, "last_day", "has passed"),
        (TODAY, TODAY + 93 * DAY, "last_day", "At most 92 days"),
        (date(2000, 1, 1), date(2000, 1, 1), "last_day", "has passed"),
        (date(1999, 12, 31), TODAY, "first_day", "2000 and 2099"),
    ],
)
def test_days_that_cannot_be(
    alice: Member, first: date, last: date, where: str, words: str
) -> None:
    assert words in wrong(alice, **PLAIN, first_day=first, last_day=last)[where]


def test_an_appointment_moves_to_days_before_it_or_its_own(
    alice: Member, later: Appointment
) -> None:
    its_day = later.local_start.date()
    said = wrong(alice, appointment_id=later.pk, first_day=its_day + DAY, last_day=its_day + DAY)
    assert said.keys() == {"first_day"}
    entry = add(by=alice, wish=Wish(appointment_id=later.pk, first_day=its_day))
    assert (entry.first_day, entry.last_day) == (its_day, its_day)


def test_an_entry_for_an_appointment_says_nothing_of_its_own(
    alice: Member, later: Appointment
) -> None:
    entry = add(by=alice, wish=Wish(**PLAIN, appointment_id=later.pk, member_ids=[alice.pk]))
    assert (entry.title, entry.customer_name, entry.minutes, entry.member_ids) == ("", "", 0, [])


def test_only_what_is_booked_and_ahead_can_move(alice: Member, later: Appointment) -> None:
    cancel(by=alice, appointment_id=later.pk)
    assert wrong(alice, appointment_id=later.pk).keys() == {"appointment_id"}
    begun = book(by=alice, details=details(start=tomorrow_at(1)), assignees=[alice])
    with time_machine.travel(begun.start, tick=False):
        assert wrong(alice, appointment_id=begun.pk).keys() == {"appointment_id"}
        change(by=alice, appointment_id=begun.pk, changes={}, status="completed")
        assert wrong(alice, appointment_id=begun.pk).keys() == {"appointment_id"}


def test_who_waited_for_days_that_have_passed_can_wait_again(
    alice: Member, later: Appointment
) -> None:
    add(by=alice, wish=Wish(appointment_id=later.pk, last_day=TODAY))
    with time_machine.travel(later.start - 2 * DAY, tick=False):
        again = add(by=alice, wish=Wish(appointment_id=later.pk))
        assert again.first_day == today_of(alice)
        assert WaitingEntry.objects.get().pk == again.pk
        assert wrong(alice, appointment_id=later.pk).keys() == {"appointment_id"}


def test_so_many_wait_at_once(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MAX_ENTRIES", 2)
    for _ in range(2):
        add(by=alice, wish=Wish(**PLAIN))
    assert "At most 2" in wrong(alice, **PLAIN)["title"]
    monkeypatch.setattr(entries, "MAX_ENTRIES", 1)
    assert "At most 1" in wrong(alice, **PLAIN)["title"]
