"""How the guests of an event are written to Google, whoever else changes the list meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import cancel, change
from sophiie.calendar_link.choose import change_options
from sophiie.calendar_link.connect import link_of
from sophiie.common.in_thread import in_thread
from sophiie.sync.actions.drift import put_back
from sophiie.sync.models import DriftKind, MirroredEvent
from sophiie.sync.outbound import apply
from sophiie.sync.outbound.claim import claim_due
from tests.conftest import tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, due_now, read_all
from tests.sync.drifting import calls, event_id_of, repeat_in_google
from tests.sync.inviting import ALICE, BOB, CHARLIE, book_for, guests, seen_by

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("guests_see_it", "nobody_is_mailed"),
]


def test_a_change_without_other_guests_leaves_the_list_alone(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """Also who somebody invited in Google, and what a guest answered."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    (event,) = google.events(ALICE)
    attendees = [
        {"email": BOB, "responseStatus": "accepted"},
        {"email": "green@example.com", "responseStatus": "declined"},
    ]
    google.patch_event(ALICE, ALICE, event["id"], {"attendees": attendees})
    google.clear_calls()
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    drain_all()
    assert calls(google) == ["patch"]
    assert answers(google) == {BOB: "accepted", "green@example.com": "declined"}


def answers(google: RunningSimulator) -> dict[str, str]:
    (event,) = google.events(ALICE)
    return {guest["email"]: guest["responseStatus"] for guest in event["attendees"]}


def test_exchanging_our_guests_keeps_everybody_elses(
    alice: Member, bob: Member, colleague: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    (event,) = google.events(ALICE)
    added = [{"email": BOB}, {"email": "green@example.com", "responseStatus": "accepted"}]
    google.patch_event(ALICE, ALICE, event["id"], {"attendees": added})
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice, colleague])
    drain_all()
    assert answers(google) == {CHARLIE: "needsAction", "green@example.com": "accepted"}
    assert (seen_by(google, BOB), seen_by(google, CHARLIE)) == (0, 1)


def test_somebody_invites_a_guest_while_ours_are_exchanged(
    alice: Member, bob: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our reading of the list and our writing of it: nobody may be lost."""
    link(alice, google)
    appointment = book_for(alice, alice)
    drain_all()
    (event,) = google.events(ALICE)
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice, bob])
    real, acts = apply.with_our_guests, [{"attendees": [{"email": "green@example.com"}]}]

    def meanwhile(*words: Any) -> Any:
        if acts:
            google.patch_event(ALICE, ALICE, event["id"], acts.pop())
        return real(*words)

    monkeypatch.setattr(apply, "with_our_guests", meanwhile)
    drain_all()
    due_now()
    drain_all()
    assert guests(google) == [{BOB, "green@example.com"}]


@pytest.mark.parametrize("end", ["cancelled", "taken off", "not covered"])
def test_when_the_event_goes_it_goes_from_the_guests_calendar_too(
    alice: Member, bob: Member, google: RunningSimulator, end: str
) -> None:
    """Without an email a deletion alone would leave it there."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    assert seen_by(google, BOB) == 1
    if end == "cancelled":
        cancel(by=alice, appointment_id=appointment.id)
    elif end == "taken off":
        change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice])
    else:
        link_now = link_of(alice)
        assert link_now is not None
        change(by=alice, appointment_id=appointment.id, changes={}, assignees=[bob])
        change_options(link=link_now, covers="assigned", privacy="full")
    drain_all()
    assert seen_by(google, BOB) == 0
    assert seen_by(google, ALICE) == (1 if end == "taken off" else 0)


def test_a_guest_sent_with_a_lost_answer_is_taken_off_again(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """What the lost insert said of guests must not be forgotten with its answer."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    google.fault(method="calendar.events.insert", kind="cut", when="after", count=1)
    drain_all()
    assert guests(google) == [{BOB}]
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice])
    due_now()
    drain_all()
    assert guests(google) == [set()]


def test_a_worker_killed_before_it_sent_anything_forgets_nobody(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    appointment = book_for(alice, alice)
    drain_all()
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice, bob])
    assert claim_due(found.id)  # and then it is killed
    due_now()
    drain_all()
    assert guests(google) == [{BOB}]


def test_who_is_added_in_google_just_before_an_event_is_removed_is_not_overwritten(
    alice: Member, bob: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our reading of the list and our writing of it, when guests are taken off before a
    deletion: the list that was read is old by then, and Google refuses it."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    (event,) = google.events(ALICE)
    cancel(by=alice, appointment_id=appointment.id)
    real, acts = apply.without_our_guests, [{"attendees": [{"email": "green@example.com"}]}]
    google.clear_calls()

    def meanwhile(*words: Any) -> Any:
        if acts:
            google.patch_event(ALICE, ALICE, event["id"], acts.pop())
        return real(*words)

    monkeypatch.setattr(apply, "without_our_guests", meanwhile)
    drain_all()
    assert [c["status"] for c in google.calls(method="calendar.events.patch")] == [412]
    due_now()
    drain_all()
    assert seen_by(google, ALICE) == seen_by(google, BOB) == 0


def test_an_event_that_becomes_a_series_just_before_it_is_removed_is_not_deleted(
    alice: Member, bob: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between taking our guests off and the deletion: a person's further weeks would go with it."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    cancel(by=alice, appointment_id=appointment.id)
    real, acts = apply._take_guests_off, ["RRULE:FREQ=WEEKLY;COUNT=5"]

    async def meanwhile(*words: Any) -> str:
        etag = await real(*words)
        if acts:
            await in_thread(repeat_in_google, google, appointment, acts.pop())
        return etag

    monkeypatch.setattr(apply, "_take_guests_off", meanwhile)
    drain_all()
    due_now()
    drain_all()
    (event,) = google.events(ALICE)
    assert event["recurrence"]
    assert MirroredEvent.objects.get().drift_kind == DriftKind.STILL_THERE


def test_a_guest_that_another_client_erased_comes_back_with_put_it_back(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """A client that writes whole events knows nothing of guests, and moves and empties it."""
    link(alice, google)
    appointment = book_for(alice, alice, bob)
    drain_all()
    read_all()
    start = tomorrow_at(5)
    body = {
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
        "attendees": [{"email": "green@example.com"}],
    }
    google.patch_event(ALICE, ALICE, event_id_of(appointment), body)
    read_all()
    put_back(alice, appointment.id)
    drain_all()
    assert guests(google) == [{BOB, "green@example.com"}]
    assert MirroredEvent.objects.get().shown_guests == [BOB]
