"""Of what Google's answer calls a link only a plain https address becomes one."""

from __future__ import annotations

from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.google_app import address_in_google
from sophiie.sync.models import MirroredEvent
from tests.conftest import ApiCaller
from tests.linking import browser_of, link
from tests.mirroring import drain_all

GOOGLE = "https://www.google.com/calendar/event?eid=abc_DEF-1&ctz=Australia/Sydney"
BAD = [
    *("javascript:alert(1)", "JavaScript:alert(1)//https://x", "data:text/html,x", "vbscript:x"),
    *("http://www.google.com/calendar", "//evil.example/x", "/calendar", "ftp://x.example/", ""),
    *("https:", "https://", "https:///path", "https:evil.example", "https://user@evil.example/"),
    *("https://user:pw@evil.example/", "https://x.example:port/", "https://[::1", "blob:https://x"),
    *(
        "https://x.example/ b",
        "https://x.example/\nb",
        "\thttps://x.example/",
        "https:\\\\x.example",
    ),
    *('https://x.example/"onmouseover="x', "https://x.example/<b>", "https://x.example/é"),
    *("https://x.example/" + "a" * 2000, "http://localhost/x", "http://127.0.0.1:8001/x"),
]


@pytest.fixture(autouse=True)
def _googles_own_server(request: pytest.FixtureRequest, settings: Any) -> None:
    if "google" not in request.fixturenames:
        settings.GOOGLE_API_URL = "https://www.googleapis.com/calendar/v3"


@pytest.mark.parametrize("address", [GOOGLE, "https://calendar.google.com/", "HTTPS://x.example/"])
def test_a_plain_https_address_is_shown(address: str) -> None:
    assert address_in_google(address) == address


@pytest.mark.parametrize("address", BAD)
def test_nothing_else_is(address: str) -> None:
    assert address_in_google(address) == ""


@pytest.mark.parametrize("value", [None, 7, ["https://x.example/"], {"a": 1}])
def test_what_is_no_text_is_no_address(value: object) -> None:
    assert address_in_google(value) == ""


def test_a_simulator_on_this_machine_may_do_without_https(settings: Any) -> None:
    settings.GOOGLE_API_URL = "http://localhost:8001/calendar/v3"
    assert address_in_google("http://localhost:8001/simulator/x")
    assert not address_in_google("http://evil.example/simulator/x")
    assert not address_in_google("javascript:alert(1)//localhost")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("bad", ["javascript:alert(1)", "http://evil.example/x"])
def test_what_was_stored_before_is_not_shown_either(
    alice: Member, booked: Appointment, google: RunningSimulator, api: ApiCaller, bad: str
) -> None:
    link(alice, google)
    drain_all()
    assert api("GET", f"/appointments/{booked.id}").json()["sync"][0]["html_link"]
    path = f"/appointments/{booked.id}"
    assert "Open in Google Calendar" in browser_of(alice).get(path).content.decode()
    MirroredEvent.objects.update(html_link=bad)
    assert api("GET", path).json()["sync"][0]["html_link"] is None
    shown = browser_of(alice).get(path).content.decode()
    assert "Open in Google Calendar" not in shown
    assert bad not in shown
