"""Which calendars count, and how long what was read of them lives."""

from __future__ import annotations

import asyncio
import importlib
from itertools import takewhile
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.db import connection

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.busy_time.knowledge import Freshness
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.unlink import end_link, unlink, unlink_and_remove
from sophiie.common.clock import now
from sophiie.common.live import CHANNEL
from sophiie.google import calendar as google_calendar
from sophiie.sync.inbound import poller
from sophiie.sync.models import WatchedCalendar
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, come_back, link
from tests.mirroring import drain_all, read_all, read_due
from tests.sync.busy_calendars import (
    busy_times,
    calendar_named,
    choose,
    event,
    hour,
    knowledge,
    link_with,
)
from tests.sync.drifting import ALICE, calls
from tests.web.pages import parsed

pytestmark = pytest.mark.django_db(transaction=True)


def counting(member: Member) -> set[str]:
    rows = BusyCalendar.objects.filter(member=member)
    return set(rows.values_list("calendar_id", flat=True))


def watched_ids() -> set[str]:
    return set(WatchedCalendar.objects.values_list("calendar_id", flat=True))


# Ticked, unticked, unlinked


def test_ticked_calendars_count_besides_the_chosen_one(
    alice: Member, google: RunningSimulator, family: str
) -> None:
    event(google, tomorrow_at(3))
    link_with(alice, google, family)
    assert read_all() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(3)), hour(tomorrow_at(9))]
    google.clear_calls()
    read_all()
    assert calls(google) == ["list", "list"]


def test_a_calendar_that_is_ticked_later_is_unknown_until_it_is_read(
    alice: Member, google: RunningSimulator, family: str
) -> None:
    link_with(alice, google)
    read_all()
    assert knowledge(alice).state == Freshness.FRESH
    choose(alice, ALICE, family)
    assert knowledge(alice).state == Freshness.UNREADABLE
    read_all()
    assert knowledge(alice).state == Freshness.FRESH
    assert busy_times(alice) == [hour(tomorrow_at(9))]


def test_with_the_tick_goes_all_that_was_read(
    alice: Member, google: RunningSimulator, family: str
) -> None:
    link_with(alice, google, family)
    read_all()
    choose(alice, ALICE)
    assert (counting(alice), watched_ids()) == ({ALICE}, {ALICE})
    assert busy_times(alice) == []


def test_another_chosen_calendar_takes_the_place_of_the_first(
    alice: Member, google: RunningSimulator, family: str
) -> None:
    event(google, tomorrow_at(3))
    link_with(alice, google)
    read_all()
    choose(alice, family)
    assert (counting(alice), watched_ids()) == ({family}, {family})
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(9))]


def test_unlinking_erases_what_was_read(
    alice: Member, google: RunningSimulator, family: str
) -> None:
    link_with(alice, google, family)
    read_all()
    assert async_to_sync(unlink)(member=alice) is True
    assert not BusyCalendar.objects.exists()
    assert not BusyPeriod.objects.exists()
    assert not WatchedCalendar.objects.exists()
    assert knowledge(alice).state == Freshness.NOT_LINKED
    assert "Family" not in str(CalendarLink.objects.values().get())


def test_ticked_calendars_are_called_by_their_names(
    alice: Member, google: RunningSimulator, family: str
) -> None:
    link_with(alice, google, family)
    google.clear_calls()
    names = read_calendars(alice)
    assert names == [ALICE, "Family"]
    assert google.calls() == []
    # Ticked by a version that did not keep names yet: its id says at least which it is.
    CalendarLink.objects.update(busy_calendar_names={})
    assert read_calendars(alice) == [ALICE, family]
    choose(alice, ALICE, family)
    assert read_calendars(alice) == names


def read_calendars(member: Member) -> list[str]:
    """What the Calendar tab calls them."""
    page = parsed(browser_of(member).get("/settings/calendar"))
    section = page.one("section", **{"aria-labelledby": "readings-heading"})
    return [term.words for term in section.all("dt")]


def test_who_unlinks_is_not_asked_while_events_are_removed(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    book(by=alice, details=details(), assignees=[alice])
    drain_all()
    read_all()
    assert unlink_and_remove(member=alice)
    assert knowledge(alice).state == Freshness.NOT_LINKED
    assert read_all() == [False]
    drain_all()
    assert not WatchedCalendar.objects.exists()


def test_a_reading_that_ends_after_the_unlinking_stores_nothing(
    alice: Member, google: RunningSimulator, after_listing: Any
) -> None:
    linked = link(alice, google, read=False)
    event(google, tomorrow_at(3))
    after_listing(lambda: end_link(linked.id))
    assert read_all() == [False]
    assert not BusyCalendar.objects.exists()
    assert not WatchedCalendar.objects.exists()


def test_linked_again_everything_is_read_anew(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    event(google, tomorrow_at(3))
    read_all()
    async_to_sync(unlink)(member=alice)
    link(alice, google)
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(3))]


# Calendars that cannot be read


def test_a_broken_link_keeps_what_was_read_until_it_is_too_old(
    alice: Member, google: RunningSimulator, settings: Any
) -> None:
    linked = link(alice, google)
    event(google, tomorrow_at(3))
    read_all()
    google.revoke_grant(ALICE)
    read_all()
    linked.refresh_from_db()
    assert linked.state == LinkState.NEEDS_RECONNECT
    known = knowledge(alice)
    assert known.state == Freshness.FRESH
    assert known.problem == linked.problem
    assert busy_times(alice) == [hour(tomorrow_at(3))]
    settings.BUSY_MAX_AGE_SECONDS = 0
    assert knowledge(alice).state == Freshness.UNREADABLE
    # Mended, it is read at once.
    settings.BUSY_MAX_AGE_SECONDS = 900
    google.advance_clock(1)
    come_back(browser_of(alice), google)
    assert poller.due_links() == [linked.id]
    assert read_all() == [True]
    assert knowledge(alice).problem == ""


def test_a_ticked_calendar_that_is_gone_is_said_and_does_not_break_the_link(
    alice: Member, google: RunningSimulator, family: str, settings: Any
) -> None:
    linked = link_with(alice, google, family)
    read_all()
    google.delete_calendar(ALICE, family)
    for _ in range(3):
        assert read_all() == [False]
    linked.refresh_from_db()
    assert linked.state == LinkState.ACTIVE
    settings.BUSY_MAX_AGE_SECONDS = 0
    assert knowledge(alice).state == Freshness.UNREADABLE
    assert "not there any more" in knowledge(alice).problem
    assert busy_times(alice) == [hour(tomorrow_at(9))]
    assert "not there any more" in browser_of(alice).get("/settings/calendar").content.decode()
    choose(alice, ALICE)
    read_all()
    settings.BUSY_MAX_AGE_SECONDS = 900
    assert knowledge(alice).state == Freshness.FRESH


def test_a_calendar_that_tells_times_only(alice: Member, google: RunningSimulator) -> None:
    rooms = calendar_named(google, "Clinic rooms")
    event(google, tomorrow_at(3), account="charlie@example.com", calendar_id=rooms)
    event(
        google,
        tomorrow_at(5),
        account="charlie@example.com",
        calendar_id=rooms,
        transparency="transparent",
    )
    link_with(alice, google, rooms)
    assert read_all() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(3))]


def test_one_calendar_that_fails_delays_no_other(
    alice: Member, google: RunningSimulator, family: str
) -> None:
    link_with(alice, google, family)
    event(google, tomorrow_at(3))
    google.fault(method="calendar.events.list", status=503, calendar_id=family)
    assert read_all() == [False]
    assert busy_times(alice) == [hour(tomorrow_at(3))]


def test_only_what_is_due_is_read(alice: Member, google: RunningSimulator, family: str) -> None:
    linked = link_with(alice, google, family)
    read_all()
    WatchedCalendar.objects.filter(calendar_id=family).update(next_read_at=now())
    assert poller.due_links() == [linked.id]
    google.clear_calls()
    read_due()
    assert [call["calendar_id"] for call in google.calls(method="*.list")] == [family]
    assert poller.due_links() == []


def test_a_few_calendars_of_a_link_at_a_time(
    alice: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [str(google.create_calendar(ALICE, f"Calendar {n}")["id"]) for n in range(7)]
    link_with(alice, google, *more)
    running, most = 0, 0
    real = google_calendar.CalendarClient.changes

    async def changes(self: Any, *words: Any, **further: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        async with asyncio.timeout(60):  # the first wait for each other
            while most < poller.CALENDARS_AT_ONCE:
                await asyncio.sleep(0.01)
        try:
            return await real(self, *words, **further)
        finally:
            running -= 1

    monkeypatch.setattr(google_calendar.CalendarClient, "changes", changes)
    assert read_all() == [True]
    assert most == poller.CALENDARS_AT_ONCE
    assert len(counting(alice)) == 8


# Others


def test_open_pages_hear_of_busy_time_when_it_changed(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    read_all()
    connection.ensure_connection()
    wrapped: Any = connection.connection
    wrapped.execute(f"LISTEN {CHANNEL}")

    def heard() -> list[str]:
        """What was said before now; it comes in the order in which it was said."""
        wrapped.execute("SELECT pg_notify(%s, 'now')", [CHANNEL])
        payloads = (n.payload for n in wrapped.notifies(timeout=60))
        return [p for p in takewhile(lambda p: p != "now", payloads) if '"busy"' in p]

    heard()
    read_all()
    assert heard() == []
    event(google, tomorrow_at(3))
    read_all()
    (payload,) = heard()
    assert str(alice.id) in payload
    assert str(alice.business_id) in payload


def test_links_of_an_earlier_version_are_unknown_until_they_are_read(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    WatchedCalendar.objects.all().delete()
    BusyCalendar.objects.all().delete()
    CalendarLink.objects.update(busy_calendar_ids=["team@example.com"])
    migration = importlib.import_module("sophiie.sync.migrations.0008_busy_time")
    migration.count_calendars(apps, None)
    assert counting(alice) == watched_ids() == {ALICE, "team@example.com"}
    assert knowledge(alice).state == Freshness.UNREADABLE


def test_two_members_with_one_account_have_copies_of_their_own(
    alice: Member, charlie: Member, google: RunningSimulator
) -> None:
    event(google, tomorrow_at(3))
    link(alice, google)
    link(charlie, google)
    read_all()
    assert busy_times(alice) == busy_times(charlie) == [hour(tomorrow_at(3))]
    async_to_sync(unlink)(member=alice)
    assert busy_times(alice) == []
    assert busy_times(charlie) == [hour(tomorrow_at(3))]


def test_another_businesss_mirrored_event_is_busy(
    alice: Member, charlie: Member, google: RunningSimulator
) -> None:
    """Whoever works for two has one calendar; each business sees that the other takes time."""
    link(charlie, google)
    book(by=charlie, details=details(start=tomorrow_at(3)), assignees=[charlie])
    drain_all()
    link(alice, google)
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(3))]
    assert busy_times(charlie) == []


def test_a_guests_copy_is_ours(alice: Member, bob: Member, google: RunningSimulator) -> None:
    """Assignees without a link are guests; who links later finds the copy in their calendar."""
    google.switch(guests_with_updates_none="see_it")
    link(alice, google)
    book(by=alice, details=details(start=tomorrow_at(3)), assignees=[alice, bob])
    drain_all()
    link(bob, google, account="bob@example.com")
    assert google.events("bob@example.com")
    read_all()
    assert busy_times(bob) == []


def test_knowing_is_counted_from_when_google_was_asked(
    alice: Member, google: RunningSimulator, after_listing: Any
) -> None:
    link(alice, google)
    answered = []
    after_listing(lambda: answered.append(now()))
    read_all()
    checked_at = knowledge(alice).checked_at
    assert checked_at is not None
    assert checked_at < answered[0]
