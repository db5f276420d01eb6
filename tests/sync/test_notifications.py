"""What a notification does to its channel and calendar, and which copies a booking finds too old:
what the database says, without Google."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.counters import Notification, counted
from sophiie.sync.inbound.channels import digest
from sophiie.sync.inbound.poll_claim import PAUSE, READABLE
from sophiie.sync.inbound.refresh import MARGIN_SECONDS, _links_with_old_copies
from sophiie.sync.inbound.webhook import MAX_HEADER, take_notification
from sophiie.sync.jobs import POLL
from sophiie.sync.models import PushChannel, WatchedCalendar
from tests.busy import calendar_of
from tests.linking import link_row

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clock_stands")]
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.fixture
def found(alice: Member) -> CalendarLink:
    return link_row(alice)


@pytest.fixture
def at(found: CalendarLink) -> WatchedCalendar:
    return WatchedCalendar.objects.create(link=found, calendar_id="a", next_read_at=now() + HOUR)


@pytest.fixture
def channel(found: CalendarLink, at: WatchedCalendar) -> PushChannel:
    return PushChannel.objects.create(
        link=found,
        calendar_id="a",
        token_digest=digest("secret"),
        resource_id="r",
        created_at=now() - HOUR,
        missed=1,
    )


def jobs() -> int:
    """How many polls workers are asked for."""
    return ProcrastinateJob.objects.filter(task_name=POLL, status="todo").count()


def take(channel: PushChannel, **changes: str) -> bool:
    plain = {
        "channel_id": str(channel.pk),
        "token": "secret",
        "resource_id": "r",
        "state": "exists",
    }
    return take_notification(**{**plain, **changes})


@pytest.mark.parametrize(
    ("changes", "answer", "counts"),
    [
        ({}, True, Notification.TAKEN),
        ({"token": "guessed"}, False, Notification.REFUSED),
        ({"resource_id": "another"}, False, Notification.REFUSED),
        ({"resource_id": ""}, False, Notification.REFUSED),
        ({"token": "x" * MAX_HEADER}, False, Notification.REFUSED),
        ({"token": "x" * (MAX_HEADER + 1)}, False, None),  # nobody computes a digest of that
        ({"channel_id": "x" * MAX_HEADER}, False, None),
        ({"channel_id": str(UUID(int=1))}, True, None),  # one that was stopped
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_message_counts_with_the_secret_of_its_channel(
    channel: PushChannel,
    changes: dict[str, str],
    answer: bool,
    counts: Notification | None,
) -> None:
    assert take(channel, **changes) is answer
    assert list(counted()) == ([counts] if counts else [])
    is_taken = counts == Notification.TAKEN
    assert jobs() == is_taken
    channel.refresh_from_db()
    assert (channel.messages, channel.missed) == ((1, 0) if is_taken else (0, 1))
    assert channel.proved_at == (now() if is_taken else None)


def test_before_google_has_answered_any_name_of_what_is_watched_will_do(
    channel: PushChannel,
) -> None:
    PushChannel.objects.update(resource_id="")
    assert take(channel, resource_id="whatever")
    assert jobs() == 1


def test_the_first_message_proves_the_channel_and_reports_nothing(
    channel: PushChannel, at: WatchedCalendar
) -> None:
    assert take(channel, state="sync")
    channel.refresh_from_db()
    assert (channel.proved_at, channel.messages, channel.missed) == (now(), 0, 1)
    at.refresh_from_db()
    assert (at.next_read_at, at.told_at, jobs()) == (now() + HOUR, None, 0)
    PushChannel.objects.update(proved_at=now() - HOUR)
    assert take(channel)
    channel.refresh_from_db()
    assert channel.proved_at == now() - HOUR


@pytest.mark.parametrize(
    ("read_ago", "soon"),
    [
        (None, timedelta()),
        (HOUR, timedelta()),
        (PAUSE, timedelta()),
        (PAUSE / 2, PAUSE / 2),
        (timedelta(), PAUSE),
        (-HOUR, PAUSE),  # of a clock that was ahead
    ],
)
def test_a_change_is_read_at_once_but_not_twice_at_a_time(
    channel: PushChannel,
    at: WatchedCalendar,
    read_ago: timedelta | None,
    soon: timedelta,
) -> None:
    WatchedCalendar.objects.update(read_at=None if read_ago is None else now() - read_ago)
    assert take(channel)
    at.refresh_from_db()
    assert at.next_read_at == now() + soon
    assert (at.told_at, jobs()) == (now(), 1)


@pytest.mark.parametrize(("ahead", "asks"), [(PAUSE, False), (PAUSE + SECOND, True)])
def test_what_is_due_anyway_is_not_asked_for_again(
    channel: PushChannel, at: WatchedCalendar, ahead: timedelta, asks: bool
) -> None:
    WatchedCalendar.objects.update(next_read_at=now() + ahead, told_at=now() - HOUR)
    assert take(channel)
    at.refresh_from_db()
    assert jobs() == asks
    assert at.next_read_at == (now() if asks else now() + ahead)
    assert at.told_at == now() - HOUR  # the first message since the last poll


# -- before a booking ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "is_old"),
    [
        (None, True),
        (timedelta(), False),
        (timedelta(seconds=100 - MARGIN_SECONDS), False),
        (timedelta(seconds=101 - MARGIN_SECONDS), True),  # it would be too old when it is looked at
        (-SECOND, True),  # read by a clock that was ahead
    ],
)
@pytest.mark.parametrize("state", [LinkState.ACTIVE, LinkState.NEEDS_RECONNECT])
def test_before_a_booking_old_copies_are_read_where_they_can_be(
    found: CalendarLink,
    bob: Member,
    settings: Any,
    age: timedelta | None,
    is_old: bool,
    state: LinkState,
) -> None:
    settings.BUSY_MAX_AGE_SECONDS = 100
    CalendarLink.objects.update(state=state)
    calendar_of(found.member, age=timedelta())
    calendar_of(found.member, age=age)
    expected = [found.id] if is_old and state in READABLE else []
    assert _links_with_old_copies([found.member_id, bob.id]) == expected
    assert _links_with_old_copies([bob.id]) == []


def test_where_no_age_is_accepted_everything_is_read(found: CalendarLink, settings: Any) -> None:
    settings.BUSY_MAX_AGE_SECONDS = 1
    calendar_of(found.member, age=timedelta())
    assert _links_with_old_copies([found.member_id]) == []
    calendar_of(found.member, age=SECOND)
    assert _links_with_old_copies([found.member_id]) == [found.id]
