"""What is in the way of a booking, by its cause; and what may be booked all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, reinstate
from sophiie.appointments.clashes import clashes_of, members_with_clashes
from sophiie.appointments.conflicts import conflicts_of
from sophiie.appointments.errors import Conflict, Obstacle, Source
from sophiie.appointments.models import Appointment
from sophiie.appointments.signals import own_events_asked
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.common.clock import now
from tests.busy import TOO_OLD, busy, calendar_of
from tests.conftest import SYDNEY, details, tomorrow_at

TEN, ELEVEN = tomorrow_at(10), tomorrow_at(11)
AT_TEN = {"start": TEN, "end": ELEVEN}


def causes(caught: pytest.ExceptionInfo[Conflict]) -> list[tuple[str, str]]:
    return [(o.member_name, o.source.value) for o in caught.value.obstacles]


def look(*team: Member, start: datetime = TEN, end: datetime = ELEVEN) -> list[Obstacle]:
    return conflicts_of(team=team, start=start, end=end, timezone=SYDNEY)


# -- busy in Google ------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [(-30, 30), (30, 90), (15, 45), (-60, 120), (0, 60)])
def test_busy_time_in_google_is_in_the_way(alice: Member, minutes: tuple[int, int]) -> None:
    """Overlapping is enough; the times need not be the same."""
    begins, ends = (TEN + timedelta(minutes=m) for m in minutes)
    busy(alice, begins, ends)
    with pytest.raises(
        Conflict, match=r"^Alice is busy in Google \d\d:\d\d–\d\d:\d\d\.$"
    ) as caught:
        book(by=alice, details=details(**AT_TEN), assignees=[alice])
    (obstacle,) = caught.value.obstacles
    assert (obstacle.source, obstacle.member_id) == (Source.GOOGLE, alice.id)
    assert (obstacle.start, obstacle.end, obstacle.timezone) == (begins, ends, SYDNEY)
    assert (obstacle.appointment_id, obstacle.title) == (None, "")
    assert not Appointment.objects.exists()


def test_busy_time_that_only_touches_is_not_in_the_way(alice: Member) -> None:
    busy(alice, tomorrow_at(9), TEN)
    busy(alice, ELEVEN, tomorrow_at(12))
    book(by=alice, details=details(**AT_TEN), assignees=[alice])


def test_busy_time_is_that_of_the_member_and_of_nobody_else(alice: Member, bob: Member) -> None:
    busy(bob, TEN, ELEVEN)
    book(by=alice, details=details(**AT_TEN), assignees=[alice])


def test_events_that_overlap_or_touch_are_one_stretch(alice: Member) -> None:
    second = calendar_of(alice)
    busy(alice, tomorrow_at(9, 30), tomorrow_at(10, 15), calendar=second)
    busy(alice, TEN, tomorrow_at(10, 30))
    busy(alice, tomorrow_at(10, 30), tomorrow_at(12))
    (obstacle,) = look(alice)
    assert (obstacle.start, obstacle.end) == (tomorrow_at(9, 30), tomorrow_at(12))


def test_every_cause_is_named_for_everybody(alice: Member, bob: Member) -> None:
    book(by=alice, details=details(**AT_TEN), assignees=[alice])
    busy(alice, TEN, ELEVEN)
    calendar_of(bob, age=TOO_OLD)
    with pytest.raises(Conflict) as caught:
        book(by=alice, details=details(**AT_TEN), assignees=[alice, bob])
    assert sorted(causes(caught)) == [
        ("Alice", "appointment"),
        ("Alice", "google"),
        ("Bob", "unreadable"),
    ]
    assert str(caught.value).startswith("Alice already has an appointment at this time. ")
    assert str(caught.value).endswith("Bob’s calendar could not be read.")


# -- unreadable is not free ----------------------------------------------------------------------


@pytest.mark.parametrize("problem", ["", "The calendar could not be read: 503"])
@pytest.mark.parametrize("age", [TOO_OLD, None], ids=["too old", "never read"])
def test_a_calendar_that_cannot_be_read_is_not_free(
    alice: Member, age: timedelta | None, problem: str
) -> None:
    calendar = calendar_of(alice, age=age, problem=problem)
    with pytest.raises(Conflict, match="Alice’s calendar could not be read") as caught:
        book(by=alice, details=details(**AT_TEN), assignees=[alice])
    (obstacle,) = caught.value.obstacles
    assert (obstacle.source, obstacle.start, obstacle.end) == (Source.UNREADABLE, TEN, ELEVEN)
    assert obstacle.checked_at == calendar.checked_at
    assert not Appointment.objects.exists()


def test_one_unreadable_calendar_of_several_is_enough(alice: Member) -> None:
    calendar_of(alice)
    calendar_of(alice, age=TOO_OLD)
    assert [o.source for o in look(alice)] == [Source.UNREADABLE]


def test_who_has_no_calendar_linked_is_known(alice: Member, bob: Member) -> None:
    assert look(alice, bob) == []


def test_a_time_that_was_never_read_is_not_free(alice: Member) -> None:
    calendar_of(alice, known_days=30)
    start = tomorrow_at(10, days=29)
    book(by=alice, details=details(start=start), assignees=[alice])
    with pytest.raises(Conflict, match="Alice’s calendar is not known that far ahead") as caught:
        book(by=alice, details=details(start=tomorrow_at(10, days=40)), assignees=[alice])
    assert causes(caught) == [("Alice", "unreadable")]


def test_what_is_over_is_only_a_record(alice: Member) -> None:
    """Nobody is booked twice by writing down yesterday's job; only appointments stay in its way."""
    calendar_of(alice, age=TOO_OLD)
    day = timedelta(days=3)
    busy(alice, TEN - day, ELEVEN - day)
    book(by=alice, details=details(start=TEN - day), assignees=[alice])
    with pytest.raises(Conflict) as caught:
        book(by=alice, details=details(start=TEN - day), assignees=[alice])
    assert causes(caught) == [("Alice", "appointment")]


@pytest.mark.every_date
def test_of_what_has_begun_only_the_rest_has_to_be_free(alice: Member) -> None:
    moment = datetime.now(UTC)
    calendar = calendar_of(alice)
    BusyCalendar.objects.update(known_from=moment - timedelta(minutes=1))
    busy(alice, moment - timedelta(hours=3), moment - timedelta(hours=2), calendar=calendar)
    start, end = moment - timedelta(hours=4), moment + timedelta(hours=1)
    assert look(alice, start=start, end=end) == []
    busy(alice, moment - timedelta(hours=1), moment + timedelta(minutes=5), calendar=calendar)
    assert [o.source for o in look(alice, start=start, end=end)] == [Source.GOOGLE]


# -- booking all the same ------------------------------------------------------------------------


def test_book_anyway_over_google_is_marked_and_still_blocks(alice: Member, bob: Member) -> None:
    busy(alice, TEN, ELEVEN)
    made = book(by=alice, details=details(**AT_TEN), assignees=[alice, bob], allow_overlap=True)
    assignments = {s.member: (s.booked_anyway, s.blocking) for s in made.assignments.all()}
    assert assignments == {alice: (True, True), bob: (False, True)}
    assert made.changes.get().fields["booked_anyway"] == [[], ["Alice"]]
    with pytest.raises(Conflict) as caught:
        book(by=alice, details=details(**AT_TEN), assignees=[bob])
    assert causes(caught) == [("Bob", "appointment")]


def test_one_consent_does_not_imply_the_other(alice: Member, bob: Member) -> None:
    busy(alice, TEN, ELEVEN)
    calendar_of(bob, age=TOO_OLD)
    asked = {"by": alice, "details": details(**AT_TEN), "assignees": [alice, bob]}
    for consent in ({"allow_overlap": True}, {"accept_unverified": True}):
        with pytest.raises(Conflict) as caught:
            book(**asked, **consent)
        # All of it is named, so that what remains can be agreed to in one go.
        assert sorted(causes(caught)) == [("Alice", "google"), ("Bob", "unreadable")]
    made = book(**asked, allow_overlap=True, accept_unverified=True)
    assignments = {
        s.member: (s.booked_anyway, s.unverified, s.blocking) for s in made.assignments.all()
    }
    assert assignments == {alice: (True, False, True), bob: (False, True, True)}
    assert made.changes.get().fields["unverified"] == [[], ["Bob"]]


def test_accepting_an_unreadable_calendar_still_heeds_what_is_known_of_it(alice: Member) -> None:
    busy(alice, TEN, ELEVEN, calendar=calendar_of(alice, age=TOO_OLD))
    with pytest.raises(Conflict) as caught:
        book(by=alice, details=details(**AT_TEN), assignees=[alice], accept_unverified=True)
    assert sorted(causes(caught)) == [("Alice", "google"), ("Alice", "unreadable")]


def test_consent_without_a_reason_leaves_no_mark(alice: Member) -> None:
    made = book(
        by=alice,
        details=details(),
        assignees=[alice],
        allow_overlap=True,
        accept_unverified=True,
    )
    assignment = made.assignments.get()
    assert (assignment.booked_anyway, assignment.unverified, assignment.blocking) == (
        False,
        False,
        True,
    )
    assert not {"booked_anyway", "unverified"} & made.changes.get().fields.keys()


# -- changes -------------------------------------------------------------------------------------


def test_moving_onto_busy_time_is_refused_and_changes_nothing(
    alice: Member, booked: Appointment
) -> None:
    busy(alice, TEN, ELEVEN)
    with pytest.raises(Conflict) as caught:
        change(by=alice, appointment_id=booked.id, changes=AT_TEN)
    assert causes(caught) == [("Alice", "google")]
    booked.refresh_from_db()
    assert (booked.start, booked.revision) == (tomorrow_at(1), 1)


def test_what_came_later_does_not_hinder_a_change_of_other_things(
    alice: Member, bob: Member, booked: Appointment
) -> None:
    """Title, outcome and a further colleague: Alice's time is not asked for again."""
    busy(alice, booked.start, booked.end)
    change(by=bob, appointment_id=booked.id, changes={"title": "Burst pipe"})
    change(by=bob, appointment_id=booked.id, changes={}, assignees=[bob, alice])
    change(by=bob, appointment_id=booked.id, changes={}, status="completed")
    assignments = [
        (s.member, s.blocking, s.booked_anyway) for s in booked.assignments.order_by("id")
    ]
    assert assignments == [(bob, True, False), (alice, True, False)]


def test_a_new_colleague_has_to_be_free(alice: Member, bob: Member, booked: Appointment) -> None:
    busy(bob, booked.start, booked.end)
    with pytest.raises(Conflict) as caught:
        change(by=alice, appointment_id=booked.id, changes={}, assignees=[alice, bob])
    assert causes(caught) == [("Bob", "google")]


def test_what_was_booked_anyway_stays_so_until_it_is_moved(
    alice: Member, bob: Member, booked: Appointment
) -> None:
    on_top = book(by=alice, details=details(), assignees=[alice], allow_overlap=True)
    change(by=bob, appointment_id=on_top.id, changes={}, status="completed")
    change(by=bob, appointment_id=on_top.id, changes={"title": "Still on top"})
    assert on_top.assignments.get().booked_anyway
    change(by=bob, appointment_id=on_top.id, changes=AT_TEN)
    assert not on_top.assignments.get().booked_anyway


def test_bringing_back_onto_busy_time_is_refused(alice: Member, booked: Appointment) -> None:
    cancel(by=alice, appointment_id=booked.id)
    busy(alice, booked.start, booked.end)
    with pytest.raises(Conflict) as caught:
        reinstate(by=alice, appointment_id=booked.id)
    assert causes(caught) == [("Alice", "google")]
    assert not booked.assignments.get().blocking


def test_what_was_booked_unverified_comes_back_so(alice: Member) -> None:
    calendar_of(alice, age=TOO_OLD)
    made = book(by=alice, details=details(), assignees=[alice], accept_unverified=True)
    cancel(by=alice, appointment_id=made.id)
    reinstate(by=alice, appointment_id=made.id)
    assert made.assignments.get().unverified


# -- order, and the last moment -------------------------------------------------------------------


def test_causes_are_told_in_the_order_in_which_they_begin(alice: Member, bob: Member) -> None:
    for member in (bob, alice):
        busy(member, TEN + timedelta(minutes=20), ELEVEN)
    busy(bob, tomorrow_at(9), TEN + timedelta(minutes=5))
    book(
        by=alice,
        details=details(start=TEN + timedelta(minutes=10)),
        assignees=[bob],
        allow_overlap=True,
    )
    told = [(o.member_name, o.source.value) for o in look(alice, bob)]
    assert told == [
        ("Bob", "google"),
        ("Bob", "appointment"),
        ("Alice", "google"),
        ("Bob", "google"),
    ]
    made = book(by=alice, details=details(start=tomorrow_at(12)), assignees=[alice, bob])
    for member in (bob, alice):
        busy(member, tomorrow_at(12, 30), tomorrow_at(14))
    busy(bob, tomorrow_at(12), tomorrow_at(12, 15))
    clashes = clashes_of([made])[made.id]
    assert [o.member_name for o in clashes] == ["Bob", "Alice", "Bob"]


def test_what_ends_at_this_moment_is_over(alice: Member, clock_stands: None) -> None:
    """Nothing has to be known of it, and nothing comes in its way any more."""
    moment = now()
    calendar = calendar_of(alice, age=TOO_OLD)
    hour = timedelta(hours=1)
    busy(alice, moment - hour, moment + hour, calendar=calendar)
    assert look(alice, start=moment - hour, end=moment) == []
    second = timedelta(seconds=1)
    assert len(look(alice, start=moment - hour, end=moment + second)) == 2
    over = book(by=alice, details=details(start=moment - hour, end=moment), assignees=[alice])
    assert clashes_of([over]) == {}
    running = book(
        by=alice,
        details=details(start=moment, end=moment + hour),
        assignees=[alice],
        accept_unverified=True,
        allow_overlap=True,
    )
    assert clashes_of([running]) == {}


def test_a_clash_with_an_appointment_is_told_in_its_own_zone(
    alice: Member, booked: Appointment
) -> None:
    other = book(
        by=alice,
        details=details(start=booked.start, timezone="Europe/London", title="On top"),
        assignees=[alice],
        allow_overlap=True,
    )
    busy(alice, booked.start, booked.end)
    clashes = {clash.source: clash for clash in clashes_of([booked])[booked.id]}
    google, appointment = clashes[Source.GOOGLE], clashes[Source.APPOINTMENT]
    assert (appointment.source, appointment.timezone) == (Source.APPOINTMENT, "Europe/London")
    assert (appointment.appointment_id, appointment.checked_at) == (other.id, None)
    assert (google.source, google.timezone) == (Source.GOOGLE, SYDNEY)
    assert google.checked_at == BusyCalendar.objects.get().checked_at


@pytest.mark.parametrize("by_series", [False, True])
def test_the_event_that_stands_for_an_appointment_is_never_in_its_way(
    alice: Member, booked: Appointment, by_series: bool
) -> None:
    """Whoever shows appointments elsewhere says which events those are."""
    own = busy(alice, booked.start, booked.end)
    if by_series:
        BusyPeriod.objects.filter(pk=own.pk).update(event_id="one of many", series_id=own.event_id)

    def answer(appointment_ids: list[UUID], **more: Any) -> dict[UUID, set[str]]:
        return {booked.id: {own.event_id}} if booked.id in appointment_ids else {}

    own_events_asked.connect(answer)
    try:
        assert clashes_of([booked]) == {}
        assert members_with_clashes([booked.id]) == {}
        time = {"start": booked.start, "end": booked.end, "timezone": SYDNEY}
        assert conflicts_of(team=[alice], exclude=booked.id, **time) == []
        assert Source.GOOGLE in [o.source for o in conflicts_of(team=[alice], **time)]
        busy(alice, booked.start, booked.end)
        assert [o.source for o in clashes_of([booked])[booked.id]] == [Source.GOOGLE]
        assert members_with_clashes([booked.id]) == {booked.id: {alice.id}}
    finally:
        own_events_asked.disconnect(answer)
