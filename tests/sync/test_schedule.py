"""When a calendar is polled again: under a channel that works, under one that does not, without."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.sessions import SignedIn
from sophiie.appointments.booking import book
from sophiie.appointments.errors import Conflict, Source
from sophiie.availability.models import WorkingHours
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.sync.counters import Surprise, counted
from sophiie.sync.inbound import attention, rhythm
from sophiie.sync.inbound.attention import is_bookable, note_open_pages
from sophiie.sync.models import MirroredEvent, PushChannel, WatchedCalendar
from sophiie.web.serving import hub as hubs
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, read_all, read_due
from tests.processes import until
from tests.sync.busy_calendars import busy_times, event, hour
from tests.sync.drifting import mirrored, move_in_google
from tests.sync.pushing import answers, open_channels, tend
from tests.sync.test_webhook import message

pytestmark = pytest.mark.django_db(transaction=True)

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ALWAYS = [[["00:00", "00:00"]]] * 7
NEVER: list[list[Any]] = [[]] * 7


def at() -> WatchedCalendar:
    return WatchedCalendar.objects.get()


def pause() -> timedelta:
    return at().next_read_at - now()


def in_(time: timedelta) -> Any:
    return time_machine.travel((now() + time).timestamp(), tick=True)


def calls(google: RunningSimulator) -> int:
    return len(google.calls(method="calendar.events.list"))


@pytest.fixture
def proved(pushed: CalendarLink, google: RunningSimulator) -> CalendarLink:
    """Alice's link, whose channel's first message came and was followed by a poll."""
    until(lambda: PushChannel.objects.get().proved_at, what="the channel is proved")
    assert read_all() == [True]
    google.clear_calls()
    return pushed


# Under a channel


def test_a_calendar_whose_channel_works_is_polled_by_a_net_that_widens(
    proved: CalendarLink, google: RunningSimulator
) -> None:
    assert 0.6 * HOUR < pause() < 1.4 * HOUR
    widths = []
    for _ in range(6):
        with in_(pause() + MINUTE) as clock:
            assert read_due() == [True]
            widths.append(at().net_width)
            ahead = at().next_read_at - now()
            clock.shift(-(now() - proved.created_at))
        WatchedCalendar.objects.update(
            next_read_at=now() + ahead, read_at=now(), window_start=now() - timedelta(days=1)
        )
    assert widths == [n * HOUR for n in (2, 4, 8)] + [rhythm.NET] * 3
    assert timedelta(hours=6) - MINUTE < pause() < timedelta(hours=12) + MINUTE


def test_in_a_quiet_minute_a_living_channel_costs_no_call_however_short_the_interval(
    proved: CalendarLink, google: RunningSimulator, settings: Any
) -> None:
    settings.BUSY_POLL_SECONDS = 5
    assert read_all() == [True]
    google.clear_calls()
    for second in range(5, 65, 5):
        with in_(timedelta(seconds=second)):
            assert read_due() == []
    assert google.calls() == []


@pytest.mark.usefixtures("reachable")
def test_until_its_first_message_a_channel_counts_for_nothing(
    alice: Member, google: RunningSimulator, settings: Any
) -> None:
    settings.BUSY_POLL_SECONDS = 5
    link(alice, google)
    tend()
    until(lambda: answers(google, "sync") == [204], what="the first message came")
    PushChannel.objects.update(proved_at=None)
    assert len(open_channels(google)) == 1
    read_all()
    assert pause() < timedelta(seconds=7)
    event(google, tomorrow_at(3))
    until(lambda: answers(google) == [204], what="a message came")
    until(lambda: PushChannel.objects.get().proved_at, what="that proves it")
    read_all()
    assert pause() > HOUR / 2
    assert PushChannel.objects.get().messages == 1


def test_a_change_that_no_message_announced_narrows_the_net_and_counts_against_the_channel(
    proved: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    WatchedCalendar.objects.update(net_width=rhythm.NET)
    google.push(drop_share=1.0)
    event(google, tomorrow_at(3))
    with in_(HOUR):
        assert read_all() == [True]
        assert 0.6 * HOUR < pause() < 1.4 * HOUR
    assert busy_times(alice) == [hour(tomorrow_at(3))]
    assert at().net_width == rhythm.NARROWEST_NET
    assert PushChannel.objects.get().missed == 1
    assert counted()[Surprise.MISSED].times == 1


def test_a_channel_that_is_silent_although_things_change_is_replaced(
    proved: CalendarLink, google: RunningSimulator, settings: Any
) -> None:
    settings.BUSY_POLL_SECONDS = 5
    google.push(drop_share=1.0)
    (silent,) = open_channels(google)
    for hours in (1, 2):
        event(google, tomorrow_at(hours))
        with in_(hours * HOUR + MINUTE):
            assert read_all() == [True]
            # Nothing may be late because nobody reports it.
            assert pause() < timedelta(seconds=7) or hours == 1
    with in_(2 * HOUR + 2 * MINUTE):
        tend()
        google.push(drop_share=0.0)
        tend()
    (other,) = open_channels(google)
    assert other["id"] != silent["id"]


def test_a_silent_channel_is_not_replaced_before_it_has_lived_for_a_while(
    proved: CalendarLink, google: RunningSimulator
) -> None:
    """Or messages that never arrive would cost more than they can save."""
    google.push(drop_share=1.0)
    planned = at().push_next_at
    for minutes in (10, 20):
        event(google, tomorrow_at(minutes // 10))
        with in_(minutes * MINUTE):
            assert read_all() == [True]
    assert PushChannel.objects.get().missed == 2
    assert at().push_next_at == planned


def test_a_message_speaks_for_its_channel(proved: CalendarLink, google: RunningSimulator) -> None:
    PushChannel.objects.update(missed=1)
    event(google, tomorrow_at(3))
    until(lambda: PushChannel.objects.get().messages, what="a message came")
    read_due()
    assert PushChannel.objects.get().missed == 0
    assert not {Surprise.MISSED, Surprise.LATE} & counted().keys()


def test_a_message_that_comes_late_narrows_the_net(
    proved: CalendarLink, google: RunningSimulator
) -> None:
    WatchedCalendar.objects.update(net_width=rhythm.NET)
    (channel,) = open_channels(google)
    google.push(drop_share=1.0)
    event(google, tomorrow_at(3))
    with in_(10 * MINUTE):
        assert message(channel).status_code == 204
    with in_(11 * MINUTE):
        assert read_due() == [True]
    assert at().net_width == rhythm.NARROWEST_NET
    assert counted()[Surprise.LATE].times == 1
    assert PushChannel.objects.get().missed == 0


def test_what_we_wrote_ourselves_is_no_news(
    proved: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.push(drop_share=1.0)
    mirrored(alice)
    with in_(HOUR):
        assert read_all() == [True]
    assert at().changed_at is None
    assert PushChannel.objects.get().missed == 0


def test_what_somebody_did_to_our_event_is_news(
    proved: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    read_all()
    google.push(drop_share=1.0)
    WatchedCalendar.objects.update(told_at=None)
    move_in_google(google, appointment)
    with in_(HOUR):
        assert read_all() == [True]
    assert at().changed_at is not None
    assert PushChannel.objects.get().missed == 1


def test_a_booking_reads_at_once_though_the_channel_lives(
    proved: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """The message of this event got lost, and the net is hours away."""
    google.push(drop_share=1.0)
    event(google, tomorrow_at(3))
    with in_(20 * MINUTE):
        assert read_due() == []
        with pytest.raises(Conflict) as caught:
            book(by=alice, details=details(start=tomorrow_at(3)), assignees=[alice])
    assert [obstacle.source for obstacle in caught.value.obstacles] == [Source.GOOGLE]
    assert calls(google) == 1


def test_a_failed_poll_is_tried_again_within_minutes(
    proved: CalendarLink, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.list", status=503, count=1)
    with in_(20 * MINUTE):
        assert read_all() == [False]
        assert pause() < 7 * MINUTE


def test_no_pause_lasts_beyond_the_channel(proved: CalendarLink, google: RunningSimulator) -> None:
    PushChannel.objects.update(expires_at=now() + 10 * MINUTE)
    read_all()
    assert pause() <= 10 * MINUTE


def test_where_the_last_channel_is_stopped_polling_goes_on_at_once(
    proved: CalendarLink, google: RunningSimulator, settings: Any
) -> None:
    settings.PUSH_ADDRESS = ""
    assert read_due() == []
    tend()
    assert not PushChannel.objects.exists()
    assert read_due() == [True]
    assert pause() <= rhythm.SLOWEST * 1.25


def test_an_event_that_could_not_be_judged_is_looked_at_soon(
    proved: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    mirrored(alice)
    MirroredEvent.objects.update(unjudged_etag="another", wanted_revision=9)
    read_all()
    assert pause() <= rhythm.SLOWEST * 1.25
    drain_all()


def test_a_net_never_delays_the_daily_comparison(
    proved: CalendarLink, google: RunningSimulator
) -> None:
    WatchedCalendar.objects.update(
        net_width=rhythm.NET, window_start=now() - timedelta(days=1, hours=17, minutes=50)
    )
    read_all()
    assert pause() < timedelta(hours=6, minutes=15)


# Without a channel


def test_a_change_is_followed_by_a_quick_poll_and_quiet_by_slower_ones(
    alice: Member, google: RunningSimulator
) -> None:
    WorkingHours.objects.create(member=alice, week=NEVER)
    link(alice, google)
    assert 20 * MINUTE < pause() < 40 * MINUTE
    event(google, tomorrow_at(3))
    read_all()
    assert pause() < 80 * timedelta(seconds=1)
    with in_(8 * MINUTE):
        read_all()
        assert 5 * MINUTE < pause() < 11 * MINUTE


def test_without_a_channel_the_interval_that_was_set_is_kept(
    alice: Member, google: RunningSimulator, settings: Any
) -> None:
    settings.BUSY_POLL_SECONDS = 4
    link(alice, google)
    assert pause() <= timedelta(seconds=5)
    with in_(timedelta(seconds=5)):
        assert read_due() == [True]


def test_a_shorter_interval_counts_from_its_first_start_on(
    alice: Member, google: RunningSimulator, settings: Any
) -> None:
    link(alice, google)
    assert read_due() == []
    settings.BUSY_POLL_SECONDS = 4
    assert read_due() == [True]


def test_an_open_page_brings_the_next_poll_forward(alice: Member, google: RunningSimulator) -> None:
    WorkingHours.objects.create(member=alice, week=NEVER)
    link(alice, google)
    note_open_pages([alice.id])
    assert pause() <= rhythm.WHILE_LOOKED_AT
    read_all()
    assert pause() <= rhythm.WHILE_LOOKED_AT * 1.25
    with in_(HOUR):
        read_all()
        assert pause() > rhythm.WHILE_LOOKED_AT * 1.25


def test_a_web_process_notes_whose_pages_are_open(
    alice: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(alice, google)
    monkeypatch.setattr(hubs, "NOTE_SECONDS", 0.01)

    async def until_it_is_noted() -> None:
        hub = hubs.Hub()
        with hub.opened(SignedIn("key", alice.pk, alice.business_id, "")):
            noting = asyncio.create_task(hub._note_open_pages())
            async with asyncio.timeout(60):
                while not (await in_thread(at)).looked_at:
                    await asyncio.sleep(0.01)
            noting.cancel()

    async_to_sync(until_it_is_noted)()
    assert attention.is_looked_at(at(), now())


def test_an_open_page_changes_nothing_under_a_channel(
    proved: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    before = at().next_read_at
    note_open_pages([alice.id])
    assert at().next_read_at == before


def test_who_works_now_or_is_expected_soon_can_be_booked(alice: Member, bob: Member) -> None:
    WorkingHours.objects.create(member=alice, week=ALWAYS)
    WorkingHours.objects.create(member=bob, week=NEVER)
    moment = tomorrow_at(3)
    assert is_bookable(alice.id, moment)
    assert not is_bookable(bob.id, moment)
    book(by=alice, details=details(start=moment + HOUR), assignees=[bob])
    assert is_bookable(bob.id, moment)
    assert not is_bookable(bob.id, moment - 2 * HOUR)


def test_who_can_be_booked_keeps_a_fresh_copy(
    alice: Member, google: RunningSimulator, settings: Any
) -> None:
    WorkingHours.objects.create(member=alice, week=ALWAYS)
    link(alice, google)
    assert pause() < timedelta(seconds=settings.BUSY_MAX_AGE_SECONDS - 5)
