"""What a poll knows of our events, what of its answer is news, and what the outbox lacks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW
from sophiie.common.ids import new_event_id
from sophiie.google import marks
from sophiie.sync.inbound.fetch import FetchResult
from sophiie.sync.inbound.full_compare import _is_over, _left_out, _strays
from sophiie.sync.inbound.poll_claim import Poll
from sophiie.sync.inbound.rhythm import News
from sophiie.sync.inbound.schedule import _is_unjudged, _news
from sophiie.sync.inbound.snapshot import (
    RECENT,
    Known,
    known_events,
    settle_our_own_versions,
)
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState, WatchedCalendar
from tests.conftest import details
from tests.linking import link_row
from tests.sync.test_poll_times import poll_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_stands")]
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
CHOSEN = "chosen@example.com"


@pytest.fixture
def found(alice: Member) -> CalendarLink:
    return link_row(alice, calendar_id=CHOSEN)


@pytest.fixture
def appointment(found: CalendarLink, alice: Member) -> Appointment:
    return book(by=alice, details=details(), assignees=[alice])


@pytest.fixture
def row(appointment: Appointment) -> MirroredEvent:
    """Its row, as if Google showed it."""
    made = MirroredEvent.objects.get()
    made.state, made.shown_revision, made.sent = MirrorState.SYNCED, made.wanted_revision, True
    made.etag, made.synced_at = '"1"', now()
    made.save()
    return made


def known(found: CalendarLink, **changes: Any) -> Known:
    if changes:
        MirroredEvent.objects.update(**changes)
    return known_events(found.pk, CHOSEN, now(), until=now() + 400 * DAY)


def put(appointment: Appointment, start: datetime, end: datetime) -> None:
    Appointment.objects.filter(pk=appointment.pk).update(start=start, end=end)


def test_what_should_be_there_is_known_by_its_version_time_and_appointment(
    found: CalendarLink, appointment: Appointment, row: MirroredEvent
) -> None:
    assert known(found) == Known(
        etags={row.event_id: '"1"'},
        upcoming=frozenset({row.event_id}),
        times={row.event_id: (appointment.start, appointment.end)},
        appointments={row.event_id: str(appointment.id)},
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"wanted": False},
        {"state": MirrorState.PENDING},
        {"state": MirrorState.FAILED},
        {"wanted_revision": 2},
        {"wanted_revision": 0, "shown_revision": 0},
        {"calendar_id": "another"},
    ],
    ids=str,
)
def test_of_what_is_not_settled_nothing_is_known(
    found: CalendarLink, row: MirroredEvent, changes: dict[str, Any]
) -> None:
    assert known(found, unjudged_etag="x", **changes) == Known()


@pytest.mark.parametrize(
    ("start", "end", "is_known", "is_coming"),
    [
        (-HOUR, SECOND, True, True),
        (-HOUR, timedelta(), True, False),
        (-RECENT - HOUR, -RECENT + SECOND, True, False),
        (-RECENT - HOUR, -RECENT, False, False),
        (400 * DAY - SECOND, 400 * DAY + HOUR, True, True),
        (400 * DAY, 400 * DAY + HOUR, True, False),
    ],
)
def test_only_what_lies_in_the_time_of_the_poll_can_be_missed(
    found: CalendarLink,
    appointment: Appointment,
    row: MirroredEvent,
    start: timedelta,
    end: timedelta,
    is_known: bool,
    is_coming: bool,
) -> None:
    put(appointment, now() + start, now() + end)
    result = known(found)
    assert (row.event_id in result.etags) is is_known
    assert result.upcoming == result.times.keys() == result.appointments.keys()
    assert (row.event_id in result.upcoming) is is_coming


def test_a_deletion_that_is_known_is_not_missed_again(
    found: CalendarLink, row: MirroredEvent
) -> None:
    assert known(found, drift_kind=DriftKind.DELETED).upcoming == frozenset()
    assert known(found, drift_kind=DriftKind.EDITED).upcoming == {row.event_id}


def test_what_is_unjudged_is_known_however_long_ago_it_was(
    found: CalendarLink, appointment: Appointment, row: MirroredEvent
) -> None:
    put(appointment, now() - 90 * DAY, now() - 90 * DAY + HOUR)
    assert known(found) == Known()
    result = known(found, unjudged_etag="another")
    assert (result.unjudged, result.upcoming) == ({row.event_id}, frozenset())


def test_a_version_that_turned_out_to_be_our_own_needs_no_judging(
    found: CalendarLink, row: MirroredEvent
) -> None:
    poll = replace(poll_of(is_chosen=True), link_id=found.pk, calendar_id=CHOSEN)
    for etag, is_left in (("another", True), ('"1"', False)):
        MirroredEvent.objects.update(unjudged_etag=etag)
        settle_our_own_versions(found.pk, "another calendar")
        assert _is_unjudged(poll)
        assert not _is_unjudged(replace(poll, is_chosen=False))
        settle_our_own_versions(found.pk, CHOSEN)
        assert _is_unjudged(poll) is is_left


# -- news ----------------------------------------------------------------------------------------


def answer(*items: dict[str, Any], everything: bool = False) -> FetchResult:
    return FetchResult([*items], everything, "", "owner", "UTC")


def news(
    fetched: FetchResult, *, etags: dict[str, str] | None = None, read: bool = True
) -> News | None:
    poll = replace(poll_of(is_chosen=True), known=Known(etags=etags or {}))
    watched = WatchedCalendar(read_at=now() - HOUR if read else None)
    return _news(poll, fetched, watched)


def changed(ago: timedelta, name: str = "foreign", **more: Any) -> dict[str, Any]:
    return {"id": name, "etag": '"1"', "updated": (now() - ago).isoformat(), **more}


def test_what_others_changed_since_the_last_poll_is_news() -> None:
    first, last = changed(50 * SECOND), changed(10 * SECOND, "b")
    assert news(answer(first, last)) == News(now() - 50 * SECOND, now() - 10 * SECOND)
    assert news(answer()) is None
    assert news(answer(first), read=False) is None


@pytest.mark.parametrize(
    "item",
    [
        {"id": "deleted", "status": "cancelled"},
        {"id": "a", "updated": "soon"},
        {"id": "a", "updated": "2026-12-01T02:17:00"},  # by nobody knows which clocks
        {"id": "a", "updated": None},
    ],
    ids=str,
)
def test_a_change_of_which_google_does_not_say_when_is_news_all_the_same(
    item: dict[str, Any],
) -> None:
    assert news(answer(item)) == News(None, None)
    assert news(answer(item, everything=True)) is None  # it may have been there before


@pytest.mark.parametrize(
    ("ago", "is_new"), [(HOUR, True), (HOUR + SKEW, True), (HOUR + SKEW + SECOND, False)]
)
def test_of_everything_in_the_window_only_what_changed_lately_is_news(
    ago: timedelta, is_new: bool
) -> None:
    found = news(answer(changed(ago), everything=True))
    assert found == (News(now() - ago, now() - ago) if is_new else None)
    # In an increment something is new, be it the end of a series.
    assert news(answer(changed(ago))) == (found or News(None, None))


@pytest.mark.parametrize(
    ("etags", "item_etag", "is_news"),
    [
        ({}, '"2"', False),  # a write of ours is under way
        ({"ours": '"1"'}, '"1"', False),  # the version that we wrote
        ({"ours": '"1"'}, None, False),
        ({"ours": '"1"'}, '"2"', True),
    ],
)
@pytest.mark.parametrize("as_occurrence", [False, True])
def test_what_we_wrote_ourselves_is_no_news(
    row: MirroredEvent,
    etags: dict[str, str],
    item_etag: str | None,
    is_news: bool,
    as_occurrence: bool,
) -> None:
    known_as = dict.fromkeys([row.event_id], next(iter(etags.values()))) if etags else {}
    item = changed(SECOND, row.event_id, etag=item_etag)
    if as_occurrence:
        item = changed(SECOND, "x", recurringEventId=row.event_id, etag=item_etag)
    assert (news(answer(item), etags=known_as) is not None) is is_news
    both = news(answer(item, changed(2 * SECOND)), etags=known_as)
    last = now() - (SECOND if is_news else 2 * SECOND)
    assert both == News(now() - 2 * SECOND, last)


# -- what the outbox lacks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({}, False),
        ({"wanted_revision": 9}, True),
        ({"wanted": False}, True),
        ({"calendar_id": "before"}, True),
    ],
    ids=str,
)
def test_a_row_that_does_not_say_what_it_should_is_made_up_for(
    found: CalendarLink, row: MirroredEvent, changes: dict[str, Any], lacks: bool
) -> None:
    if changes:
        MirroredEvent.objects.update(**changes)
    assert _left_out(found, now()) == ([row.appointment_id] if lacks else [])


def test_a_row_of_what_is_not_planned_any_more_is_too(
    found: CalendarLink, appointment: Appointment, row: MirroredEvent
) -> None:
    Appointment.objects.update(status="cancelled")
    assert _left_out(found, now()) == [appointment.id]
    put(appointment, now() - HOUR, now())  # over: what is there stays
    assert _left_out(found, now()) == []
    MirroredEvent.objects.all().delete()
    put(appointment, now() + HOUR, now() + 2 * HOUR)
    assert _left_out(found, now()) == []


@pytest.mark.parametrize(
    ("end", "is_over"),
    [
        ({"dateTime": "2026-12-01T02:17:00Z"}, True),
        ({"dateTime": "2026-12-01T02:17:01Z"}, False),
        ({"dateTime": "2026-12-01T02:00:00"}, False),  # by nobody knows which clocks
        ({"date": "2026-11-01"}, False),
        ({"dateTime": "soon"}, False),
        (None, False),
    ],
    ids=str,
)
def test_an_event_without_a_usable_end_is_not_over(end: Any, is_over: bool) -> None:
    moment = datetime.fromisoformat("2026-12-01T02:17:00Z")
    assert _is_over({"end": end}, moment) is is_over
    assert not _is_over({}, moment)


def strays(found: CalendarLink, row: MirroredEvent, **changes: Any) -> set[str]:
    """Which of two events with our marks belong to nothing: the row's, and one without a row."""
    business = found.member.business_id
    private = {marks.BUSINESS: str(business), marks.APPOINTMENT: str(row.appointment_id)}
    item = {"extendedProperties": {"private": private}}
    items = [{**item, "id": row.event_id}, {**item, "id": LOST}]
    poll: Poll = replace(poll_of(is_chosen=True), business_id=business, calendar_id=CHOSEN)
    if changes:
        MirroredEvent.objects.update(**changes)
    return {"row's" if name == row.event_id else name for name in _strays(poll, items)}


LOST = new_event_id()


@pytest.mark.parametrize(
    ("changes", "is_stray"),
    [
        ({}, False),
        ({"wanted": False, "state": MirrorState.PENDING}, False),  # on its way out
        ({"wanted": False}, True),
        ({"calendar_id": "another"}, True),
    ],
    ids=str,
)
def test_an_event_that_no_link_manages_is_a_stray(
    found: CalendarLink, row: MirroredEvent, changes: dict[str, Any], is_stray: bool
) -> None:
    assert strays(found, row, **changes) == {LOST} | ({"row's"} if is_stray else set())


@pytest.mark.parametrize("state", LinkState)
def test_an_unlinked_link_manages_nothing(
    found: CalendarLink, row: MirroredEvent, state: LinkState
) -> None:
    CalendarLink.objects.update(state=state)
    is_stray = state == LinkState.UNLINKED
    assert strays(found, row) == {LOST} | ({"row's"} if is_stray else set())
