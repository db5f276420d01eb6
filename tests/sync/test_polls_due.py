"""Which calendars are due for a poll, in which order, and what a claim on one begins with."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW
from sophiie.common.reasons import NO_REASON, Reason, columns
from sophiie.sync.due import MAX_ASKED_PAUSE, longest_pause
from sophiie.sync.inbound import poll_claim, rhythm
from sophiie.sync.inbound.attention import is_looked_at, note_open_pages
from sophiie.sync.inbound.calendars import (
    calendars_to_poll,
    due_links,
    poll_all_soon,
    poll_everything_in,
    were_polled_ahead_of_now,
)
from sophiie.sync.inbound.poll_claim import NotReadable, longest_interval
from sophiie.sync.messages import CRASHED, DAY_USED_UP, READ_LATER
from sophiie.sync.models import WatchedCalendar
from tests.linking import link_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_stands")]
SECOND, MINUTE, HOUR, DAY = (timedelta(**{n: 1}) for n in ("seconds", "minutes", "hours", "days"))
CHOSEN = "chosen@example.com"
READABLE = (LinkState.ACTIVE, LinkState.BACKFILLING)


def link_of(member: Member, **more: Any) -> CalendarLink:
    own = {"google_sub": str(member.id), "google_email": member.email}
    chosen = {"calendar_id": CHOSEN, "calendar_name": "Chosen"}
    return link_row(member, **{**own, **chosen, **more})


def watch(found: CalendarLink, calendar_id: str = CHOSEN, **more: Any) -> WatchedCalendar:
    plain = {"next_read_at": now() + 365 * DAY}
    return WatchedCalendar.objects.create(link=found, calendar_id=calendar_id, **{**plain, **more})


@pytest.fixture
def found(alice: Member) -> CalendarLink:
    return link_of(alice)


@pytest.fixture
def at(found: CalendarLink) -> WatchedCalendar:
    return watch(found)


def is_due() -> bool:
    return WatchedCalendar.objects.filter(poll_claim.is_due(now())).exists()


@pytest.mark.parametrize(
    ("reason", "is_net", "within", "latest"),
    [
        (NO_REASON, False, 10 * MINUTE, lambda: 10 * MINUTE),
        (NO_REASON, False, None, longest_interval),
        (NO_REASON, False, 9 * HOUR, longest_interval),  # only under a channel is a pause so long
        (NO_REASON, True, 9 * HOUR, lambda: 9 * HOUR),
        (NO_REASON, True, None, longest_interval),
        (CRASHED, False, 10 * MINUTE, lambda: 10 * MINUTE),
        (READ_LATER, False, 10 * MINUTE, lambda: MAX_ASKED_PAUSE),
        (DAY_USED_UP, False, 10 * MINUTE, lambda: longest_pause(now())),
    ],
)
def test_a_poll_is_due_at_its_time_or_where_it_lies_further_ahead_than_it_can(
    at: WatchedCalendar, reason: Reason, is_net: bool, within: timedelta | None, latest: Any
) -> None:
    new = columns(WatchedCalendar, "error", reason)
    WatchedCalendar.objects.update(is_net=is_net, next_read_within=within, **new)
    for ahead, due in (
        (-SECOND, True),
        (timedelta(), True),
        (SECOND, False),
        (latest(), False),
        (latest() + SECOND, True),
    ):
        WatchedCalendar.objects.update(next_read_at=now() + ahead)
        assert is_due() is due, ahead


def test_the_one_that_waits_longest_comes_first(alice: Member, bob: Member) -> None:
    first, second = link_of(alice), link_of(bob)
    watch(first, next_read_at=now() - MINUTE)
    watch(second, next_read_at=now() - 2 * MINUTE)
    watch(first, "later", next_read_at=now() + MINUTE)
    assert due_links() == [second.id, first.id]
    watch(first, "other", next_read_at=now() - 3 * MINUTE)
    assert due_links() == [first.id, second.id]
    assert due_links(1) == [first.id]
    assert due_links(0) == due_links(-1) == []


@pytest.mark.parametrize("state", LinkState)
def test_only_links_that_work_are_due(found: CalendarLink, state: LinkState) -> None:
    watch(found, next_read_at=now())
    CalendarLink.objects.update(state=state)
    assert due_links() == ([found.id] if state in READABLE else [])
    assert calendars_to_poll(found.id) == ([CHOSEN] if state in READABLE else [])
    CalendarLink.objects.update(calendar_id="")
    assert due_links() == calendars_to_poll(found.id) == []


def test_a_link_whose_row_got_lost_is_due_and_has_it_again(found: CalendarLink) -> None:
    watch(found, "unticked")
    assert due_links() == [found.id]
    assert calendars_to_poll(found.id) == [CHOSEN]
    rows = WatchedCalendar.objects.values_list("calendar_id", "next_read_at")
    assert list(rows) == [(CHOSEN, now())]
    copies = BusyCalendar.objects.values_list("calendar_id", flat=True)
    assert list(copies) == [CHOSEN]
    BusyCalendar.objects.all().delete()
    assert calendars_to_poll(found.id) == [CHOSEN]
    assert BusyCalendar.objects.count() == 1


def test_what_somebody_polls_is_not_due(found: CalendarLink, at: WatchedCalendar) -> None:
    WatchedCalendar.objects.update(next_read_at=now())
    poll = poll_claim.begin(found.id, CHOSEN, only_due=True)
    assert poll is not None
    WatchedCalendar.objects.update(next_read_at=now())
    assert due_links() == []
    assert poll_claim.begin(found.id, CHOSEN, only_due=False) is None
    poll_claim.release(poll)
    assert due_links() == [found.id]


def test_a_worker_takes_only_what_is_due_and_a_person_anything(
    found: CalendarLink, at: WatchedCalendar
) -> None:
    WatchedCalendar.objects.update(next_read_at=now() + SECOND)
    assert poll_claim.begin(found.id, CHOSEN, only_due=True) is None
    assert poll_claim.begin(found.id, CHOSEN, only_due=False) is not None
    at.refresh_from_db()
    assert at.next_read_at == now() + poll_claim.POLLING.lasts
    with pytest.raises(NotReadable):
        poll_claim.begin(found.id, "another", only_due=False)


@pytest.mark.parametrize("state", LinkState)
def test_a_link_that_broke_is_neither_begun_nor_gone_on_with(
    found: CalendarLink, at: WatchedCalendar, state: LinkState
) -> None:
    poll = poll_claim.begin(found.id, CHOSEN, only_due=False)
    assert poll is not None
    CalendarLink.objects.update(state=state)
    assert poll_claim.extend(poll) is (state in READABLE)
    poll_claim.release(poll)
    assert not poll_claim.extend(poll)
    if state not in READABLE:
        with pytest.raises(NotReadable):
            poll_claim.begin(found.id, CHOSEN, only_due=False)


@pytest.mark.parametrize(
    ("copy", "window", "goes_on"),
    [
        ({"known_until": DAY}, HOUR, True),
        ({"known_until": DAY}, None, False),  # never read whole
        ({"known_until": DAY}, 3 * DAY, False),  # a full poll is due
        ({"known_until": None}, HOUR, False),  # nothing to which an increment could be added
        (None, HOUR, False),
    ],
)
def test_a_poll_goes_on_where_the_copy_is_whole(
    found: CalendarLink,
    at: WatchedCalendar,
    copy: dict[str, timedelta | None] | None,
    window: timedelta | None,
    goes_on: bool,
) -> None:
    begun = None if window is None else now() - DAY - window
    WatchedCalendar.objects.update(sync_token="t", window_start=begun)
    if copy is not None:
        until = copy["known_until"]
        BusyCalendar.objects.create(
            member=found.member,
            calendar_id=CHOSEN,
            time_zone="Europe/London",
            known_from=now() - DAY,
            known_until=None if until is None else now() + until,
        )
    poll = poll_claim.begin(found.id, CHOSEN, only_due=False)
    assert poll is not None
    assert poll.token == ("t" if goes_on else "")
    has_copy = copy is not None and copy["known_until"] is not None
    assert poll.time_zone == ("Europe/London" if has_copy else "")


def test_by_what_name_a_calendar_is_known(found: CalendarLink, at: WatchedCalendar) -> None:
    CalendarLink.objects.update(busy_calendar_ids=["b"], busy_calendar_names={"b": "Family"})
    for calendar_id in ("b", "c"):
        watch(found, calendar_id)
    begun = {name: poll_claim.begin(found.id, name, only_due=False) for name in (CHOSEN, "b", "c")}
    titles = {name: poll and poll.title for name, poll in begun.items()}
    assert titles == {CHOSEN: "Chosen", "b": "Family", "c": ""}
    assert [name for name, poll in begun.items() if poll and poll.is_chosen] == [CHOSEN]
    WatchedCalendar.objects.update(title="As Google has it", reader=None, reading_until=None)
    again = poll_claim.begin(found.id, CHOSEN, only_due=False)
    assert again is not None
    assert again.title == "As Google has it"


@pytest.mark.parametrize(("is_meant", "meant"), [(True, 7), (False, 0)])
def test_what_may_be_missing_is_what_the_person_said(
    found: CalendarLink, at: WatchedCalendar, is_meant: bool, meant: int
) -> None:
    WatchedCalendar.objects.update(missing=7, missing_is_meant=is_meant)
    poll = poll_claim.begin(found.id, CHOSEN, only_due=False)
    assert poll is not None
    assert poll.meant_missing == meant


def test_a_poll_that_was_put_off_comes_in_some_seconds(
    found: CalendarLink, at: WatchedCalendar
) -> None:
    waits = []
    for _ in range(20):
        poll = poll_claim.begin(found.id, CHOSEN, only_due=False)
        assert poll is not None
        poll_claim.postpone(poll)
        at.refresh_from_db()
        assert at.reader is None
        waits.append(at.next_read_at - now())
    assert SECOND <= min(waits) < max(waits) <= 3 * SECOND


@pytest.mark.parametrize(
    ("looked", "counts"),
    [
        (None, False),
        (timedelta(), True),
        (5 * MINUTE - SECOND, True),
        (5 * MINUTE, False),
        (-SECOND, False),  # of a clock that was wrong
    ],
)
def test_a_page_counts_as_open_for_five_minutes(
    at: WatchedCalendar, looked: timedelta | None, counts: bool
) -> None:
    at.looked_at = None if looked is None else now() - looked
    assert is_looked_at(at, now()) is counts


@pytest.mark.parametrize(
    ("ahead", "is_net", "error", "comes_sooner"),
    [
        (5 * MINUTE, False, "", False),
        (5 * MINUTE + SECOND, False, "", True),
        (30 * MINUTE, False, "", True),
        (30 * MINUTE, True, "", False),  # Google reports its changes
        (30 * MINUTE, False, "It failed.", False),
    ],
)
def test_who_has_a_page_open_hears_of_changes_within_minutes(
    at: WatchedCalendar, ahead: timedelta, is_net: bool, error: str, comes_sooner: bool
) -> None:
    before = now() + ahead
    WatchedCalendar.objects.update(next_read_at=before, is_net=is_net, error=error)
    note_open_pages([at.link.member_id])
    at.refresh_from_db()
    assert at.looked_at == now()
    assert (at.next_read_at < before) is comes_sooner
    assert at.next_read_at >= now()
    if comes_sooner:
        assert at.next_read_at <= now() + rhythm.WHILE_LOOKED_AT


def test_pages_of_others_and_a_set_interval_change_nothing(
    at: WatchedCalendar, bob: Member, settings: Any
) -> None:
    note_open_pages([bob.id])
    settings.BUSY_POLL_SECONDS = 60
    note_open_pages([at.link.member_id])
    at.refresh_from_db()
    assert (at.looked_at, at.next_read_at) == (None, now() + 365 * DAY)


def test_where_a_law_changes_the_clocks_everything_is_read_again(
    found: CalendarLink, at: WatchedCalendar, charlie: Member
) -> None:
    other = watch(link_of(charlie))
    WatchedCalendar.objects.update(window_start=now())
    for link, zone in ((found, "Europe/London"), (other.link, "Europe/Paris")):
        BusyCalendar.objects.create(member=link.member, calendar_id=CHOSEN, time_zone=zone)
    poll_everything_in("Europe/London")
    at.refresh_from_db()
    other.refresh_from_db()
    assert (at.window_start, at.next_read_at) == (None, now())
    assert other.window_start == now()
    assert other.next_read_at > now()


def test_a_clock_that_was_set_back_is_noticed_by_a_poll_of_the_future(
    at: WatchedCalendar,
) -> None:
    for ahead, was_set_back in ((-HOUR, False), (SKEW, False), (SKEW + SECOND, True)):
        WatchedCalendar.objects.update(read_at=now() + ahead)
        assert were_polled_ahead_of_now() is was_set_back
    past = now() - MINUTE
    earlier = watch(at.link, "b", next_read_at=past)
    poll_all_soon()
    at.refresh_from_db()
    earlier.refresh_from_db()
    assert (at.next_read_at, earlier.next_read_at) == (now(), past)
