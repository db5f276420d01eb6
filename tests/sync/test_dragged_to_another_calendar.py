"""An event of ours that a person dragged into another calendar that Sophiie reads.

It stands for its appointment there, too, and is no busy time as long as it does. When that ends it
stays where it is, nothing happens to it in Google, and no list of changes mentions it: it keeps
whoever reads that calendar busy from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, Covers
from sophiie.series.cancelling import cancel_series
from sophiie.series.scope import Scope
from sophiie.sync.left_in_google import poll_strays_of_nothing
from sophiie.sync.models import MirroredEvent, StrayEvent, WatchedCalendar
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all, due_now, read_all, read_one
from tests.series.making import appointments_of, made
from tests.sync.busy_calendars import busy_times, hour
from tests.sync.drifting import ALICE, mirrored, read_everything
from tests.sync.test_life_of_a_link import JOBS

pytestmark = pytest.mark.django_db(transaction=True)
Act = Callable[[Member, Member, Appointment], object]

ACTS: dict[str, Act] = {
    "cancelled": lambda _, bob, it: cancel(by=bob, appointment_id=it.id),
    "deleted": lambda _, bob, it: delete(by=bob, appointment_id=it.id),
    "moved": lambda _, bob, it: change(
        by=bob, appointment_id=it.id, changes={"start": tomorrow_at(9), "end": tomorrow_at(10)}
    ),
    "lengthened": lambda _, bob, it: change(
        by=bob, appointment_id=it.id, changes={"end": tomorrow_at(3)}
    ),
    "given to others": lambda alice, bob, it: change(
        by=alice, appointment_id=it.id, changes={}, assignees=[alice]
    ),
}


@pytest.fixture
def of_alice(alice: Member, google: RunningSimulator) -> CalendarLink:
    """Alice's link, which reads the calendar into which the event is dragged."""
    return link(alice, google)


@pytest.fixture
def dragged(
    of_alice: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> Appointment:
    """Bob's appointment, the event of which somebody dragged into Alice's calendar."""
    of_bob = link(bob, google, account=ALICE, calendar_id=JOBS)
    CalendarLink.objects.filter(pk=of_bob.pk).update(covers=Covers.ASSIGNED)
    appointment = mirrored(bob, start=tomorrow_at(1))
    drag(google, appointment)
    read_all()
    assert busy_times(alice) == []
    return appointment


def drag(google: RunningSimulator, appointment: Appointment) -> None:
    row = MirroredEvent.objects.get(appointment=appointment, calendar_id=JOBS)
    google.move_event(ALICE, JOBS, row.event_id, ALICE)


def settle() -> None:
    for _ in range(2):
        due_now()
        drain_all()
    read_all()


def must_be_busy(member: Member, start: datetime) -> None:
    assert busy_times(member) == [hour(start)]
    with pytest.raises(Conflict):
        book(by=member, details=details(start=start), assignees=[member])


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("put_back", [True, False])
def test_it_keeps_its_reader_busy_as_soon_as_it_stands_for_nothing(
    dragged: Appointment,
    alice: Member,
    bob: Member,
    google: RunningSimulator,
    put_back: bool,
    act: Act,
) -> None:
    """Also where Sophiie has put its own back, with which nothing is wrong."""
    if put_back:
        change(by=bob, appointment_id=dragged.id, changes={"title": "Boiler"})
        settle()
        assert len(google.events(ALICE, JOBS)) == 1
    act(alice, bob, dragged)
    settle()
    must_be_busy(alice, tomorrow_at(1))
    assert google.event(ALICE, ALICE, stray_of(dragged))["status"] == "confirmed"  # untouched


def stray_of(appointment: Appointment) -> str:
    return MirroredEvent.objects.filter(appointment=appointment).earliest("created_at").event_id


@pytest.mark.parametrize("act", ["cancelled", "deleted", "moved", "lengthened"])
def test_also_after_the_link_that_made_it_has_ended(
    dragged: Appointment, alice: Member, bob: Member, act: str
) -> None:
    browser_of(bob).post("/settings/calendar/unlink", {"events": "keep"})
    settle()
    assert busy_times(alice) == []
    ACTS[act](alice, bob, dragged)
    settle()
    must_be_busy(alice, tomorrow_at(1))


def test_a_visit_of_a_series(
    of_alice: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(bob, google, account=ALICE, calendar_id=JOBS)
    series = made(bob).series
    drain_all()
    visit = appointments_of(series)[1]
    drag(google, visit)
    read_all()
    assert busy_times(alice) == []
    cancel_series(by=bob, series_id=series.id, scope=Scope.ALL)
    settle()
    assert busy_times(alice) == [(visit.start.astimezone(UTC), visit.end.astimezone(UTC))]


def test_it_stands_again_for_an_appointment_that_comes_back(
    dragged: Appointment, alice: Member, bob: Member
) -> None:
    cancel(by=bob, appointment_id=dragged.id)
    settle()
    must_be_busy(alice, tomorrow_at(1))
    reinstate(by=bob, appointment_id=dragged.id)
    settle()
    read_everything()
    assert busy_times(alice) == []
    cancel(by=bob, appointment_id=dragged.id)
    settle()
    must_be_busy(alice, tomorrow_at(1))


def test_without_such_an_event_nobody_reads_more(
    of_alice: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(bob, google, account=ALICE, calendar_id=JOBS)
    appointment = mirrored(bob, start=tomorrow_at(1))
    read_everything()
    assert not StrayEvent.objects.exists()
    cancel(by=bob, appointment_id=appointment.id)
    assert not WatchedCalendar.objects.filter(window_start=None).exists()


def test_what_left_the_calendar_is_forgotten_with_the_next_full_poll(
    dragged: Appointment, alice: Member, google: RunningSimulator
) -> None:
    assert StrayEvent.objects.get().calendar.link.member == alice
    google.delete_event(ALICE, ALICE, stray_of(dragged))
    read_everything()
    assert not StrayEvent.objects.exists()


def test_an_unlinking_forgets_it(dragged: Appointment, alice: Member) -> None:
    browser_of(alice).post("/settings/calendar/unlink", {"events": "keep"})
    assert not StrayEvent.objects.exists()


@pytest.mark.parametrize("end", ["cancelled", "deleted", "begins later", "ends later", "unwanted"])
def test_the_net_finds_what_no_act_reported(
    dragged: Appointment, of_alice: CalendarLink, alice: Member, end: str
) -> None:
    """An act may commit while the poll stores, and neither sees the other."""
    assert poll_strays_of_nothing() == 0
    if end == "unwanted":
        MirroredEvent.objects.filter(appointment=dragged).update(wanted=False)
    else:
        changed = {
            "cancelled": {"status": "cancelled"},
            "deleted": {"deleted_at": tomorrow_at(0)},
            "begins later": {"start": tomorrow_at(1).replace(minute=30)},
            "ends later": {"end": tomorrow_at(3)},
        }
        Appointment.objects.filter(pk=dragged.pk).update(**changed[end])
    assert poll_strays_of_nothing() == 1
    assert poll_strays_of_nothing() == 0  # asked for once
    read_one(of_alice)
    must_be_busy(alice, tomorrow_at(1))
