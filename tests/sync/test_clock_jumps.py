"""The server's clock was wrong and is set right: nobody is booked twice, nothing waits for it.

What happens `by_a_wrong_clock` is done by one that is off by so much; then time is right again.
Google's clock was right all along.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.db.models.functions import Now

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Appointment
from sophiie.busy_time.knowledge import Freshness
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link import lease
from sophiie.calendar_link.models import MIRRORING, CalendarLink
from sophiie.common.clock import now
from sophiie.common.clock_jumps import ClockWatch
from sophiie.common.reasons import Reason, columns
from sophiie.common.wall_time import in_zone, start_of_day
from sophiie.sync.due import QUOTA_ZONE
from sophiie.sync.inbound import calendars, channels, poll_claim, poller
from sophiie.sync.inbound.webhook import _ask_for_reading
from sophiie.sync.messages import DAY_USED_UP, READ_LATER
from sophiie.sync.models import MirroredEvent, PushChannel, QuotaBucket, WatchedCalendar
from sophiie.sync.outbound.sweep import wake_due_links
from sophiie.sync.outbox.record import redraw
from sophiie.sync.quota.buckets import PROJECT, Urgency, take
from tests.clock_jumps import AHEAD, ahead_and_behind, ahead_of_time, by_a_wrong_clock
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, read_all, read_due, sweep_once
from tests.sync.busy_calendars import busy_times, event, hour, knowledge
from tests.sync.drifting import ALICE, mirrored

pytestmark = pytest.mark.django_db(transaction=True)


# Reading and booking


@ahead_and_behind
@pytest.mark.parametrize("polled", [True, False])
def test_nobody_is_booked_over_an_event_that_is_added_after_the_jump(
    alice: Member, google: RunningSimulator, off: timedelta, polled: bool
) -> None:
    with by_a_wrong_clock(off):
        link(alice, google)
        mirrored(alice)
        read_all()
    event(google, tomorrow_at(5))
    if polled:
        assert knowledge(alice).state != Freshness.FRESH or off < timedelta()
        assert read_due() == [True] or timedelta() > off > timedelta(minutes=-30)
    with pytest.raises(Conflict):
        book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    assert busy_times(alice) == [hour(tomorrow_at(5))]
    assert knowledge(alice).state == Freshness.FRESH
    book(by=alice, details=details(start=tomorrow_at(9)), assignees=[alice])
    drain_all()
    assert not MirroredEvent.objects.exclude(state="synced").exists()


@ahead_of_time
def test_what_is_known_of_the_future_is_never_fresh(
    alice: Member, google: RunningSimulator, off: timedelta
) -> None:
    with by_a_wrong_clock(off):
        link(alice, google)
        assert knowledge(alice).state == Freshness.FRESH
    assert knowledge(alice).state == Freshness.STALE
    BusyCalendar.objects.update(problem="It could not be read.")
    assert knowledge(alice).state == Freshness.UNREADABLE


@ahead_of_time
def test_a_calendar_whose_reading_failed_is_read_at_once(
    alice: Member, google: RunningSimulator, off: timedelta
) -> None:
    link(alice, google)
    with by_a_wrong_clock(off):
        google.fault(method="calendar.events.list", status=503, count=1)
        assert read_all() == [False]
    assert read_due() == [True]
    assert read_due() == []


@ahead_of_time
def test_a_net_that_a_wrong_clock_put_under_a_channel_is_no_reason_to_wait(
    alice: Member, google: RunningSimulator, settings: object, off: timedelta
) -> None:
    settings.PUSH_ADDRESS = "http://127.0.0.1:9/none"  # type: ignore[attr-defined]
    found = link(alice, google)
    PushChannel.objects.create(
        link=found,
        calendar_id=ALICE,
        token_digest="x",
        created_at=now(),
        expires_at=now() + timedelta(days=500),
        proved_at=now(),
    )
    with by_a_wrong_clock(off):
        assert read_all() == [True]
        assert WatchedCalendar.objects.get().is_net
        assert read_due() == []
    assert read_due() == [True]
    assert read_due() == []


@pytest.mark.parametrize("off", [timedelta(hours=1, minutes=1), *AHEAD[2:]], ids=str)
def test_a_calendar_that_google_wants_left_alone_waits_no_longer_than_google_said(
    alice: Member, google: RunningSimulator, off: timedelta
) -> None:
    link(alice, google)
    with by_a_wrong_clock(off):
        google.fault(
            method="calendar.events.list",
            status=429,
            reason="rateLimitExceeded",
            domain="usageLimits",
            retry_after=3600,
            count=1,
        )
        assert read_all() == [False]
        assert read_due() == []
    assert read_due() == [True]


@ahead_of_time
def test_a_used_up_day_ends_with_the_day_that_it_is(
    alice: Member, google: RunningSimulator, off: timedelta
) -> None:
    link(alice, google)
    today = in_zone(now(), QUOTA_ZONE).date()
    with by_a_wrong_clock(off):
        google.fault(
            method="calendar.events.list", status=403, reason="dailyLimitExceeded", count=1
        )
        assert read_all() == [False]
        is_another_day = in_zone(now(), QUOTA_ZONE).date() != today
    assert read_due() == ([True] if is_another_day else [])
    midnight = start_of_day(today + timedelta(days=1), QUOTA_ZONE)
    with time_machine.travel((midnight + timedelta(minutes=6)).timestamp(), tick=True):
        assert read_due() == [True]


@pytest.mark.parametrize("reason", [READ_LATER, DAY_USED_UP], ids=lambda reason: reason.code)
def test_only_the_code_of_a_stored_reason_lets_a_calendar_wait_longer_than_others(
    alice: Member, google: RunningSimulator, reason: Reason
) -> None:
    link(alice, google)
    later = now() + poll_claim.longest_interval() + timedelta(minutes=1)
    watched = WatchedCalendar.objects.all()
    watched.update(next_read_at=later, **columns(WatchedCalendar, "error", reason))
    assert read_due() == []
    watched.update(error="The words of another release.")
    assert read_due() == []
    watched.update(error=str(reason), error_reason={})
    assert read_due() == [True]


def test_a_message_of_google_is_heeded_though_the_last_reading_seems_to_be_ahead(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    WatchedCalendar.objects.update(
        read_at=now() + timedelta(hours=10), next_read_at=now() + timedelta(minutes=4)
    )
    _ask_for_reading(PushChannel(link=found, calendar_id=ALICE))
    assert WatchedCalendar.objects.get().next_read_at <= now() + poll_claim.PAUSE


def test_who_waits_for_a_reading_is_not_content_with_one_that_seems_to_be_ahead(
    alice: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(alice, google)
    event(google, tomorrow_at(5))
    WatchedCalendar.objects.update(
        read_at=now() + timedelta(hours=10), reading_until=Now() + poll_claim.POLLING.lasts
    )
    begin, asked = poll_claim.begin, []

    def freed_at_the_second_look(*words: object, **more: object) -> object:
        asked.append(True)
        if len(asked) == 2:
            WatchedCalendar.objects.update(reading_until=None)
        return begin(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(poll_claim, "begin", freed_at_the_second_look)
    assert read_all() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(5))]


# Claims and leases: the database's clock decides


@ahead_and_behind
def test_a_jump_of_our_clock_takes_nobodys_lease_or_claim(
    alice: Member, google: RunningSimulator, off: timedelta
) -> None:
    found = link(alice, google)
    WatchedCalendar.objects.update(next_read_at=now() - timedelta(days=400))
    assert poll_claim.begin(found.id, ALICE, only_due=False) is not None
    assert lease._take(found.id, MIRRORING)
    with by_a_wrong_clock(off):
        assert poll_claim.begin(found.id, ALICE, only_due=False) is None
        assert not lease._take(found.id, MIRRORING)
        assert lease._is_held(found.id)


@ahead_of_time
def test_what_a_clock_of_the_database_left_behind_binds_nobody(
    alice: Member, google: RunningSimulator, off: timedelta
) -> None:
    """The database's own clock was set back, and whoever held these is dead."""
    found = link(alice, google)
    book(by=alice, details=details(), assignees=[alice])
    CalendarLink.objects.update(
        lease_holder=alice.id, lease_until=Now() + off, refreshing_until=Now() + off
    )
    WatchedCalendar.objects.update(reader=alice.id, reading_until=Now() + off)
    CalendarLink.objects.update(access_token="", access_token_expires_at=None)
    WatchedCalendar.objects.update(next_read_at=now())
    assert wake_due_links() == [found.id]
    drain_all()
    assert MirroredEvent.objects.get().state == "synced"
    assert read_due() == [True]


# Writing


@ahead_of_time
@pytest.mark.parametrize(
    ("status", "reason"),
    [(503, "backendError"), (403, "quotaExceeded"), (403, "rateLimitExceeded"), (400, "invalid")],
)
def test_what_waits_for_its_next_attempt_goes_on_at_once(
    alice: Member, google: RunningSimulator, off: timedelta, status: int, reason: str
) -> None:
    link(alice, google, read=False)
    with by_a_wrong_clock(off):
        book(by=alice, details=details(), assignees=[alice])
        google.fault(
            method="calendar.events.insert",
            status=status,
            reason=reason,
            domain="usageLimits" if status == 403 else "global",
            # Where a detail may be at fault, it is tried once more without it.
            count=2 if status == 400 else 1,
        )
        drain_all()
        assert MirroredEvent.objects.get().state != "synced"
    sweep_once()
    drain_all()
    assert MirroredEvent.objects.get().state == "synced"
    assert len(google.events(ALICE)) == 1


@ahead_of_time
def test_a_change_after_the_jump_is_sent_at_once(
    alice: Member, google: RunningSimulator, off: timedelta
) -> None:
    """Not gathered with a write that seems to be still to come."""
    link(alice, google, read=False)
    with by_a_wrong_clock(off):
        appointment = mirrored(alice)
    with transaction.atomic():
        redraw(Appointment.objects.get(pk=appointment.pk))
    assert MirroredEvent.objects.get().next_attempt_at <= now()  # type: ignore[operator]


def test_a_bucket_refills_after_the_jump(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google, read=False)
    for scope in (f"user:{found.google_sub}", PROJECT):
        QuotaBucket.objects.update_or_create(
            scope=scope, defaults={"level": 0, "counted_at": now() + timedelta(hours=10)}
        )
    assert not take(found.id, Urgency.BACKFILL)
    take(found.id, Urgency.MADE)
    with time_machine.travel((now() + timedelta(minutes=1)).timestamp(), tick=True):
        assert take(found.id, Urgency.BACKFILL)


# Channels


def test_a_renewal_that_lies_beyond_its_channels_end_is_done_now(
    alice: Member, google: RunningSimulator, settings: object
) -> None:
    settings.PUSH_ADDRESS = "http://127.0.0.1:9/none"  # type: ignore[attr-defined]
    found = link(alice, google)
    WatchedCalendar.objects.update(push_next_at=now() + timedelta(days=3))
    assert len(channels._due()) == 1
    channel = PushChannel.objects.create(
        link=found,
        calendar_id=ALICE,
        token_digest="x",
        created_at=now(),
        expires_at=now() + timedelta(days=5),
    )
    assert channels._due() == []
    # By Google's clock the later one ends later, whatever ours said when it was opened.
    older = PushChannel.objects.create(
        link=found,
        calendar_id=ALICE,
        token_digest="y",
        created_at=now() + timedelta(hours=10),
        expires_at=now() + timedelta(days=4),
    )
    assert channels._surplus() == [older]
    assert channel


# The log says it


@ahead_and_behind
def test_a_jump_is_said_once(off: timedelta, caplog: pytest.LogCaptureFixture) -> None:
    with time_machine.travel(now().timestamp(), tick=True) as clock:
        watch = ClockWatch()
        assert watch.jump() == 0
        clock.shift(off)
        assert watch.jump() == pytest.approx(off.total_seconds(), abs=1)
        assert watch.jump() == 0


def test_a_jump_back_makes_everything_due(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    assert poller.due_links() == []
    calendars.poll_all_soon()
    assert len(poller.due_links()) == 1
    assert not calendars.were_polled_ahead_of_now()
    with by_a_wrong_clock(timedelta(minutes=-5)):
        assert calendars.were_polled_ahead_of_now()
