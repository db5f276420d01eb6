"""What a worker asks every second, and what a person waits for, does not grow with the links.

Counted are the pages of the database that the statements touch, which no other process changes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.clock_laws import follow_clock_laws
from sophiie.appointments.models import Appointment, ZoneRules
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.reminders import send_due_reminders
from sophiie.calendar_link.tokens import mend_what_can_be_read_again
from sophiie.common.clock import now
from sophiie.ops.health import oldest_due_seconds
from sophiie.sync.inbound import channels
from sophiie.sync.inbound.calendars import due_links
from sophiie.sync.models import MirroredEvent, MirrorState, PushChannel, WatchedCalendar
from sophiie.sync.outbound.sweep import try_refused_again, wake_due_links
from sophiie.sync.reports.units import limits
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.many_links.filling import fill
from tests.many_links.looking import cost_of
from tests.mirroring import drain_all

pytestmark = pytest.mark.django_db(transaction=True)
FEW, MANY = 1000, 12_000
NONE = 10**9
# What a look at two hundred rows, and at what belongs to each, may touch at most.
OF_A_PATROL = 1300
ACTS: dict[str, Callable[[], object]] = {
    "calendars that are due": lambda: due_links(4),
    "channels that are due": channels._due,
    "channels too many": channels._surplus,
    "links to wake": wake_due_links,
    "refused events": try_refused_again,
    "clocks": follow_clock_laws,
    "reminders": send_due_reminders,
    "keys that are back": mend_what_can_be_read_again,
    "the oldest that is due": oldest_due_seconds,
    "limits": limits,
}


def test_ten_times_the_links_cost_a_worker_no_more(settings: Any) -> None:
    settings.PUSH_ADDRESS = "https://sophiie.example.com/none"
    fill(0, FEW, each=2, broken_one_in=NONE)
    few = {name: cost_of(act, rounds=1).pages for name, act in ACTS.items()}
    fill(FEW, MANY, each=2, broken_one_in=NONE)
    many = {name: cost_of(act, rounds=1).pages for name, act in ACTS.items()}
    grown = {
        name: (few[name], pages) for name, pages in many.items() if pages > few[name] + OF_A_PATROL
    }
    assert grown == {}


def test_a_calendar_that_lost_its_row_or_was_put_too_far_ahead_is_found_in_its_turn() -> None:
    """Among many, too: each round looks at some more."""
    fill(0, 1000, each=1)
    assert all(due_links() == [] for _ in range(12))
    working = CalendarLink.objects.filter(state=LinkState.ACTIVE).order_by("pk")
    lost, far = working[700], working[800]
    WatchedCalendar.objects.filter(link=lost).delete()
    WatchedCalendar.objects.filter(link=far).update(next_read_at=now() + timedelta(days=3))
    found = {link_id for _ in range(12) for link_id in due_links()}
    assert found == {lost.pk, far.pk}


def test_a_channel_that_nobody_needs_is_found_in_its_turn(settings: Any) -> None:
    settings.PUSH_ADDRESS = "https://sophiie.example.com/none"
    fill(0, 1000, each=1)
    unneeded = PushChannel.objects.order_by("pk")[900]
    WatchedCalendar.objects.filter(link=unneeded.link_id).delete()
    assert {channel for _ in range(12) for channel in channels._surplus()} == {unneeded}


def test_what_was_refused_until_it_was_over_is_looked_at_no_more(
    alice: Member, google: RunningSimulator
) -> None:
    """Else the sweep would look at all of it every second, for ever."""
    from sophiie.appointments.booking import book, change

    link(alice, google)
    appointment = book(by=alice, details=details(), assignees=[alice])
    drain_all()
    an_hour_ago = now() - timedelta(hours=1)
    Appointment.objects.update(start=an_hour_ago - timedelta(hours=1), end=an_hour_ago)
    MirroredEvent.objects.update(state=MirrorState.FAILED, next_attempt_at=an_hour_ago)
    assert try_refused_again() == 0
    row = MirroredEvent.objects.get()
    assert (row.state, row.next_attempt_at) == (MirrorState.FAILED, None)
    change(
        by=alice,
        appointment_id=appointment.id,
        changes={"start": tomorrow_at(3), "end": tomorrow_at(4)},
    )
    assert MirroredEvent.objects.get().state == MirrorState.PENDING


def test_every_zone_of_an_appointment_is_followed(alice: Member) -> None:
    from sophiie.appointments.booking import book

    for hour, zone in enumerate(("Europe/London", "Australia/Sydney", "Asia/Tokyo")):
        book(by=alice, details=details(start=tomorrow_at(2 * hour), timezone=zone), assignees=[])
    follow_clock_laws()
    noted = set(ZoneRules.objects.values_list("name", flat=True))
    assert noted == {"Europe/London", "Australia/Sydney", "Asia/Tokyo"}
    assert not Appointment.objects.exclude(wall_revision=F("revision")).exists()
