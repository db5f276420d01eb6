"""What a person sees and does in the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from google_simulator.client import GoogleClient, Reply
from google_simulator.testing import RunningSimulator
from tests.browser import browser_page

ALICE = "alice@example.com"
WEEK = "2026-11-30"
FORM = {
    "calendar": ALICE,
    "summary": "Boiler",
    "date": "2026-12-01",
    "start": "10:00",
    "end": "11:30",
    "zone": "Australia/Sydney",
    "week": WEEK,
}


@pytest.fixture
def visit(simulator: RunningSimulator, new_client):
    google = new_client()

    def get(path: str) -> Reply:
        return google.send("GET", simulator.base_url + path)

    return get


@pytest.fixture
def post(simulator: RunningSimulator, new_client):
    google = new_client()

    def send(path: str, **form: str) -> Reply:
        return google.form(simulator.base_url + path, form)

    return send


def _week(visit, **query: str) -> str:
    asked = "".join(f"&{name}={value}" for name, value in query.items())
    return visit(f"/simulator/accounts/{ALICE}?week={WEEK}{asked}").content.decode()


def test_home_leads_to_the_accounts(visit) -> None:
    assert visit("/").headers["Location"] == "/simulator/"
    page = visit("/simulator/").content.decode()
    for email in ("alice@example.com", "bob@example.com", "charlie@example.com"):
        assert email in page
    assert "This is not Google" in page


def test_the_chooser_has_a_button_per_account(visit, new_client) -> None:
    path = new_client().authorization_url().partition("/o/")[2]
    page = visit(f"/o/{path}").content.decode()
    names = [
        " ".join(re.sub("<[^>]+>", "", button).split())
        for button in re.findall(r"<button.*?</button>", page, re.DOTALL)
    ]
    assert names == [
        "Alice alice@example.com", "Bob bob@example.com", "Charlie charlie@example.com",
    ]  # fmt: skip


def test_the_consent_page_speaks_googles_words(visit, new_client) -> None:
    path = new_client().authorization_url(login_hint=ALICE).partition("/o/")[2]
    page = unescape(visit(f"/o/{path}").content.decode())
    assert "View and edit events on all your calendars" in page
    assert "See the list of Google calendars you're subscribed to" in page
    assert page.count('type="checkbox"') == 2
    assert page.count(" checked") == 2
    assert ">Continue</button>" in page
    assert ">Cancel</button>" in page


def test_an_event_is_added_moved_and_deleted_by_hand(
    simulator: RunningSimulator, visit, post
) -> None:
    done = post(f"/simulator/accounts/{ALICE}/events/add", **FORM, location="Glebe")
    assert done.status == 303
    assert parse_qs(urlsplit(done.headers["Location"]).query) == {"week": [WEEK]}
    (event,) = simulator.events(ALICE)
    assert event["start"]["dateTime"] == "2026-12-01T10:00:00+11:00"
    page = _week(visit)
    assert "Boiler" in page
    assert "10:00–11:30" in page
    assert "Glebe" in page
    change = f"/simulator/accounts/{ALICE}/events/change"
    moved = {**FORM, "event": event["id"], "date": "2026-12-03", "start": "14:00", "end": "15:00"}
    post(change, **moved, act="save")
    (after,) = simulator.events(ALICE)
    assert after["start"]["dateTime"] == "2026-12-03T14:00:00+11:00"
    assert after["location"] == "Glebe"
    post(change, **moved, act="delete")
    assert simulator.events(ALICE) == []
    assert "Boiler" not in _week(visit)


def test_whole_days_move_as_days(simulator: RunningSimulator, post) -> None:
    post(f"/simulator/accounts/{ALICE}/events/add", **FORM, all_day="yes", free="yes")
    (event,) = simulator.events(ALICE)
    assert (event["start"], event["end"]) == ({"date": "2026-12-01"}, {"date": "2026-12-02"})
    assert event["transparency"] == "transparent"
    form = {**FORM, "event": event["id"], "date": "2026-12-04", "act": "save"}
    post(f"/simulator/accounts/{ALICE}/events/change", **form)
    (moved,) = simulator.events(ALICE)
    assert moved["start"] == {"date": "2026-12-04"}
    assert moved["transparency"] == "transparent"


def test_one_occurrence_of_a_series_is_moved(simulator: RunningSimulator, post) -> None:
    series = simulator.insert_event(
        ALICE,
        ALICE,
        {
            "summary": "Daily",
            "start": {"dateTime": "2026-12-01T09:00:00", "timeZone": "Australia/Sydney"},
            "end": {"dateTime": "2026-12-01T10:00:00", "timeZone": "Australia/Sydney"},
            "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"],
        },
    )
    instance = f"{series['id']}_20261201T220000Z"
    form = {**FORM, "event": instance, "date": "2026-12-02", "act": "save"}
    post(f"/simulator/accounts/{ALICE}/events/change", **form)
    exception = simulator.event(ALICE, ALICE, instance)
    assert exception["start"]["dateTime"] == "2026-12-02T10:00:00+11:00"
    assert simulator.event(ALICE, ALICE, series["id"])["etag"] == series["etag"]


@pytest.mark.parametrize(
    "change", [{"date": ""}, {"start": "noon"}, {"calendar": "nothing"}, {"zone": "Mars"}]
)
def test_bad_forms_are_answered_above_the_week(simulator, post, change) -> None:
    reply = post(f"/simulator/accounts/{ALICE}/events/add", **{**FORM, **change})
    assert reply.status == 400
    assert 'role="alert"' in reply.content.decode()
    assert simulator.events(ALICE) == []


def test_everything_from_outside_is_escaped(simulator: RunningSimulator, visit, new_client):
    evil = '"><script>alert(1)</script>'
    body = {
        "summary": evil,
        "location": evil,
        "description": evil,
        "start": {"dateTime": "2026-12-01T10:00:00+11:00"},
        "end": {"dateTime": "2026-12-01T11:00:00+11:00"},
        "attendees": [{"email": "guest@example.org", "displayName": evil}],
    }
    simulator.insert_event(ALICE, ALICE, body)
    simulator.show_calendar(ALICE, "jobs-alice@group.calendar.google.com", summary_override=evil)
    simulator.client(simulator.client_id, name=evil)
    simulator.add_account("eve@example.com" + evil, evil)
    google = new_client()
    google.send("GET", f"{simulator.base_url}/calendar/v3/calendars/{evil}/events/{evil}")
    pages = [
        _week(visit),
        visit("/simulator/").content.decode(),
        visit("/simulator/knobs").content.decode(),
    ]
    for state in ("plain", evil):
        url = google.authorization_url(state=state, login_hint=evil)
        pages.append(google.send("GET", url).content.decode())
    wrong = google.authorization_url(redirect_uri=evil, scope=evil)
    pages.append(google.send("GET", wrong).content.decode())
    for page in pages:
        assert "<script>alert" not in page
        assert page.count("<script") <= 1
    assert "&lt;script&gt;alert(1)" in pages[0]


def test_pages_allow_no_foreign_script(visit) -> None:
    policy = visit("/simulator/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy


def test_times_only_calendars_show_no_titles(simulator: RunningSimulator, visit) -> None:
    clinic = "clinic@group.calendar.google.com"
    simulator.insert_event(
        "charlie@example.com",
        clinic,
        {
            "summary": "Secret",
            "start": {"dateTime": "2026-12-01T10:00:00+11:00"},
            "end": {"dateTime": "2026-12-01T11:00:00+11:00"},
        },
    )
    page = _week(visit)
    assert "10:00–11:00 Busy" in page
    assert "Secret" not in page


def test_a_single_calendar_is_shown_in_its_own_zone(simulator: RunningSimulator, visit) -> None:
    page = _week(visit, calendar="clinic@group.calendar.google.com")
    assert "Times in Europe/London" in page
    assert "Times in Australia/Sydney" in _week(visit)


def test_knobs_turn_by_form(simulator: RunningSimulator, alice: GoogleClient, post, visit):
    team = "team@group.calendar.google.com"
    before = simulator.now()
    assert post("/simulator/knobs/clock", hours="24").status == 303
    assert simulator.now() > before
    alice.access_token = alice.refresh().json["access_token"]
    post("/simulator/knobs/fault", method="calendar.events.list", count="1", status="500")
    assert [alice.events().status, alice.events().status] == [500, 200]
    post("/simulator/knobs/role", email=ALICE, calendar=team, role="none")
    assert alice.events(team).status == 404
    post("/simulator/knobs/switch", name="deleted_get", value="404")
    assert simulator.state()["switches"]["deleted_get"] == "404"
    post("/simulator/knobs/revoke-grant", email=ALICE)
    assert alice.refresh().status == 400
    refused = post("/simulator/knobs/clock", hours="soon")
    assert refused.status == 400
    assert "must be a number" in refused.content.decode()
    assert "calendar.events.list" in visit("/simulator/knobs").content.decode()
    assert post("/simulator/knobs/nonsense").status == 404


# -- in a browser ---------------------------------------------------------------------------


@pytest.fixture
def page() -> Iterator[Page]:
    with browser_page() as page:
        yield page


def test_in_a_browser_a_person_consents_and_sees_events_appear(
    simulator: RunningSimulator, new_client, page: Page
) -> None:
    google = new_client()
    google.redirect_uri = f"{simulator.base_url}/simulator/"
    page.goto(google.authorization_url())
    page.get_by_role("button", name="Alice alice@example.com").click()
    page.get_by_role("checkbox", name="View and edit events on all your calendars").check()
    page.get_by_role("button", name="Continue").click()
    code = parse_qs(urlsplit(page.url).query)["code"][0]
    assert google.exchange(code).status == 200

    page.goto(f"{simulator.base_url}/simulator/accounts/{ALICE}?week={WEEK}")
    body = {
        "summary": "Leaking tap",
        "start": {"dateTime": "2026-12-01T10:00:00+11:00"},
        "end": {"dateTime": "2026-12-01T11:00:00+11:00"},
    }
    event_id = google.insert(body).json["id"]
    shown = page.get_by_text("Leaking tap", exact=True)
    shown.wait_for()
    page.get_by_text("Details").click()
    google.patch(event_id, {"location": "Glebe"})
    page.get_by_text("Glebe").wait_for()
    assert page.get_by_role("button", name="Delete").is_visible()
    page.get_by_role("button", name="Delete").click()
    shown.wait_for(state="detached")
    assert simulator.events(ALICE) == []
