"""The choice page says what Save would do: at once, for another calendar, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import LinkState
from sophiie.sync.actions import preflight as module
from tests.conftest import details, tomorrow_at
from tests.linking import come_back, link
from tests.mirroring import drain_all
from tests.web.pages import Element, alerts, parsed

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@example.com"
JOBS = "jobs-alice@group.calendar.google.com"
CHOICE, FRAGMENT = "/settings/calendar", "/settings/calendar/preflight"


@pytest.fixture
def choosing(alice: Member, page: Client, google: RunningSimulator) -> Client:
    """Alice's browser, back from Google, with two appointments ahead; one of them clashes."""
    for hour, title in ((1, "Leaking tap"), (3, "Blocked drain")):
        about = details(title=title, start=tomorrow_at(hour))
        book(by=alice, details=about, assignees=[alice])
    busy_at(google, 1)
    come_back(page, google)
    return page


def busy_at(google: RunningSimulator, hour: int, calendar_id: str = ALICE) -> None:
    start = tomorrow_at(hour)
    google.insert_event(
        ALICE,
        calendar_id,
        {
            "summary": "Dentist, very private",
            "start": {"dateTime": start.isoformat()},
            "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
        },
    )


def area(response: Any) -> Element:
    """The part of the choice page that tells it; it speaks when it changes."""
    found = parsed(response).one(id="preflight")
    assert found["aria-live"] == "polite"
    return found


def fragment(page: Client, calendar_id: str) -> Any:
    return page.get(FRAGMENT, {"calendar_id": calendar_id}, headers={"HX-Request": "true"})


def test_the_preselected_calendar_is_told_at_once(choosing: Client) -> None:
    response = choosing.get(CHOICE)
    words = area(response).words
    assert f"2 upcoming appointments will be added to “{ALICE}”." in words
    assert "1 of them overlaps something already in that calendar: Leaking tap, " in words
    assert "Blocked drain" not in words
    assert "Nobody gets an email." in words
    assert "very private" not in response.content.decode()
    assert "time zone" not in words  # it is the same


def test_each_radio_button_that_can_be_chosen_asks_for_its_own(choosing: Client) -> None:
    shown = parsed(choosing.get(CHOICE))
    for radio in shown.all("input", name="calendar_id"):
        assert radio["hx-get"] == FRAGMENT
    form = shown.one("form", action="/settings/calendar/choose")
    target = shown.one(id=form["hx-target"].removeprefix("#"))
    assert target["id"] == "preflight"
    answer = parsed(fragment(choosing, JOBS))
    (told,) = [e for e in answer.all() if "data-preflight" in e.attributes]
    assert "2 upcoming appointments will be added to “Jobs”." in told.words
    assert "None of your appointments overlaps anything in that calendar." in told.words
    assert answer.all("html") == []


def test_without_javascript_a_button_checks_the_chosen_one(choosing: Client, alice: Member) -> None:
    shown = parsed(choosing.get(CHOICE))
    button = shown.one("button", name="check")
    assert button.words == "Check this calendar"
    assert button.parent
    assert button.parent.tag == "noscript"
    team = "team@group.calendar.google.com"
    answer = choosing.post(
        "/settings/calendar/choose",
        {"calendar_id": JOBS, "check_for_conflicts": [JOBS, team], "check": "1"},
    )
    assert answer.status_code == 200
    assert "will be added to “Jobs”" in area(answer).words
    again = parsed(answer)
    (chosen,) = [r for r in again.all("input", type="radio") if "checked" in r.attributes]
    assert chosen["value"] == JOBS
    ticked = [b["value"] for b in again.all("input", type="checkbox") if "checked" in b.attributes]
    assert team in ticked
    link = link_of(alice)
    assert link
    assert (link.state, link.calendar_id) == (LinkState.CHOOSING, "")


def test_with_nothing_chosen_there_is_a_hint(choosing: Client) -> None:
    answer = choosing.post("/settings/calendar/choose", {"calendar_id": ""})
    assert answer.status_code == 422
    assert "Choose a calendar, and this says what happens" in area(answer).words


def test_another_time_zone_is_said(choosing: Client, alice: Member) -> None:
    alice.business.timezone = "Europe/London"
    alice.business.save()
    words = area(choosing.get(CHOICE)).words
    assert "The calendar's time zone is Australia/Sydney; yours is Europe/London." in words
    alice.business.timezone = "Australia/Melbourne"  # the same clocks
    alice.business.save()
    assert "time zone" not in area(choosing.get(CHOICE)).words


def test_changing_speaks_of_moving(alice: Member, page: Client, google: RunningSimulator) -> None:
    link(alice, google)
    book(by=alice, details=details(), assignees=[alice])
    drain_all()
    words = area(page.get(CHOICE, {"change": "1"})).words
    assert f"Nothing moves: your appointments go to “{ALICE}” already." in words
    told = parsed(fragment(page, JOBS)).words
    assert f"1 upcoming appointment moves from “{ALICE}” to “Jobs”; past ones stay." in told
    assert "will be added" not in told


def test_a_single_appointment_is_spoken_of_as_one(
    alice: Member, page: Client, google: RunningSimulator
) -> None:
    book(by=alice, details=details(start=tomorrow_at(1)), assignees=[alice])
    busy_at(google, 1)
    come_back(page, google)
    words = area(page.get(CHOICE)).words
    assert "1 upcoming appointment will be added" in words
    assert "It overlaps something already in that calendar: Leaking tap" in words


def test_linking_again_says_what_is_there_from_before(
    alice: Member, page: Client, google: RunningSimulator
) -> None:
    link(alice, google)
    book(by=alice, details=details(), assignees=[alice])
    drain_all()
    page.post("/settings/calendar/unlink")
    come_back(page, google)
    words = area(page.get(CHOICE)).words
    assert "0 upcoming appointments will be added" in words
    assert "1 is there from before and is only brought up to date." in words


def test_a_calendar_that_cannot_be_read_blocks_nothing(
    choosing: Client, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.list", status=503)
    response = choosing.get(CHOICE)
    words = area(response).words
    assert "2 upcoming appointments will be added" in words
    assert f"“{ALICE}” could not be read just now" in words
    assert alerts(parsed(response)) == ""
    google.clear_faults()
    answer = choosing.post("/settings/calendar/choose", {"calendar_id": ALICE}, follow=True)
    assert b"synchronization is active" in answer.content


def test_a_slow_google_does_not_hold_the_page_up(
    choosing: Client, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    google.fault(method="calendar.events.list", kind="slow", seconds=5)
    assert "could not be read just now" in area(choosing.get(CHOICE)).words


def test_when_even_the_list_is_not_told_the_fragment_says_so(
    choosing: Client, google: RunningSimulator
) -> None:
    google.fault(method="calendar.calendarList.list", status=503)
    response = fragment(choosing, ALICE)
    assert response.status_code == 200
    assert "could not be asked about this calendar just now" in parsed(response).words


@pytest.mark.parametrize(
    "calendar_id",
    [
        "",
        "clinic@group.calendar.google.com",  # shared with Alice for free and busy only
        "charlie@example.com",
        "nothing@example.com",
        "#/..",
    ],
)
def test_only_calendars_that_the_member_may_choose_are_looked_at(
    choosing: Client, google: RunningSimulator, calendar_id: str
) -> None:
    google.clear_calls()
    assert fragment(choosing, calendar_id).status_code == 404
    assert google.calls(method="calendar.events.list") == []


def test_everybody_asks_through_their_own_link_only(
    choosing: Client, bob: Member, charlie: Member, page_of: Callable[[Member], Client]
) -> None:
    for other in (bob, charlie):
        assert fragment(page_of(other), ALICE).status_code == 404
    assert Client().get(FRAGMENT, {"calendar_id": ALICE})["Location"].startswith("/login")
    assert choosing.post(FRAGMENT, {"calendar_id": ALICE}).status_code == 405


def test_a_link_that_is_ending_has_nothing_to_choose(
    alice: Member, page: Client, google: RunningSimulator
) -> None:
    link(alice, google)
    book(by=alice, details=details(), assignees=[alice])
    drain_all()
    page.post("/settings/calendar/unlink", {"events": "remove"})
    assert fragment(page, ALICE).status_code == 404
