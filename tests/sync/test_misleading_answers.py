"""Google says that something is gone which is there, or there which is gone: nothing is doubled,
and nothing is taken for done."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import cancel, change
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.sync.models import MirroredEvent, MirrorState
from tests.linking import link
from tests.mirroring import drain_all, due_now
from tests.sync.drifting import ALICE, calls, event_id_of, mirrored, status_of

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "jobs-alice@group.calendar.google.com"


def says_once(google: RunningSimulator, verb: str, status: int, reason: str) -> None:
    google.fault(method=f"calendar.events.{verb}", status=status, reason=reason, count=1)


@pytest.mark.parametrize(("status", "reason"), [(404, "notFound"), (403, "forbidden")])
def test_an_event_that_google_does_not_find_for_a_moment_is_not_made_twice(
    linked: CalendarLink, alice: Member, google: RunningSimulator, status: int, reason: str
) -> None:
    appointment = mirrored(alice)
    event_id = event_id_of(appointment)
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    says_once(google, "patch", status, reason)
    google.clear_calls()
    drain_all()
    assert calls(google)[-2:] == ["insert", "get"]
    assert status_of(appointment).state == "pending"
    due_now()
    drain_all()
    (event,) = google.events(ALICE)
    assert (event["id"], event["summary"]) == (event_id, "Boiler")
    assert event_id_of(appointment) == event_id


def test_an_event_that_google_does_not_find_at_all_for_a_while_is_not_made_twice(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Neither the patch nor the look afterwards finds it, only the insert says that it exists."""
    appointment = mirrored(alice)
    event_id = event_id_of(appointment)
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    for _ in range(2):
        says_once(google, "patch", 404, "notFound")
        says_once(google, "get", 404, "notFound")
        drain_all()
        assert event_id_of(appointment) == event_id
        due_now()
    drain_all()
    (event,) = google.events(ALICE)
    assert (event["id"], event["summary"]) == (event_id, "Boiler")


def test_a_deletion_that_google_does_not_find_is_not_believed_while_the_event_is_there(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    cancel(by=alice, appointment_id=appointment.id)
    says_once(google, "delete", 404, "notFound")
    drain_all()
    assert MirroredEvent.objects.get().state == MirrorState.PENDING
    assert len(google.events(ALICE)) == 1
    due_now()
    drain_all()
    assert google.events(ALICE) == []
    assert MirroredEvent.objects.get().state == MirrorState.SYNCED


@pytest.mark.parametrize("for_good", [False, True])
def test_what_is_gone_already_is_fine(
    linked: CalendarLink, alice: Member, google: RunningSimulator, for_good: bool
) -> None:
    appointment = mirrored(alice)
    google.delete_event(ALICE, ALICE, event_id_of(appointment))
    if for_good:
        google.empty_trash(ALICE, ALICE)
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    row = MirroredEvent.objects.get()
    assert (row.state, row.wanted, row.error, row.shown_revision) == ("synced", False, "", 0)
    linked.refresh_from_db()
    assert linked.state == LinkState.ACTIVE


def test_an_event_in_a_calendar_that_is_out_of_sight_is_not_gone(
    alice: Member, google: RunningSimulator
) -> None:
    """It would come back with its calendar."""
    found = link(alice, google, calendar_id=JOBS)
    appointment = mirrored(alice)
    google.delete_calendar(ALICE, JOBS)
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert MirroredEvent.objects.get().state == MirrorState.PENDING
    found.refresh_from_db()
    assert found.state == LinkState.NEEDS_RECONNECT


def test_what_was_never_sent_needs_no_call_to_be_gone(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    google.clear_calls()
    MirroredEvent.objects.update(sent=False, shown_revision=0)
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert calls(google) == []
    assert MirroredEvent.objects.get().state == MirrorState.SYNCED


def test_an_insert_that_google_has_already_is_brought_up_to_date(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """The answer to the first write was lost, and then the appointment changed."""
    appointment = mirrored(alice)
    MirroredEvent.objects.update(shown_revision=0, shown_fields={}, etag="")
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    google.clear_calls()
    drain_all()
    assert calls(google) == ["insert", "get", "patch"]
    (event,) = google.events(ALICE)
    assert (event["id"], event["summary"]) == (event_id_of(appointment), "Boiler")


@pytest.mark.parametrize(("status", "reason"), [(404, "notFound"), (403, "forbidden")])
def test_a_patch_that_is_refused_after_the_lost_answer_makes_no_second_event(
    linked: CalendarLink, alice: Member, google: RunningSimulator, status: int, reason: str
) -> None:
    appointment = mirrored(alice)
    MirroredEvent.objects.update(shown_revision=0, shown_fields={}, etag="")
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    for _ in range(2 if status == 403 else 1):  # it may be due to an optional part
        says_once(google, "patch", status, reason)
    drain_all()
    assert status_of(appointment).state == "pending"
    due_now()
    drain_all()
    (event,) = google.events(ALICE)
    assert event["summary"] == "Boiler"
