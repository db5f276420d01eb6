"""What the rows of one appointment in one link should say: pure rules, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbox.coverage import shows
from sophiie.sync.outbox.guests import Circle
from sophiie.sync.outbox.rows import adopt, align, home_of, want

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALICE, BOB = UUID(int=1), UUID(int=2)
LINK = CalendarLink(
    id=UUID(int=11), member_id=ALICE, covers="assigned", calendar_id="chosen", privacy="full"
)


def appointment(**more: Any) -> Appointment:
    plain = {"id": UUID(int=5), "status": "scheduled", "created_by_id": BOB, "revision": 3}
    return Appointment(**{**plain, "start": NOW + HOUR, "end": NOW + 2 * HOUR, **more})


COMING = appointment()
OVER = appointment(start=NOW - HOUR, end=NOW)
CANCELLED = appointment(status="cancelled")


def row(**more: Any) -> MirroredEvent:
    """One that Google shows as it is wanted."""
    plain: dict[str, Any] = {
        "calendar_id": "chosen",
        "wanted": True,
        "wanted_revision": 3,
        "shown_revision": 3,
        "sent": True,
        "state": MirrorState.SYNCED,
    }
    made = MirroredEvent(**{**plain, **more})
    made._state.adding = False
    return made


def aligned(about: Appointment, *rows: MirroredEvent, **more: Any) -> list[MirroredEvent]:
    more = {"guests": [], **more}
    return align(LINK, about, {ALICE}, list(rows), NOW, **more)


def wanted(rows: list[MirroredEvent]) -> list[tuple[str, bool, int]]:
    assert all(r.state == MirrorState.PENDING and r.next_attempt_at == NOW for r in rows)
    return [(r.calendar_id, r.wanted, r.wanted_revision) for r in rows]


def test_a_coming_appointment_gets_an_event_in_the_chosen_calendar() -> None:
    assert wanted(aligned(COMING)) == [("chosen", True, 3)]
    assert wanted(aligned(COMING, row(wanted_revision=2))) == [("chosen", True, 3)]


def test_what_is_as_it_should_be_makes_no_work_unless_asked_for_again() -> None:
    assert aligned(COMING, row()) == []
    assert aligned(COMING, row(guests=["b"]), guests=["b"]) == []
    assert wanted(aligned(COMING, row(), again=True)) == [("chosen", True, 3)]


def test_other_guests_are_work_of_the_same_revision() -> None:
    (changed,) = aligned(COMING, row(guests=["b"]), guests=["c"])
    assert (changed.guests, changed.wanted_revision) == (["c"], 3)
    assert aligned(COMING, row(guests=["c"]), guests=[])[0].guests == []


def test_of_the_past_an_event_is_only_made_for_what_is_new() -> None:
    """It is over at the moment when it ends."""
    assert aligned(OVER) == []
    assert wanted(aligned(OVER, is_new=True)) == [("chosen", True, 3)]
    barely = appointment(end=NOW + timedelta(seconds=1))
    assert wanted(aligned(barely)) == [("chosen", True, 3)]
    # One that is there is still kept up to date.
    assert wanted(aligned(OVER, row(wanted_revision=2))) == [("chosen", True, 3)]


def test_called_off_or_taken_off_the_event_goes_once() -> None:
    assert wanted(aligned(CANCELLED, row())) == [("chosen", False, 3)]
    gone = row(wanted=False, wanted_revision=2)
    assert aligned(CANCELLED, gone) == []
    still_going = row(wanted=False, wanted_revision=2, state=MirrorState.PENDING)
    assert wanted(aligned(CANCELLED, still_going)) == [("chosen", False, 3)]
    assert wanted(align(LINK, COMING, {BOB}, [row()], NOW, guests=[])) == [("chosen", False, 3)]
    assert wanted(aligned(COMING, row(wanted=False))) == [("chosen", True, 3)]


def test_an_event_moves_to_the_calendar_that_is_chosen_now_and_the_past_stays() -> None:
    before = row(calendar_id="before")
    assert wanted(aligned(COMING, before)) == [("chosen", True, 3), ("before", False, 3)]
    past = row(calendar_id="before", wanted_revision=2)
    assert wanted(aligned(OVER, past)) == [("before", True, 3)]
    assert home_of(LINK, OVER, [row(calendar_id="before")], NOW) == "before"
    assert home_of(LINK, OVER, [row(calendar_id="before", wanted=False)], NOW) == "chosen"
    assert home_of(LINK, COMING, [row(calendar_id="before")], NOW) == "chosen"


def test_where_another_link_has_the_event_there_is_none_of_its_own() -> None:
    (follower,) = aligned(COMING, follows=True)
    assert (follower.wanted, follower.hosted_elsewhere) == (True, True)
    assert (follower.state, follower.next_attempt_at) == (MirrorState.SYNCED, None)
    known = row(hosted_elsewhere=True, sent=False, shown_revision=0)
    assert aligned(COMING, known, follows=True) == []
    assert wanted(aligned(COMING, row(), follows=True)) == [("chosen", False, 3)]
    # What is left in other calendars goes all the same.
    before = row(calendar_id="before")
    assert wanted(aligned(COMING, known, before, follows=True)) == [("before", False, 3)]
    let_go, gone = aligned(CANCELLED, row(hosted_elsewhere=True, sent=False), row())
    assert (let_go.wanted, gone.wanted) == (False, False)
    assert (let_go.state, gone.state) == (MirrorState.SYNCED, MirrorState.PENDING)
    # The other one has ended: the event is this link's again.
    (own,) = aligned(COMING, known)
    assert (own.hosted_elsewhere, own.state) == (False, MirrorState.PENDING)
    # Called off, the follower has nothing to remove.
    (let_go,) = aligned(CANCELLED, row(hosted_elsewhere=True, sent=False))
    assert (let_go.wanted, let_go.state) == (False, MirrorState.SYNCED)
    assert aligned(CANCELLED, row(hosted_elsewhere=True, wanted=False)) == []


def test_wanting_starts_anew_without_the_failures_of_before(settings: Any) -> None:
    settings.MIRROR_COALESCE_SECONDS = 2
    known = row(attempts=7, error="refused", series_may_go=True, synced_at=None)
    want(known, False, 4, NOW)
    assert (known.attempts, known.error, known.updated_at) == (0, "", NOW)
    assert known.series_may_go
    assert known.next_attempt_at == NOW
    want(known, True, 4, NOW)
    assert not known.series_may_go


@pytest.mark.parametrize(
    ("written", "due"),
    [
        (timedelta(seconds=-10), timedelta()),
        (timedelta(seconds=-2), timedelta()),
        (timedelta(seconds=-0.5), timedelta(seconds=1.5)),
        (timedelta(), timedelta(seconds=2)),
        (HOUR, timedelta()),  # of a clock that was wrong
    ],
)
def test_changes_right_after_a_write_are_gathered(
    settings: Any, written: timedelta, due: timedelta
) -> None:
    settings.MIRROR_COALESCE_SECONDS = 2
    known = row(synced_at=NOW + written)
    want(known, True, 4, NOW)
    assert known.next_attempt_at == NOW + due


def test_a_new_row_stands_for_the_event_that_is_there() -> None:
    circle = Circle([], {ALICE: "b@example.com", BOB: "a@example.com"}, frozenset())
    earlier = row(event_id="earlier", shown_guests=["s"], sent_guests=["t"], left_out={"zone": "?"})
    made = MirroredEvent()
    adopt(made, earlier, "found", circle)
    assert (made.event_id, made.sent, made.shown_revision) == ("earlier", True, 3)
    assert (made.shown_guests, made.sent_guests) == (["s"], ["t"])
    assert made.left_out == {"zone": "?"}
    found = MirroredEvent()
    adopt(found, None, "found", circle)
    assert (found.event_id, found.sent, found.shown_revision) == ("found", True, 1)
    assert found.sent_guests == ["a@example.com", "b@example.com"]
    fresh = MirroredEvent(event_id="own")
    adopt(fresh, None, None, circle)
    assert (fresh.event_id, fresh.sent, fresh.shown_revision) == ("own", False, 0)


@pytest.mark.parametrize(
    ("covers", "assignees", "by", "shown"),
    [
        ("all", {BOB}, BOB, True),
        ("assigned", {ALICE}, BOB, True),
        ("assigned", {BOB}, ALICE, False),
        ("assigned_or_created", {BOB}, ALICE, True),
        ("assigned_or_created", {ALICE}, BOB, True),
        ("assigned_or_created", {BOB}, BOB, False),
    ],
)
def test_what_a_link_covers(covers: str, assignees: set[UUID], by: UUID, shown: bool) -> None:
    link = CalendarLink(member_id=ALICE, covers=covers)
    assert shows(link, appointment(created_by_id=by), assignees) is shown
    for off in ({"status": "cancelled"}, {"status": "held", "held_until": NOW + HOUR}):
        assert not shows(link, appointment(created_by_id=by, **off), assignees)
