"""What the machine found, as plain tests: each failed before the product was mended."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change, delete
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import LinkState
from sophiie.sync.models import MirroredEvent, MirrorState
from tests.conftest import details
from tests.convergence.worker import Hand, leases_run_out, pauses_pass, watched_threads, work
from tests.linking import browser_of, come_back, link

pytestmark = pytest.mark.django_db(transaction=True)
ALICE, BOB = "alice@example.com", "bob@example.com"
CLINIC = "clinic@group.calendar.google.com"


@pytest.fixture
def at_the_clinic(bob: Member, google: RunningSimulator) -> Appointment:
    """Bob's appointment, shown in a calendar that Charlie shares with him."""
    link(bob, google, account=BOB, calendar_id=CLINIC)
    appointment = book(by=bob, details=details(), assignees=[bob])
    work()
    assert titles(google) == ["Leaking tap"]
    return appointment


def titles(google: RunningSimulator, account: str = BOB, calendar: str = CLINIC) -> list[str]:
    return [event["summary"] for event in google.events(account, calendar)]


def work_for_long() -> None:
    for _ in range(5):
        pauses_pass()
        work()


def out_of_sight_until_asked(google: RunningSimulator, bob: Member) -> None:
    """The calendar is not shared any more; Sophiie asks; it is shared again and Bob reconnects."""
    google.set_role(BOB, CLINIC, None)
    work_for_long()
    found = link_of(bob)
    assert found is not None
    assert found.state == LinkState.NEEDS_RECONNECT
    google.set_role(BOB, CLINIC, "writer")
    come_back(browser_of(bob), google, account=BOB)
    work_for_long()


def test_a_calendar_out_of_sight_for_a_while_does_not_double_its_events(
    at_the_clinic: Appointment, bob: Member, google: RunningSimulator
) -> None:
    """404 to the patch was taken for a purged event, which got another id."""
    change(by=bob, appointment_id=at_the_clinic.id, changes={"title": "Changed"})
    out_of_sight_until_asked(google, bob)
    assert titles(google) == ["Changed"]


def test_cancelled_while_the_calendar_is_out_of_sight_goes_when_it_is_back(
    at_the_clinic: Appointment, bob: Member, google: RunningSimulator
) -> None:
    """404 to the deletion was taken for done."""
    delete(by=bob, appointment_id=at_the_clinic.id)
    out_of_sight_until_asked(google, bob)
    assert titles(google) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "status": 404, "reason": "notFound"},
        {"kind": "error", "status": 403, "reason": "forbidden"},
        {"kind": "html", "status": 403},
    ],
    ids=["404", "403", "403 page"],
)
def test_one_refused_patch_does_not_double_the_event(
    at_the_clinic: Appointment, bob: Member, google: RunningSimulator, fault: dict[str, object]
) -> None:
    google.fault(method="calendar.events.patch", count=1, **fault)
    change(by=bob, appointment_id=at_the_clinic.id, changes={"title": "Changed"})
    work_for_long()
    assert titles(google) == ["Changed"]
    assert MirroredEvent.objects.get().state == MirrorState.SYNCED


def test_one_deletion_not_found_is_looked_at_again(
    at_the_clinic: Appointment, bob: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.delete", count=1, status=404, reason="notFound")
    delete(by=bob, appointment_id=at_the_clinic.id)
    work_for_long()
    assert titles(google) == []


@pytest.mark.parametrize("at", range(14, 34, 2))
def test_two_workers_that_need_another_id_take_one(
    at_the_clinic: Appointment, bob: Member, google: RunningSimulator, at: int
) -> None:
    """A worker stands still between any two steps until another has done its work."""

    def another() -> None:
        leases_run_out()
        pauses_pass()
        work()

    google.delete_event(BOB, CLINIC, MirroredEvent.objects.get().event_id)
    google.empty_trash(BOB, CLINIC)
    change(by=bob, appointment_id=at_the_clinic.id, changes={"title": "Changed"})
    with watched_threads():
        work(hand=Hand(at, another))
    work_for_long()
    assert titles(google) == ["Changed"]
