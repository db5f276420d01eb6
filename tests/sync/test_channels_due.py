"""Which channels are opened and which are stopped: what the database says, without Google."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.inbound import channels
from sophiie.sync.inbound.channels import RETRY, UNANSWERED, are_pushed
from sophiie.sync.models import PushChannel, WatchedCalendar
from tests.linking import link_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_stands", "with_an_address")]
SECOND, MINUTE, HOUR, DAY = (timedelta(**{n: 1}) for n in ("seconds", "minutes", "hours", "days"))
WORKS = (LinkState.ACTIVE, LinkState.BACKFILLING)


@pytest.fixture
def with_an_address(settings: Any) -> None:
    settings.PUSH_ADDRESS = "https://sophiie.example/notifications"


@pytest.fixture
def found(alice: Member) -> CalendarLink:
    return link_row(alice)


def watched(found: CalendarLink, calendar_id: str = "a", **more: Any) -> WatchedCalendar:
    return WatchedCalendar.objects.create(
        link=found, calendar_id=calendar_id, next_read_at=now(), **more
    )


def channel(found: CalendarLink, calendar_id: str = "a", **more: Any) -> PushChannel:
    plain = {"token_digest": "x", "created_at": now() - HOUR, "expires_at": now() + 5 * DAY}
    return PushChannel.objects.create(link=found, calendar_id=calendar_id, **{**plain, **more})


@pytest.mark.parametrize(
    ("ahead", "with_channel", "is_due"),
    [
        (None, False, True),
        (timedelta(), False, True),
        (SECOND, False, False),
        (RETRY, False, False),  # after a refusal
        (RETRY + SECOND, False, True),  # nobody waits so long without a channel
        (3 * DAY, True, False),
        (5 * DAY, True, True),  # a channel is renewed before it ends
        (6 * DAY, True, True),
    ],
)
def test_when_a_channel_is_opened(
    found: CalendarLink, ahead: timedelta | None, with_channel: bool, is_due: bool
) -> None:
    at = watched(found, push_next_at=None if ahead is None else now() + ahead)
    if with_channel:
        channel(found)
        channel(found, "another", expires_at=now() + 30 * DAY)
    assert channels._due() == ([at] if is_due else [])


def test_no_channel_is_opened_that_cannot_work(found: CalendarLink, settings: Any) -> None:
    at = watched(found)
    for state in LinkState:
        CalendarLink.objects.update(state=state)
        assert channels._due() == ([at] if state in WORKS else [])
    CalendarLink.objects.update(state=LinkState.ACTIVE)
    WatchedCalendar.objects.update(unwatchable=True)
    assert channels._due() == []
    WatchedCalendar.objects.update(unwatchable=False)
    settings.PUSH_ADDRESS = ""
    assert channels._due() == []


def test_a_few_at_a_time_those_that_never_had_one_first(found: CalendarLink) -> None:
    for minutes in range(channels.AT_ONCE):
        watched(found, f"had {minutes}", push_next_at=now() - minutes * MINUTE)
    new = watched(found, "new")
    due = channels._due()
    assert len(due) == channels.AT_ONCE
    assert due[0] == new
    assert [at.calendar_id for at in due[1:]] == ["had 3", "had 2", "had 1"]


@pytest.mark.parametrize(
    ("changes", "is_surplus"),
    [
        ({}, False),
        ({"expires_at_in": SECOND}, False),
        ({"expires_at_in": timedelta()}, True),
        ({"expires_at": None, "opened": UNANSWERED - SECOND}, False),  # Google may still answer
        ({"expires_at": None, "opened": UNANSWERED + SECOND}, True),
        ({"expires_at": None, "opened": -UNANSWERED}, True),  # of a clock that was wrong
        ({"opened": 9 * DAY}, False),
        ({"calendar_id": "no longer read"}, True),
    ],
)
def test_which_channels_are_stopped(
    found: CalendarLink, changes: dict[str, Any], is_surplus: bool
) -> None:
    watched(found)
    more = {k: v for k, v in changes.items() if k in ("expires_at", "calendar_id")}
    if "expires_at_in" in changes:
        more["expires_at"] = now() + changes["expires_at_in"]
    if "opened" in changes:
        more["created_at"] = now() - changes["opened"]
    made = channel(found, **more)
    assert channels._surplus() == ([made] if is_surplus else [])


@pytest.mark.parametrize("state", LinkState)
def test_a_link_that_ends_keeps_no_channel(found: CalendarLink, state: LinkState) -> None:
    watched(found)
    made = channel(found)
    CalendarLink.objects.update(state=state)
    ends = state in (LinkState.UNLINKING, LinkState.UNLINKED)
    assert channels._surplus() == ([made] if ends else [])


def test_of_two_channels_of_a_calendar_the_one_that_ends_last_stays(found: CalendarLink) -> None:
    watched(found)
    watched(found, "b")
    older = channel(found, expires_at=now() + 2 * DAY, created_at=now())
    channel(found, created_at=now() - DAY)
    channel(found, "b", expires_at=now() + 9 * DAY)
    assert channels._surplus() == [older]
    PushChannel.objects.update(expires_at=now() + 5 * DAY)  # they end together
    assert [made.created_at for made in channels._surplus()] == [now() - DAY]


def test_where_google_cannot_reach_us_no_channel_stays(found: CalendarLink, settings: Any) -> None:
    settings.PUSH_ADDRESS = ""
    watched(found)
    made = [channel(found, created_at=now() - n * HOUR) for n in range(channels.AT_ONCE + 1)]
    assert channels._surplus() == made[:0:-1]


@pytest.mark.parametrize(
    ("lasts", "least", "most"),
    [(10 * DAY, 7 * DAY, 8.5 * DAY), (MINUTE, MINUTE, MINUTE), (-HOUR, MINUTE, MINUTE)],
)
def test_a_channel_is_renewed_well_before_its_end(
    lasts: timedelta, least: timedelta, most: timedelta
) -> None:
    ahead = [channels._renewal(now(), now() + lasts) - now() for _ in range(100)]
    assert all(least <= one <= most for one in ahead)
    assert max(ahead) - min(ahead) >= (most - least) / 2


def test_two_that_begin_at_once_open_one_channel(found: CalendarLink) -> None:
    at = watched(found, push_next_at=now() - HOUR)
    first, second = channels._record(at, "one"), channels._record(at, "two")
    assert first is not None
    assert second is None
    assert (first.calendar_id, first.expires_at, first.created_at) == ("a", None, now())
    assert WatchedCalendar.objects.get().push_next_at == now() + RETRY


def test_where_the_last_channel_went_polling_goes_on_at_once(found: CalendarLink) -> None:
    later = now() + HOUR
    watched(found, is_net=True)
    WatchedCalendar.objects.update(next_read_at=later)
    one, two = channel(found), channel(found)
    channel(found, "another")
    channels._note_stopped(one)
    at = WatchedCalendar.objects.get()
    assert (at.is_net, at.next_read_at) == (True, later)
    PushChannel.objects.filter(pk=two.pk).update(expires_at=now())
    third = channel(found)
    channels._note_stopped(third)
    at.refresh_from_db()
    assert (at.is_net, at.next_read_at) == (False, now())
    WatchedCalendar.objects.update(next_read_at=later)
    channels._note_stopped(two)
    at.refresh_from_db()
    assert at.next_read_at == later  # polling goes on already


def test_which_calendars_google_reports_on(found: CalendarLink) -> None:
    channel(found, "lives", expires_at=now() + SECOND)
    channel(found, "ended", expires_at=now())
    channel(found, "not answered", expires_at=None)
    assert are_pushed(found) == {"lives"}
