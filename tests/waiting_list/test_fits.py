"""What fits who waits, whenever somebody looks; and nothing happens by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, find
from sophiie.appointments.models import Appointment
from sophiie.availability.editing import save_week
from sophiie.availability.hours import Span
from sophiie.common.clock import now
from sophiie.resources.editing import make as make_resource
from sophiie.services.editing import change as change_service
from sophiie.services.editing import delete as delete_service
from sophiie.services.editing import make as make_service
from sophiie.services.models import Service
from sophiie.services.rules import ServiceDetails
from sophiie.waiting_list.entries import MAX_ENTRIES, Wish, add, remove, waiting
from sophiie.waiting_list.errors import InvalidEntry, NotFreeAnyMore, UnknownEntry
from sophiie.waiting_list.fits import MAX_LOOKED_AT, Fit, fits_for, fits_of, take
from sophiie.waiting_list.models import WaitingEntry
from tests.conftest import details

# Tuesday, 13:17 in Sydney.
pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2026-12-01T02:17Z")]

HOUR = timedelta(hours=1)
MONDAY = datetime(2026, 12, 6, 22, tzinfo=UTC)  # 09:00 in Sydney
FRIDAY = MONDAY + timedelta(days=4)


def booked(
    by: Member, start: datetime, hours: float = 1, *team: Member, **more: Any
) -> Appointment:
    given = details(start=start, end=start + hours * HOUR, **more)
    return book(by=by, details=given, assignees=team or [by])


def full(by: Member, *team: Member, days: int = 9) -> list[Appointment]:
    """Every working hour of the next days is taken, from today on."""
    midnight = datetime(2026, 11, 30, 13, tzinfo=UTC)
    return [
        booked(by, midnight + timedelta(days=n, hours=9), 8, *team, title=f"Day {n}")
        for n in range(days)
    ]


def sooner(by: Member, appointment: Appointment, **more: Any) -> WaitingEntry:
    return add(by=by, wish=Wish(appointment_id=appointment.pk, **more))


def dana(by: Member, **more: Any) -> WaitingEntry:
    plain: dict[str, Any] = {
        "title": "Boiler",
        "customer_name": "Dana",
        "customer_phone": "0400 123 456",
        "minutes": 60,
    }
    return add(by=by, wish=Wish(**(plain | more)))


def fit_of(by: Member, entry: WaitingEntry) -> Fit | None:
    return fits_of(by, [entry]).get(entry.pk)


@pytest.mark.parametrize("freed", ["cancelled", "deleted", "moved", "shortened", "hold", "hours"])
def test_whatever_frees_a_time_the_first_that_fits_is_found(alice: Member, freed: str) -> None:
    days = full(alice)
    later = booked(alice, days[-1].start + timedelta(days=1), title="Tap")
    entry = sooner(alice, later)
    assert fit_of(alice, entry) is None
    day = days[2]
    start, moment = day.start, now()
    if freed == "cancelled":
        cancel(by=alice, appointment_id=day.id)
    elif freed == "deleted":
        delete(by=alice, appointment_id=day.id)
    elif freed == "moved":
        away = later.start + timedelta(days=7)
        changes = {"start": away, "end": away + 8 * HOUR}
        change(by=alice, appointment_id=day.id, changes=changes)
    elif freed == "shortened":
        change(by=alice, appointment_id=day.id, changes={"end": day.end - HOUR})
        start = day.end - HOUR
    elif freed == "hold":
        delete(by=alice, appointment_id=day.id)
        given = details(start=day.start, end=day.end)
        book(by=alice, details=given, assignees=[alice], hold_minutes=5)
        assert fit_of(alice, entry) is None
        moment += timedelta(minutes=6)
    else:
        week = tuple((Span(time(7), time(17)),) for _ in range(7))
        save_week(by=alice, member=alice, week=week)
        start = days[1].start - 2 * HOUR  # tomorrow at seven
    with time_machine.travel(moment.timestamp(), tick=False):
        fit = fit_of(alice, entry)
    assert fit is not None
    assert (fit.start, fit.end) == (start, start + HOUR)
    assert find(alice, later.id).start == later.start  # nothing by itself


def test_a_time_that_has_gone_again_is_neither_shown_nor_taken(alice: Member) -> None:
    days = full(alice)
    entry = sooner(alice, booked(alice, days[-1].start + timedelta(days=1)))
    cancel(by=alice, appointment_id=days[2].id)
    fit = fit_of(alice, entry)
    assert fit
    booked(alice, days[2].start, 8)
    assert fit_of(alice, entry) is None
    with pytest.raises(NotFreeAnyMore):
        take(by=alice, entry_id=entry.pk, start=fit.start)
    assert waiting(alice).count() == 1


def test_one_click_moves_the_appointment_and_ends_the_waiting(alice: Member, bob: Member) -> None:
    later = booked(alice, FRIDAY, 1, alice, bob)
    entry = sooner(alice, later)
    fit = fit_of(alice, entry)
    assert fit
    moved = take(by=bob, entry_id=entry.pk, start=fit.start)
    assert (moved.pk, moved.start, moved.end) == (later.pk, fit.start, fit.end)
    assert {a.member_id for a in moved.assignments.all()} == {alice.pk, bob.pk}
    assert not WaitingEntry.objects.exists()
    with pytest.raises(UnknownEntry):
        take(by=alice, entry_id=entry.pk, start=fit.start)


def test_one_click_books_whoever_waits_without_an_appointment(alice: Member, bob: Member) -> None:
    entry = dana(alice, member_ids=[bob.pk], note="Dog")
    fit = fit_of(alice, entry)
    assert fit
    assert fit.members == (bob,)
    made = take(by=alice, entry_id=entry.pk, start=fit.start)
    assert (made.title, made.customer_name, made.notes) == ("Boiler", "Dana", "Dog")
    assert made.customer is not None
    assert [a.member for a in made.assignments.all()] == [bob]
    assert not WaitingEntry.objects.exists()


def gas_check(by: Member, **more: Any) -> Service:
    given: dict[str, Any] = {"name": "Gas check", "duration_minutes": 90} | more
    return make_service(by=by, details=ServiceDetails(**given))


def waits_for(by: Member, service: Service, **more: Any) -> WaitingEntry:
    return dana(by, **({"title": "", "minutes": None, "service_id": service.pk} | more))


def test_a_service_says_how_long_it_takes_and_who_does_it(alice: Member, bob: Member) -> None:
    service = gas_check(alice, member_ids=(bob.pk,), buffer_before=60, default_title="Gas")
    booked(alice, MONDAY, 1, bob)
    entry = waits_for(alice, service, first_day=MONDAY.date() + timedelta(days=1))
    assert (entry.title, entry.minutes) == ("Gas", 90)
    fit = fit_of(alice, entry)
    assert fit
    assert (fit.start, fit.members) == (MONDAY + 2 * HOUR, (bob,))  # an hour of it is kept free
    made = take(by=alice, entry_id=entry.pk, start=fit.start)
    assert (made.service_id, made.end - made.start) == (service.pk, timedelta(minutes=90))
    assert made.buffer_before_minutes == 60
    assert [a.member for a in made.assignments.all()] == [bob]


def test_what_is_said_of_an_entry_comes_before_the_service(alice: Member) -> None:
    entry = waits_for(alice, gas_check(alice), title="Boiler", minutes=45)
    assert (entry.title, entry.minutes) == ("Boiler", 45)


def test_a_service_for_two_takes_two_who_are_free(alice: Member, bob: Member) -> None:
    entry = waits_for(alice, gas_check(alice, people=2), first_day=MONDAY.date())
    booked(alice, datetime(2026, 12, 6, 22, tzinfo=UTC), 2, bob)
    fit = fit_of(alice, entry)
    assert fit
    assert (fit.start, set(fit.members)) == (MONDAY + 2 * HOUR, {alice, bob})
    made = take(by=alice, entry_id=entry.pk, start=fit.start)
    assert {a.member for a in made.assignments.all()} == {alice, bob}


def test_a_service_that_is_not_offered_any_more_fits_nowhere(alice: Member, bob: Member) -> None:
    service = gas_check(alice, member_ids=(bob.pk,))
    entry = waits_for(alice, service)
    assert fit_of(alice, entry)
    change_service(by=alice, service_id=service.pk, to=lambda told: replace(told, active=False))
    entry = waiting(alice).get()
    assert fit_of(alice, entry) is None
    with pytest.raises(InvalidEntry) as refused:
        waits_for(alice, Service.objects.get())
    assert refused.value.errors.keys() == {"service_id"}
    with transaction.atomic():
        delete_service(by=alice, service_id=service.pk)
    fit = fit_of(alice, waiting(alice).get())
    assert fit  # what was written down of it stays: title and length
    assert (fit.end - fit.start, fit.entry.title) == (timedelta(minutes=90), "Gas check")


def test_others_see_no_wait_for_a_service_that_they_do_not_do(alice: Member, bob: Member) -> None:
    waits_for(alice, gas_check(alice, member_ids=(alice.pk,)))
    theirs = waits_for(alice, gas_check(alice, name="Boiler", member_ids=(bob.pk,)))
    assert [fit.entry for fit in fits_for(bob)] == [theirs]


def test_all_people_and_things_of_an_appointment_have_to_be_free(
    alice: Member, bob: Member
) -> None:
    van = make_resource(by=alice, name="Van")
    later = booked(alice, FRIDAY, 1, alice, bob)
    change(by=alice, appointment_id=later.id, changes={}, resources=[van])
    full(alice, bob, days=6)  # until Sunday
    entry = sooner(alice, find(alice, later.id))
    fit = fit_of(alice, entry)
    assert fit
    assert fit.start == MONDAY
    given = details(start=MONDAY, end=MONDAY + 2 * HOUR)
    other = book(by=alice, details=given, assignees=[alice], resources=[van])
    change(by=alice, appointment_id=other.id, changes={"start": MONDAY + HOUR})
    fit = fit_of(alice, entry)
    assert fit
    assert fit.start == MONDAY  # touching is not overlapping
    change(by=alice, appointment_id=other.id, changes={"start": MONDAY})
    fit = fit_of(alice, entry)
    assert fit
    assert fit.start == MONDAY + 2 * HOUR


def test_only_the_days_that_were_named(alice: Member) -> None:
    days = {"first_day": MONDAY.date() + timedelta(days=2), "last_day": FRIDAY.date()}
    fit = fit_of(alice, dana(alice, **days))
    assert fit
    assert fit.start == MONDAY + timedelta(days=1)  # 8 December in Sydney
    with pytest.raises(NotFreeAnyMore):
        take(by=alice, entry_id=dana(alice, **days).pk, start=MONDAY)


def test_what_is_moot_is_not_shown(alice: Member) -> None:
    first, second = booked(alice, MONDAY), booked(alice, FRIDAY)
    sooner(alice, first)
    entry = sooner(alice, second)
    dana(alice, last_day=datetime(2026, 12, 2, tzinfo=UTC).date())
    cancel(by=alice, appointment_id=first.id)
    with time_machine.travel(datetime(2026, 12, 2, 14, tzinfo=UTC).timestamp(), tick=False):
        assert list(waiting(alice)) == [entry]


def test_others_see_what_concerns_them(alice: Member, bob: Member) -> None:
    for_alice = dana(alice, member_ids=[alice.pk])
    for_anybody = dana(alice)
    for_bob = dana(alice, member_ids=[bob.pk])
    moved = sooner(alice, booked(alice, FRIDAY, 1, bob))
    assert [fit.entry for fit in fits_for(bob)] == [for_anybody, for_bob, moved]
    assert [fit.entry for fit in fits_for(alice)] == [for_alice, for_anybody, for_bob, moved]


def test_a_look_costs_no_more_than_so_many_searches(
    alice: Member, django_assert_max_num_queries: Any
) -> None:
    service = gas_check(alice)
    for _n in range(MAX_LOOKED_AT + 5):
        waits_for(alice, service)
    with django_assert_max_num_queries(MAX_LOOKED_AT * 4 + 3):
        assert len(fits_for(alice)) == MAX_LOOKED_AT


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": " "}, "title"),
        ({"customer_name": "", "customer_phone": ""}, "customer_name"),
        ({"minutes": 0}, "duration_minutes"),
        ({"minutes": 1441}, "duration_minutes"),
        ({"note": "x" * 1001}, "note"),
        ({"note": "a\x00"}, "note"),
        ({"last_day": datetime(2026, 11, 30, tzinfo=UTC).date()}, "last_day"),
        ({"last_day": datetime(2027, 12, 1, tzinfo=UTC).date()}, "last_day"),
    ],
    ids=["no-title", "nobody", "no-time", "too-long", "long-note", "nul", "past", "far"],
)
def test_what_cannot_be_is_said_at_the_field(
    alice: Member, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidEntry) as refused:
        dana(alice, **wrong)
    assert refused.value.errors.keys() == {field}


def test_nobody_waits_twice_or_elsewhere(alice: Member, charlie: Member) -> None:
    later = booked(alice, FRIDAY)
    entry = sooner(alice, later)
    for by in (alice, charlie):
        with pytest.raises(InvalidEntry) as refused:
            sooner(by, later)
        assert refused.value.errors.keys() == {"appointment_id"}
    for strange in ({"member_ids": [charlie.pk]}, {"service_id": gas_check(charlie).pk}):
        with pytest.raises(InvalidEntry):
            dana(alice, **strange)
    for act in (lambda: remove(by=charlie, entry_id=entry.pk), lambda: taken(charlie, entry)):
        with pytest.raises(UnknownEntry):
            act()
    assert list(waiting(charlie)) == []
    assert MAX_ENTRIES > MAX_LOOKED_AT


def taken(by: Member, entry: WaitingEntry) -> None:
    take(by=by, entry_id=entry.pk, start=MONDAY)
