"""A series in Google: each visit an event of its own, after all single changes, and exactly."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from django.db import connection

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.common.after_commit import gathering
from sophiie.common.clock import now
from sophiie.common.wall_time import instant_of
from sophiie.series.cancelling import cancel_series
from sophiie.series.changing import change_series
from sophiie.series.drafts import SeriesChange
from sophiie.series.models import Series
from sophiie.series.repeating import Repetition, repeat_appointment
from sophiie.series.retiming import NewTime
from sophiie.series.rule import read
from sophiie.series.scope import Scope
from sophiie.series.undoing import undo
from sophiie.sync.models import MirroredEvent, MirrorState, QuotaBucket
from sophiie.sync.outbound.claim import BATCH, claim_due
from tests.conftest import SYDNEY, details
from tests.linking import browser_of, come_back, link
from tests.mirroring import drain_all, due_now
from tests.series.making import FIRST, TUESDAYS, appointments_of, made, rule
from tests.sync.drifting import ALICE
from tests.sync.quotas import leave, left
from tests.sync.test_life_of_a_link import JOBS, choose

# So that the visits of January are ahead.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.time_machine("2026-12-01T02:17Z"),
]
TEN = SeriesChange(time=NewTime(start=FIRST.replace(hour=10)))
BOB = "bob@example.com"


def shown(google: RunningSimulator, calendar_id: str = ALICE, email: str = ALICE) -> list[str]:
    """When the events begin, as the calendar shows it."""
    events = google.events(email, calendar_id)
    return sorted(event["start"]["dateTime"][:16] for event in events)


def wanted(*places: Series) -> list[str]:
    return sorted(
        a.local_start.isoformat()[:16]
        for series in places
        for a in appointments_of(series)
        if a.is_on
    )


def change(by: Member, series: Series, change: SeriesChange, **more: Any) -> Any:
    how = {"scope": Scope.ALL, **more}
    return change_series(by=by, series_id=series.id, change=change, **how)


def test_every_visit_is_an_event_of_its_own(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    series = made(alice).series
    drain_all()
    assert shown(google) == wanted(series)
    assert len(shown(google)) == 5
    assert not any("recurrence" in event for event in google.events(ALICE))


def test_a_series_that_is_undone_before_google_saw_it_uses_up_no_quota(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    booking.book(by=alice, details=details(), assignees=[alice])
    drain_all()
    leave(0)
    booked = made(alice)
    undo(by=alice, act_id=booked.act.id)
    drain_all()
    assert not MirroredEvent.objects.filter(state=MirrorState.PENDING).exists()
    assert left(found) == 0
    assert len(shown(google)) == 1


def test_google_shows_what_is_wanted_after_each_act_and_its_undo(
    alice: Member, google: RunningSimulator
) -> None:
    """The field's bugs: three become five, only the first is called off, the called off stay."""
    link(alice, google)
    before = google.digest(exclude_client=google.client_id)
    series = made(alice).series
    drain_all()
    third = appointments_of(series)[2].id
    following = {"scope": Scope.FOLLOWING, "appointment_id": third}
    moved = change(
        alice, series, SeriesChange(time=NewTime(start=FIRST + timedelta(days=16))), **following
    )
    drain_all()
    assert shown(google) == wanted(series, moved.series)
    assert len(shown(google)) == 5
    undo(by=alice, act_id=moved.act.id)
    drain_all()
    assert shown(google) == wanted(series)
    rule = read("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=7", first=FIRST, zone=SYDNEY)
    longer = change(alice, series, SeriesChange(time=NewTime(rule=rule)))
    drain_all()
    assert shown(google) == wanted(longer.series)
    assert len(shown(google)) == 7
    ended = cancel_series(by=alice, series_id=longer.series.id, **following)
    drain_all()
    assert shown(google) == wanted(longer.series)
    assert len(shown(google)) == 2
    assert ended.act
    undo(by=alice, act_id=ended.act.id)
    drain_all()
    assert len(shown(google)) == 7
    cancel_series(by=alice, series_id=longer.series.id, scope=Scope.ALL)
    drain_all()
    assert shown(google) == []
    assert google.digest(exclude_client=google.client_id) == before


def test_three_do_not_become_five_in_google_on_reschedule(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU;COUNT=3").series
    drain_all()
    moved = change(alice, series, SeriesChange(time=NewTime(start=FIRST + timedelta(days=1))))
    drain_all()
    assert shown(google) == wanted(moved.series)
    assert len(shown(google)) == 3


def test_not_only_the_first_is_cancelled_in_google(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    series = made(alice).series
    drain_all()
    cancel_series(by=alice, series_id=series.id, scope=Scope.ALL)
    drain_all()
    assert shown(google) == []


def test_a_cancelled_visit_does_not_stay_in_google(alice: Member, google: RunningSimulator) -> None:
    """Nor does it come back when the others change."""
    link(alice, google)
    series = made(alice).series
    drain_all()
    third = appointments_of(series)[2]
    booking.cancel(by=alice, appointment_id=third.id)
    drain_all()
    assert shown(google) == wanted(series)
    assert third.local_start.isoformat()[:16] not in shown(google)
    later = change(alice, series, TEN)
    drain_all()
    assert shown(google) == wanted(later.series)
    assert len(shown(google)) == 4


def test_a_visit_moved_before_stays_in_google_when_the_series_moves(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    series = made(alice).series
    drain_all()
    second = appointments_of(series)[1]
    start = second.start + timedelta(days=1)
    booking.change(
        by=alice,
        appointment_id=second.id,
        changes={"start": start, "end": start + timedelta(hours=1)},
    )
    change(alice, series, TEN)
    drain_all()
    assert shown(google) == wanted(series)
    assert "2027-01-20T09:00" in shown(google)


def test_the_event_of_one_visit_changes_calendars_with_its_assignee(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    link(bob, google, account=BOB)
    series = made(bob, team=[alice]).series
    third = appointments_of(series)[2].id
    drain_all()
    booking.change(by=alice, appointment_id=third, changes={}, assignees=[bob])
    drain_all()
    assert len(shown(google)) == 4
    assert "2027-01-26T09:00" in shown(google, BOB, BOB)
    change(alice, series, SeriesChange(assignees=[bob]))
    drain_all()
    assert shown(google) == []
    assert shown(google, BOB, BOB) == wanted(series)


def test_an_appointment_that_repeats_keeps_its_event(
    alice: Member, google: RunningSimulator
) -> None:
    """One event for the first visit, the very same before, after and once it is undone."""
    link(alice, google)
    plain = details(start=instant_of(FIRST, SYDNEY))
    first = booking.book(by=alice, details=plain, assignees=[alice])
    drain_all()
    (before,) = google.events(ALICE)
    how = Repetition(rule=rule(TUESDAYS))
    done = repeat_appointment(by=alice, appointment_id=first.id, how=how)
    drain_all()
    after = {event["id"]: event for event in google.events(ALICE)}
    assert len(after) == 5
    assert after[before["id"]] == before
    assert shown(google) == wanted(done.series)
    undo(by=alice, act_id=done.act.id)
    drain_all()
    assert google.events(ALICE) == [before]


def test_a_series_comes_after_single_changes(alice: Member, google: RunningSimulator) -> None:
    """Whatever waits of a series, the next thing that goes out is somebody's own change."""
    found = link(alice, google)
    made(alice, "FREQ=DAILY;COUNT=104")
    assert set(MirroredEvent.objects.values_list("backfill", flat=True)) == {True}
    single = booking.book(
        by=alice,
        details=details(start=now() + timedelta(days=20), end=now() + timedelta(days=20, hours=1)),
        assignees=[alice],
        accept_unverified=True,
    )
    first, *others = claim_due(found.id)
    assert first.row.appointment_id == single.id
    assert len(others) == BATCH - 1


def test_moving_a_long_series_stays_below_the_quota(
    alice: Member, google: RunningSimulator
) -> None:
    """A patch costs three units, so 104 are more than there are at once: the rest waits, and
    Google never has to refuse one."""
    link(alice, google)
    google.quotas(enabled=True)
    series = made(alice, "FREQ=DAILY;COUNT=104").series
    minutes_pass(google)
    assert len(shown(google)) == 104
    google.clear_calls()
    change(alice, series, TEN)
    drain_all()
    waiting = MirroredEvent.objects.filter(state=MirrorState.PENDING).count()
    assert 20 < waiting < 104
    assert not [call for call in google.calls() if call["status"] in (403, 429)]
    minutes_pass(google)
    assert shown(google) == wanted(series)


def minutes_pass(google: RunningSimulator) -> None:
    """Until everything is done, and once more, so that the quotas are full."""
    for _ in range(10):
        drain_all()
        google.advance_clock(61)
        QuotaBucket.objects.all().delete()
        due_now()
        if not MirroredEvent.objects.filter(state=MirrorState.PENDING).exists():
            return


def test_linking_anew_in_the_middle_of_a_series_doubles_nothing(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    series = made(alice, "FREQ=DAILY;COUNT=40").series

    for row in MirroredEvent.objects.order_by("id")[15:]:
        MirroredEvent.objects.filter(pk=row.pk).update(next_attempt_at=now() + timedelta(hours=1))
    drain_all()
    assert len(shown(google)) == 15
    page = browser_of(alice)
    page.post("/settings/calendar/unlink", {"events": "keep"})
    come_back(page, google)
    choose(alice, ALICE)
    due_now()
    drain_all()
    assert shown(google) == wanted(series)
    assert len(google.all_events(ALICE)) == 40


def test_a_series_goes_along_into_another_calendar(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    series = made(alice).series
    drain_all()
    change(alice, series, TEN)
    choose(alice, JOBS)
    changed = change(alice, series, SeriesChange(details={"title": "Course"}))
    drain_all()
    assert shown(google) == []
    assert shown(google, JOBS) == wanted(changed.series)
    assert {event["summary"] for event in google.events(ALICE, JOBS)} == {"Course"}


def test_a_link_records_a_series_in_few_statements(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    few = _statements(lambda: made(alice, "FREQ=DAILY;COUNT=10"))
    many = _statements(lambda: made(alice, "FREQ=DAILY;COUNT=104", first=FIRST.replace(hour=14)))
    assert many == few


def _statements(act: Callable[[], object]) -> int:
    """How many statements PostgreSQL was sent, by Django and by us."""
    count = 0
    real = psycopg.Cursor.execute

    me = threading.get_ident()

    def execute(cursor: Any, *words: Any, **more: Any) -> Any:
        nonlocal count
        count += threading.get_ident() == me
        return real(cursor, *words, **more)

    connection.ensure_connection()
    # Open pages are told afterwards, by another thread.
    with gathering(), patch.object(psycopg.Cursor, "execute", execute):
        act()
    return count
