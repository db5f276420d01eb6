"""The state of an event, of a queue and of a team, as people are shown it: from rows alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.problems import GRANT_DEAD
from sophiie.common.clock import now
from sophiie.common.reasons import keep
from sophiie.sync.messages import REFUSED_BY_GUARD, UNREACHABLE
from sophiie.sync.models import (
    DriftKind,
    MirroredEvent,
    MirrorState,
    QuotaBucket,
    SyncAttempt,
    WatchedCalendar,
)
from sophiie.sync.reports.event_status import (
    EventStatus,
    attempts_of,
    event_rows_of,
    health_of,
    statuses_of,
)
from sophiie.sync.reports.team import broken_links_of_colleagues, links_of_team
from tests.conftest import details
from tests.linking import link_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_stands")]
HOUR = timedelta(hours=1)
RECORDING = (LinkState.ACTIVE, LinkState.BACKFILLING, LinkState.NEEDS_RECONNECT)


def link_of(member: Member, **more: Any) -> CalendarLink:
    own = {"google_sub": member.name, "activated_at": now(), "calendar_id": member.email}
    return link_row(member, **{**own, **more})


@pytest.fixture
def found(alice: Member) -> CalendarLink:
    return link_of(alice)


@pytest.fixture
def appointment(found: CalendarLink, alice: Member) -> Appointment:
    return book(by=alice, details=details(), assignees=[alice])


def status(appointment: Appointment, to: Member, **changes: Any) -> EventStatus:
    if changes:
        MirroredEvent.objects.update(**changes)
    (only,) = statuses_of([appointment.id], to=to)[appointment.id]
    return only


@pytest.mark.parametrize("of_link", LinkState)
@pytest.mark.parametrize("of_row", MirrorState)
def test_a_link_may_say_more_than_its_event(
    appointment: Appointment, alice: Member, of_link: LinkState, of_row: MirrorState
) -> None:
    later = now() + HOUR
    link = CalendarLink.objects.get()
    keep(link, "problem", GRANT_DEAD)
    link.state = of_link
    link.save()
    row = MirroredEvent.objects.get()
    keep(row, "error", UNREACHABLE)
    row.state, row.next_attempt_at = of_row, later
    row.save()
    shown = status(appointment, alice)
    expected: str = of_row
    if of_link == LinkState.UNLINKED:
        expected = "released"
    elif of_link == LinkState.NEEDS_RECONNECT and of_row == MirrorState.PENDING:
        expected = "paused"
    assert shown.state == expected
    assert shown.error.code == (GRANT_DEAD.code if expected == "paused" else UNREACHABLE.code)
    assert shown.next_attempt_at == (later if expected == "pending" else None)


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({}, True),
        ({"drift_kind": DriftKind.NONE}, False),
        ({"drift_seen_at": None}, False),
        ({"state": MirrorState.PENDING}, False),  # a write that is on its way is the answer
        ({"state": MirrorState.FAILED}, False),
        ({"wanted": False}, False),
        ({"wanted": False, "drift_kind": DriftKind.STILL_THERE}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("link_state", [*RECORDING, LinkState.UNLINKING, LinkState.UNLINKED])
def test_drift_is_told_until_it_is_answered(
    appointment: Appointment,
    alice: Member,
    changes: dict[str, Any],
    is_told: bool,
    link_state: LinkState,
) -> None:
    CalendarLink.objects.update(state=link_state)
    plain = {
        "state": MirrorState.SYNCED,
        "drift_kind": DriftKind.EDITED,
        "drift_seen_at": now(),
        "drift_fields": {"title": "x"},
    }
    drift = status(appointment, alice, **{**plain, **changes}).drift
    assert (drift is not None) is (is_told and link_state in RECORDING)
    if drift is not None:
        assert (drift.fields, drift.seen_at) == ({"title": "x"}, now())


def test_only_whom_it_concerns_sees_the_calendar(
    appointment: Appointment, alice: Member, bob: Member
) -> None:
    address = "https://www.google.com/calendar/event?eid=x"
    theirs = MirroredEvent.objects.create(
        link=link_of(bob),
        appointment=appointment,
        calendar_id=bob.email,
        wanted_revision=1,
        created_at=now() + HOUR,
        updated_at=now(),
    )
    MirroredEvent.objects.update(html_link=address, left_out={"guests": "no"})

    def shown(to: Member) -> list[tuple[str, str]]:
        return [
            (one.calendar_id, one.html_link)
            for one in statuses_of([appointment.id], to=to)[appointment.id]
        ]

    mine = (alice.email, address)
    assert shown(alice) == [mine, (bob.email, address)]
    assert shown(bob) == [("", ""), (bob.email, address)]
    assert event_rows_of(appointment.id) == sorted(
        MirroredEvent.objects.all(), key=lambda row: row.link_id
    )
    CalendarLink.objects.filter(member=alice).update(state=LinkState.UNLINKED)
    assert event_rows_of(appointment.id) == [theirs]
    parts = statuses_of([appointment.id], to=alice)[appointment.id]
    assert [one.left_out for one in parts] == [{"guests": "no"}] * 2
    MirroredEvent.objects.update(wanted=False)
    parts = statuses_of([appointment.id], to=alice)[appointment.id]
    assert [one.left_out for one in parts] == [{}] * 2


def row_in(link: CalendarLink, appointment: Appointment, calendar_id: str, **more: Any) -> None:
    MirroredEvent.objects.create(
        link=link,
        appointment=appointment,
        calendar_id=calendar_id,
        wanted_revision=1,
        updated_at=now(),
        **{"created_at": now(), **more},
    )


def test_of_several_rows_of_a_member_the_wanted_one_counts_or_the_newest(
    appointment: Appointment, found: CalendarLink, alice: Member
) -> None:
    row_in(found, appointment, "later", wanted=False, created_at=now() + HOUR)
    assert status(appointment, alice).calendar_id == alice.email
    MirroredEvent.objects.update(wanted=False)
    assert status(appointment, alice).calendar_id == "later"
    MirroredEvent.objects.filter(calendar_id=alice.email).update(wanted=True)
    CalendarLink.objects.update(state=LinkState.UNLINKED)
    again = link_of(alice)
    row_in(again, appointment, "again", wanted=False, created_at=now() + 2 * HOUR)
    assert status(appointment, alice).calendar_id == "again"  # of the link that there is now


def test_where_another_link_hosts_the_event_its_state_is_shown_to_both(
    appointment: Appointment, found: CalendarLink, alice: Member, bob: Member
) -> None:
    theirs = link_of(bob)
    row_in(theirs, appointment, alice.email, hosted_elsewhere=True, created_at=now() + HOUR)
    MirroredEvent.objects.filter(link=found).update(state=MirrorState.SYNCED, event_id="hosted")
    both = statuses_of([appointment.id], to=alice)[appointment.id]
    assert [(one.state, one.event_id) for one in both] == [("synced", "hosted")] * 2
    assert [one.member_name for one in both] == ["Alice", "Bob"]
    MirroredEvent.objects.filter(link=found).update(wanted=False)
    both = statuses_of([appointment.id], to=alice)[appointment.id]
    assert [one.state for one in both] == ["synced", "pending"]


def attempt(row: MirroredEvent, ago: timedelta, **more: Any) -> SyncAttempt:
    plain = {"revision": 1, "wanted": True, "succeeded": False, "status": 503}
    return SyncAttempt.objects.create(mirrored_event=row, at=now() - ago, **{**plain, **more})


def test_the_queue_of_a_link_in_figures(
    appointment: Appointment, found: CalendarLink, alice: Member
) -> None:
    for calendar_id, state, backfill in (
        ("a", MirrorState.PENDING, True),
        ("b", MirrorState.PENDING, True),
        ("c", MirrorState.FAILED, True),
        ("d", MirrorState.SYNCED, False),
    ):
        row_in(found, appointment, calendar_id, state=state, backfill=backfill)
    row = MirroredEvent.objects.get(calendar_id=alice.email)
    MirroredEvent.objects.filter(pk=row.pk).update(updated_at=now() - HOUR)
    MirroredEvent.objects.filter(calendar_id="d").update(updated_at=now() - 9 * HOUR)
    attempt(row, 3 * HOUR, reason="older")
    attempt(row, 2 * HOUR, reason="newer", message="Later")
    attempt(row, HOUR, succeeded=True)
    attempt(row, 5 * HOUR, reason=REFUSED_BY_GUARD)
    QuotaBucket.objects.create(scope="user:Alice", level=0, counted_at=now())
    found.backfill_total = 7
    health = health_of(found)
    assert (health.pending, health.failed, health.refused_by_guard) == (3, 1, 1)
    assert (health.backfill_done, health.backfill_total) == (5, 7)
    assert (health.oldest_waiting_since, health.last_error_at) == (now() - HOUR, now() - 2 * HOUR)
    assert "Later" in health.last_error
    assert health.quota_used == 1.0
    found.backfill_total = 1  # more wait than were counted when it began
    assert health_of(found).backfill_done == 0
    found.activated_at = None
    assert (health_of(found).pending, health_of(found).backfill_total) == (0, 0)
    told = [one.reason for one in attempts_of(appointment.id, most=3)]
    assert told == ["", "newer", "older"]
    assert len(attempts_of(appointment.id)) == 4


def test_a_team_at_a_glance(
    appointment: Appointment, found: CalendarLink, alice: Member, bob: Member, charlie: Member
) -> None:
    theirs = link_of(bob, state=LinkState.NEEDS_RECONNECT, broken_at=now() - HOUR)
    link_of(charlie)
    row_in(found, appointment, "a", state=MirrorState.FAILED)
    for calendar_id, more in (
        ("missing", {"missing": 4, "error": "x"}),
        ("more", {"missing": 3, "error": "x"}),
        ("meant", {"missing": 9, "missing_is_meant": True, "error": "x"}),
        ("unreadable", {"error": "x"}),
        ("well", {}),
    ):
        WatchedCalendar.objects.create(
            link=found, calendar_id=calendar_id, next_read_at=now(), **more
        )
    team = links_of_team(alice.business_id)
    assert team.keys() == {alice.id, bob.id}
    mine = team[alice.id]
    assert (mine.waiting, mine.failed, mine.missing, mine.unreadable) == (1, 1, 7, 1)
    assert (mine.member_name, mine.broken_since) == ("Alice", None)
    assert (team[bob.id].waiting, team[bob.id].missing) == (0, 0)
    assert team[bob.id].broken_since == now() - HOUR
    assert [one.member_id for one in broken_links_of_colleagues(alice)] == [bob.id]
    assert broken_links_of_colleagues(bob) == []
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    assert broken_links_of_colleagues(alice) == []
    CalendarLink.objects.filter(pk=theirs.pk).update(state=LinkState.UNLINKED)
    assert links_of_team(alice.business_id).keys() == {alice.id}
