"""Channels: opened, renewed, lost, stopped."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.unlink import end_link, unlink, unlink_and_remove
from sophiie.common.clock import now
from sophiie.google.app import google_session
from sophiie.ops.status import report
from sophiie.sync.inbound import channels
from sophiie.sync.models import PushChannel, WatchedCalendar
from sophiie.sync.reports.polls import polls_of
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all, read_all, read_due
from tests.sync.busy_calendars import busy_times, calendar_named, choose, event, hour, link_with
from tests.sync.drifting import ALICE
from tests.sync.pushing import answers, due, open_channels, tend

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reachable")]


# Opened


def test_a_channel_for_every_calendar_that_is_read(alice: Member, google: RunningSimulator) -> None:
    family = str(google.create_calendar(ALICE, "Family")["id"])
    link_with(alice, google, family)
    tend()
    assert {channel["calendar_id"] for channel in open_channels(google)} == {ALICE, family}
    assert all(reading.is_pushed for reading in polls_of(CalendarLink.objects.get()))
    google.clear_calls()
    tend()
    assert google.calls() == []


def test_the_secret_of_a_channel_is_not_kept(
    pushed: CalendarLink, google: RunningSimulator
) -> None:
    (channel,) = open_channels(google)
    row = PushChannel.objects.get()
    assert str(row.id) == channel["id"]
    assert len(channel["token"]) >= 32
    assert channel["token"] not in str(PushChannel.objects.values())
    assert row.token_digest == channels.digest(channel["token"])
    assert row.resource_id == channel["resource_id"]


def test_the_first_message_may_come_before_the_answer(
    alice: Member, google: RunningSimulator
) -> None:
    google.switch(sync_message="before_answer")
    link(alice, google)
    tend()
    assert answers(google, "sync") == [204]
    assert len(open_channels(google)) == 1


def test_what_changed_before_the_channel_worked_is_read(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    read_all()
    event(google, tomorrow_at(3))
    tend()
    assert due()
    read_due()
    assert busy_times(alice) == [hour(tomorrow_at(3))]


def test_without_https_nothing_is_opened(
    alice: Member, google: RunningSimulator, settings: Any
) -> None:
    settings.PUSH_ADDRESS = ""
    link(alice, google)
    google.clear_calls()
    tend()
    assert google.calls() == []
    assert not PushChannel.objects.exists()


def test_a_calendar_without_notifications_is_polled_and_not_asked_again(
    alice: Member, google: RunningSimulator
) -> None:
    holidays = next(c["id"] for c in google.calendars(ALICE) if "holiday" in c["id"])
    link_with(alice, google, holidays)
    google.clear_calls()
    tend()
    WatchedCalendar.objects.update(push_next_at=now())
    tend()
    watches = google.calls(method="calendar.events.watch", calendar_id=holidays)
    assert [call["status"] for call in watches] == [400]
    assert set(PushChannel.objects.values_list("calendar_id", flat=True)) == {ALICE}
    assert "sends no notifications" in report()
    assert read_all() == [True]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
def test_a_refusal_breaks_nothing_and_is_tried_again_later(
    alice: Member, google: RunningSimulator, status: int
) -> None:
    linked = link(alice, google)
    google.fault(method="calendar.events.watch", status=status, reason="push.webhookUrlNotHttps")
    tend()
    google.clear_faults()
    google.clear_calls()
    tend()
    assert google.calls() == []
    linked.refresh_from_db()
    assert linked.state in (LinkState.ACTIVE, LinkState.BACKFILLING)
    assert not PushChannel.objects.exists()
    WatchedCalendar.objects.update(push_next_at=now())
    tend()
    assert len(open_channels(google)) == 1


def test_two_workers_open_one_channel(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)

    async def two() -> None:
        async with google_session() as http:
            await asyncio.gather(channels.tend(http), channels.tend(http))

    async_to_sync(two)()
    assert len(open_channels(google)) == 1


# Renewed, lost, stopped


def test_renewed_before_it_ends_the_new_one_first(
    pushed: CalendarLink, google: RunningSimulator
) -> None:
    old = PushChannel.objects.get()
    at = WatchedCalendar.objects.get()
    assert old.expires_at is not None
    assert at.push_next_at is not None
    assert now() + timedelta(days=4) < at.push_next_at < old.expires_at - timedelta(hours=12)
    WatchedCalendar.objects.update(push_next_at=now())
    tend()
    assert len(open_channels(google)) == 2
    tend()
    (channel,) = open_channels(google)
    assert channel["id"] != str(old.id)
    assert PushChannel.objects.get().id != old.id
    methods = [call["method"].rpartition("calendar.")[2] for call in google.calls(method="*")]
    assert [m for m in methods if "list" not in m] == ["events.watch", "channels.stop"]


def test_a_channel_that_ended_while_nobody_cared_is_opened_again(
    pushed: CalendarLink, google: RunningSimulator
) -> None:
    past = now() - timedelta(minutes=1)
    PushChannel.objects.update(expires_at=past)
    WatchedCalendar.objects.update(push_next_at=past)
    assert not polls_of(pushed)[0].is_pushed
    tend()
    tend()
    assert polls_of(pushed)[0].is_pushed
    assert PushChannel.objects.count() == 1


def test_a_channel_that_was_never_answered_is_forgotten(
    pushed: CalendarLink, google: RunningSimulator
) -> None:
    PushChannel.objects.create(
        link=pushed, calendar_id=ALICE, token_digest="x", created_at=now() - timedelta(hours=1)
    )
    tend()
    assert PushChannel.objects.count() == 1
    assert len(open_channels(google)) == 1


def test_an_unticked_calendar_is_watched_no_more(alice: Member, google: RunningSimulator) -> None:
    family = str(google.create_calendar(ALICE, "Family")["id"])
    link_with(alice, google, family)
    tend()
    choose(alice, ALICE)
    tend()
    assert [channel["calendar_id"] for channel in open_channels(google)] == [ALICE]


def test_unlinking_stops_the_channels_before_the_keys_are_gone(
    pushed: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    assert async_to_sync(unlink)(member=alice) is True
    assert open_channels(google) == []
    assert not PushChannel.objects.exists()
    methods = [call["method"] for call in google.calls()]
    assert methods.index("calendar.channels.stop") < methods.index("oauth.revoke")


def test_unlinking_does_not_wait_for_google(
    pushed: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.channels.stop", status=503)
    assert async_to_sync(unlink)(member=alice) is True
    assert not PushChannel.objects.exists()


def test_who_removes_events_first_is_watched_no_more(
    pushed: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    book(by=alice, details=details(), assignees=[alice])
    drain_all()
    assert unlink_and_remove(member=alice)
    tend()
    assert open_channels(google) == []


def test_after_an_unlinking_that_nobody_waited_for_nothing_is_called(
    pushed: CalendarLink, google: RunningSimulator
) -> None:
    end_link(pushed.id)
    google.clear_calls()
    tend()
    assert google.calls() == []
    assert not PushChannel.objects.exists()


def test_a_broken_link_opens_nothing(pushed: CalendarLink, google: RunningSimulator) -> None:
    CalendarLink.objects.update(state=LinkState.NEEDS_RECONNECT)
    WatchedCalendar.objects.update(push_next_at=now())
    tend()
    assert google.calls(method="calendar.events.watch") == []


def test_the_settings_page_says_how_each_calendar_is_followed(
    alice: Member, google: RunningSimulator
) -> None:
    rooms = calendar_named(google, "Clinic rooms")
    link_with(alice, google, rooms)
    page = browser_of(alice)
    assert "Sophiie asks every few minutes, less" in page.get("/settings/calendar").content.decode()
    tend()
    assert "Google tells Sophiie of changes" in page.get("/settings/calendar").content.decode()
    assert "by push and polling" in report()
