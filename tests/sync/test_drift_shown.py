"""Drift in the API and on the pages: both versions, the two answers, and the walls."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel
from sophiie.calendar_link.models import CalendarLink
from tests.conftest import ApiCaller, details
from tests.linking import browser_of
from tests.mirroring import drain_all, read_all
from tests.sync.drifting import ALICE, event_id_of, mirrored, move_in_google

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_api(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    api: ApiCaller,
    api_of: Callable[[Member], ApiCaller],
    charlie: Member,
) -> None:
    appointment = mirrored(alice)
    address = f"/appointments/{appointment.id}"
    assert api("GET", address).json()["sync"][0]["drift"] is None
    start, end = move_in_google(google, appointment)
    other = book(by=alice, details=details(start=start, title="In the way"), assignees=[alice])
    read_all()
    shown = api("GET", address).json()["sync"][0]["drift"]
    assert shown["kind"] == "edited"
    assert shown["google"] == {
        "start": start.astimezone(appointment.local_start.tzinfo).isoformat(),
        "end": end.astimezone(appointment.local_start.tzinfo).isoformat(),
    }
    assert api_of(charlie)("POST", f"{address}/drift", {"action": "accept"}).status_code == 404
    for wrong in ({"action": "ignore"}, {}, {"action": "accept", "more": 1}):
        assert api("POST", f"{address}/drift", wrong).status_code == 422
    refused = api("POST", f"{address}/drift", {"action": "accept"})
    assert refused.status_code == 409
    assert refused.json()["conflicts"][0]["appointment_id"] == str(other.id)
    cancel(by=alice, appointment_id=other.id)
    taken = api("POST", f"{address}/drift", {"action": "accept"})
    assert taken.status_code == 200
    assert taken.json()["start"] == shown["google"]["start"]
    assert taken.json()["sync"][0]["drift"] is None
    drain_all()
    google.delete_event(ALICE, ALICE, event_id_of(appointment))
    read_all()
    gone = api("GET", address).json()["sync"][0]["drift"]
    assert (gone["kind"], gone["google"]) == ("deleted", None)
    assert "action" in api("POST", f"{address}/drift", {"action": "accept"}).json()["errors"]
    answer = api("POST", f"{address}/drift", {"action": "put_back"})
    assert answer.json()["sync"][0]["state"] == "pending"


def test_the_page(
    watched_link: CalendarLink, alice: Member, charlie: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    address = f"/appointments/{appointment.id}"
    page = browser_of(alice)
    assert "Changed in Google" not in page.get(address).content.decode()
    start, _ = move_in_google(google, appointment)
    other = book(by=alice, details=details(start=start, title="In the way"), assignees=[alice])
    read_all()
    text = page.get(address).content.decode()
    zone = appointment.local_start.tzinfo
    for moment in (appointment.start, start):
        assert f"{moment.astimezone(zone):%H:%M}</time>" in text
    for words in ("Changed in Google", "In Sophiie", "In Google", "Put it back", "Google's time"):
        assert words in text.replace("&#x27;", "'")
    week = page.get(f"/calendar?week={appointment.local_start.date()}").content.decode()
    assert "Changed in Google" in week
    form = {"member": str(alice.id), "action": "accept"}
    assert browser_of(charlie).post(f"{address}/drift", form).status_code == 404
    assert page.get(f"{address}/drift").status_code == 405
    refused = page.post(f"{address}/drift", form)
    assert refused.status_code == 409
    assert "In the way" in refused.content.decode()
    assert f'form="drift-form-{alice.id}"' in refused.content.decode()
    page.post(f"{address}/drift", {"member": str(alice.id), "allow_overlap": "1"})
    appointment.refresh_from_db()
    assert appointment.start == start
    assert other.start == start
    drain_all()
    google.delete_event(ALICE, ALICE, event_id_of(appointment))
    read_all()
    text = page.get(address).content.decode()
    assert "Deleted in Google" in text
    assert 'value="accept"' not in text
    put_back = {"member": str(alice.id), "action": "put_back"}
    assert page.post(f"{address}/drift", put_back).status_code == 302
    assert "Deleted in Google" not in page.get(address).content.decode()
