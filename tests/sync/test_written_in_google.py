"""What people write into our events in Google is shown, can be taken over, and is not lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import cancel, change
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.choose import change_options
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.actions import drift
from sophiie.sync.models import MirroredEvent
from tests.conftest import ApiCaller, tomorrow_at
from tests.linking import browser_of
from tests.mirroring import drain_all, read_all
from tests.sync.busy_calendars import busy_times, event
from tests.sync.drifting import (
    ALICE,
    calls,
    drift_of,
    edit_in_google,
    event_id_of,
    in_google,
    mirrored,
    move_in_google,
    read_everything,
)

pytestmark = pytest.mark.django_db(transaction=True)
GATE = "Gate code 4711"


def type_gate_code(google: RunningSimulator, appointment: Appointment) -> None:
    """As Google's page does it: what was plain is HTML afterwards."""
    text = in_google(google, appointment)["description"].replace("\n", "<br>")
    edit_in_google(google, appointment, description=f"<p>{text}</p><ul><li>{GATE}</li></ul>")


@pytest.mark.parametrize("full", [False, True])
def test_title_place_and_text_are_shown_field_by_field(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, full: bool
) -> None:
    appointment = mirrored(alice, notes="Ring twice", location="5 Rose St")
    type_gate_code(google, appointment)
    edit_in_google(google, appointment, summary="Boiler & more", location="7 Elm St")
    assert (read_everything() if full else read_all()) == [True]
    found = drift_of(appointment)
    assert found is not None
    assert found.kind == "edited"
    assert (found.start, found.end) == (appointment.start, appointment.end)
    expected = {"title": "Boiler & more", "location": "7 Elm St", "description": [GATE]}
    assert found.fields == expected
    page = browser_of(alice).get(f"/appointments/{appointment.id}").content.decode()
    assert GATE in page
    assert "Boiler &amp; more" in page
    assert "Use Google's version" in page
    assert busy_times(alice) == []


def test_only_an_event_of_ours_that_changed_is_read_whole_and_once(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment, _untouched = mirrored(alice), mirrored(alice, start=tomorrow_at(6))
    foreign = event(google, tomorrow_at(9))
    read_all()
    google.clear_calls()
    type_gate_code(google, appointment)
    google.patch_event(ALICE, ALICE, foreign, {"summary": "Private", "description": "Secret"})
    read_all()
    assert calls(google) == ["list", "get"]
    (read,) = google.calls(method="calendar.events.get")
    assert read["event_id"] == event_id_of(appointment)
    read_all()
    assert calls(google) == ["list", "get", "list"]


def test_a_gate_code_outlives_a_change_of_something_else(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, notes="Ring twice")
    type_gate_code(google, appointment)
    read_all()
    moved = {"start": tomorrow_at(9), "end": tomorrow_at(10), "title": "Boiler"}
    change(by=alice, appointment_id=appointment.id, changes=moved)
    drain_all()
    assert GATE in in_google(google, appointment)["description"]
    assert in_google(google, appointment)["summary"] == "Boiler"
    found = drift_of(appointment)
    assert found is not None
    assert found.fields == {"description": [GATE]}
    read_everything()
    assert drift_of(appointment) == found


def test_an_edit_that_no_reading_has_told_of_yet_is_shown_by_the_next_write(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Somebody types and drags, and a moment later the title changes here."""
    appointment = mirrored(alice)
    type_gate_code(google, appointment)
    start, end = move_in_google(google, appointment)
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    drain_all()
    for _ in range(2):
        found = drift_of(appointment)
        assert found is not None
        assert (found.start, found.end, found.fields) == (start, end, {"description": [GATE]})
        read_all()
    assert busy_times(alice) == [(start, end)]


def test_the_same_field_changed_in_sophiie_wins(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, location="5 Rose St")
    edit_in_google(google, appointment, summary="Theirs", location="7 Elm St")
    read_all()
    change(by=alice, appointment_id=appointment.id, changes={"title": "Ours"})
    drain_all()
    read_all()
    shown, found = in_google(google, appointment), drift_of(appointment)
    assert (shown["summary"], shown["location"]) == ("Ours", "7 Elm St")
    assert found is not None
    assert found.fields == {"location": "7 Elm St"}


def test_googles_version_is_taken_over(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, notes="Ring twice", location="5 Rose St")
    type_gate_code(google, appointment)
    edit_in_google(google, appointment, summary="Boiler", location="7 Elm St")
    start, end = move_in_google(google, appointment)
    read_all()
    changed = drift.use_googles_version(alice, appointment.id)
    assert (changed.title, changed.location) == ("Boiler", "7 Elm St")
    assert changed.notes == f"Ring twice\n{GATE}"
    assert (changed.start, changed.end, changed.revision) == (start, end, 2)
    drain_all()
    read_everything()
    assert drift_of(appointment) is None
    text = in_google(google, appointment)["description"]
    assert text.count(GATE) == text.count("Ring twice") == 1
    with pytest.raises(drift.DriftError):
        drift.use_googles_version(alice, appointment.id)


def test_the_text_alone_leaves_the_time_to_the_microsecond(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    start = tomorrow_at(1).replace(microsecond=123456)
    appointment = mirrored(alice, start=start)
    type_gate_code(google, appointment)
    read_all()
    changed = drift.use_googles_version(alice, appointment.id)
    assert (changed.start, changed.notes) == (start, GATE)


def test_put_back_writes_all_of_it(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, notes="Ring twice")
    before = in_google(google, appointment)
    type_gate_code(google, appointment)
    edit_in_google(google, appointment, summary="Theirs", location="Somewhere")
    read_all()
    drift.put_back(alice, appointment.id)
    drain_all()
    read_everything()
    after = in_google(google, appointment)
    for name in ("summary", "description", "start", "end"):
        assert after[name] == before[name]
    assert "location" not in after
    assert drift_of(appointment) is None


def test_a_title_that_no_appointment_can_have_is_refused_in_words(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    edit_in_google(google, appointment, summary="x" * 400)
    read_all()
    with pytest.raises(InvalidAppointment):
        drift.use_googles_version(alice, appointment.id)
    answer = browser_of(alice).post(
        f"/appointments/{appointment.id}/drift", {"action": "accept"}, follow=True
    )
    assert b"cannot be used" in answer.content
    assert drift_of(appointment)


def test_a_text_that_was_only_taken_out_offers_nothing_to_take(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, notes="Ring twice")
    edit_in_google(google, appointment, description="")
    read_all()
    found = drift_of(appointment)
    assert found is not None
    assert found.fields == {"description": []}
    with pytest.raises(drift.DriftError):
        drift.use_googles_version(alice, appointment.id)
    page = browser_of(alice).get(f"/appointments/{appointment.id}").content.decode()
    assert "Taken out in Google" in page
    assert 'value="accept"' not in page


def test_what_google_makes_of_a_text_by_itself_is_no_drift(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.switch(description_html="stripped")
    appointment = mirrored(alice, notes="Ring twice\n\n  <b>twice</b> & again")
    edit_in_google(google, appointment, colorId="5")
    read_everything()
    assert drift_of(appointment) is None


def test_with_less_privacy_the_difference_is_to_what_was_shown(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    change_options(link=watched_link, covers=watched_link.covers, privacy="busy")
    appointment = mirrored(alice, notes="Ring twice", location="5 Rose St")
    edit_in_google(google, appointment, colorId="5")
    read_all()
    assert drift_of(appointment) is None
    edit_in_google(google, appointment, location="7 Elm St")
    read_all()
    found = drift_of(appointment)
    assert found is not None
    assert found.fields == {"location": "7 Elm St"}


def test_the_api_tells_it(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, api: ApiCaller
) -> None:
    appointment = mirrored(alice)
    type_gate_code(google, appointment)
    edit_in_google(google, appointment, summary="Boiler")
    read_all()
    (shown,) = api("GET", f"/appointments/{appointment.id}").json()["sync"]
    assert (shown["drift"]["title"], shown["drift"]["added_text"]) == ("Boiler", GATE)
    answer = api("POST", f"/appointments/{appointment.id}/drift", {"action": "accept"})
    assert (answer.status_code, answer.json()["title"]) == (200, "Boiler")


def test_nothing_that_was_written_is_kept_after_unlinking_or_in_the_digests(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, notes="Ring twice", customer_name="Ms Green")
    kept = str(MirroredEvent.objects.values().get())
    assert "Green" not in kept
    assert "Ring" not in kept
    type_gate_code(google, appointment)
    read_all()
    assert GATE in str(MirroredEvent.objects.values().get())
    browser_of(alice).post("/settings/calendar/unlink", {"events": "keep"})
    watched_link.refresh_from_db()
    assert watched_link.state == "unlinked"
    assert GATE not in str(MirroredEvent.objects.values().get())


# A series made of our event

WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=5"]


def test_an_event_that_was_only_edited_goes_when_its_appointment_does(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    type_gate_code(google, appointment)
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert in_google(google, appointment)["status"] == "cancelled"
    assert drift_of(appointment) is None


@pytest.mark.parametrize("clock_was_ahead", [timedelta(), timedelta(hours=10)], ids=str)
def test_a_restored_event_of_a_cancelled_appointment_is_asked_about(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    clock_was_ahead: timedelta,
) -> None:
    appointment = mirrored(alice)
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    MirroredEvent.objects.update(synced_at=F("synced_at") + clock_was_ahead)
    read_all()
    edit_in_google(google, appointment, status="confirmed")
    read_all()
    found = drift_of(appointment)
    assert found is not None
    assert found.kind == "still_there"
    page = browser_of(alice)
    assert "Remove it from Google" in page.get(f"/appointments/{appointment.id}").content.decode()
    assert b"Still in Google" in page.get("/overview").content
    drift.put_back(alice, appointment.id)
    drain_all()
    read_all()
    assert (drift_of(appointment), busy_times(alice)) == (None, [])
