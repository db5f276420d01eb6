"""Clients that others wrote, against the simulator: what they do of their own accord works.

The table in docs/how-to/simulator.md says what was tried with each.
"""

from __future__ import annotations

import functools
import gc
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import gcsa._services.authentication as gcsa_authentication
import google.auth.transport.requests
import httplib2
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from gcal_sync.api import GoogleCalendarService
from gcal_sync.auth import AbstractAuth
from gcal_sync.store import InMemoryCalendarStore
from gcal_sync.sync import CalendarEventSyncManager, CalendarListSyncManager
from gcsa.event import Event
from gcsa.google_calendar import GoogleCalendar
from gcsa.recurrence import Recurrence
from google.oauth2 import id_token
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient import discovery
from googleapiclient.errors import HttpError
from joserfc import jwt
from joserfc.jwk import KeySet

from google_simulator.client import GoogleClient, answers
from google_simulator.testing import RunningSimulator

ALICE, BOB = "alice@example.com", "bob@example.com"
EVERYTHING = "https://www.googleapis.com/auth/calendar"
SCOPES = ("openid", "email", EVERYTHING)
START = datetime(2027, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def alice(sign_in: Callable[..., GoogleClient]) -> GoogleClient:
    return sign_in("alice", scopes=SCOPES)


@pytest.fixture
def credentials(simulator: RunningSimulator, alice: GoogleClient) -> Credentials:
    return Credentials(
        alice.access_token,
        refresh_token=alice.refresh_token,
        client_id=simulator.client_id,
        client_secret=simulator.client_secret,
        token_uri=f"{simulator.base_url}/token",
        expiry=datetime(2100, 1, 1),  # noqa: DTZ001 - the library compares times without zone
    )


@pytest.fixture
def transport() -> Iterator[google.auth.transport.requests.Request]:
    with requests.Session() as session:
        yield google.auth.transport.requests.Request(session)


# -- google-api-python-client --------------------------------------------------------------


def _discovered(simulator: RunningSimulator) -> dict[str, Any]:
    return {
        "discoveryServiceUrl": f"{simulator.base_url}/$discovery/rest?version={{apiVersion}}",
        "static_discovery": False,
        "cache_discovery": False,
    }


@pytest.fixture
def service(simulator: RunningSimulator, credentials: Credentials) -> Iterator[Any]:
    """Google's client, built from the document that the simulator itself publishes."""
    http = AuthorizedHttp(credentials, http=httplib2.Http(timeout=60))
    with discovery.build("calendar", "v3", http=http, **_discovered(simulator)) as service:
        yield service


def timed(hour: int = 0, **more: Any) -> dict[str, Any]:
    start = START + timedelta(hours=hour)
    return {
        "summary": "Tap",
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
        **more,
    }


def test_googles_client_builds_itself_from_our_document(service: Any) -> None:
    made = service.events().insert(calendarId="primary", body=timed()).execute()
    assert service.events().get(calendarId="primary", eventId=made["id"]).execute() == made
    with pytest.raises(TypeError, match="required parameter"):
        service.events().get(calendarId="primary")


def test_googles_client_sends_batches(service: Any, simulator: RunningSimulator) -> None:
    heard: dict[str, Any] = {}

    def hear(request_id: str, answer: Any, failure: HttpError | None) -> None:
        heard[request_id] = answer if failure is None else failure.resp.status

    batch = service.new_batch_http_request(callback=hear)
    for hour in range(3):
        batch.add(
            service.events().insert(calendarId="primary", body=timed(hour)),
            request_id=f"new {hour}",
        )
    batch.add(service.events().get(calendarId="primary", eventId="missing"), request_id="none")
    batch.execute()
    assert heard.pop("none") == 404
    assert {event["id"] for event in heard.values()} == {e["id"] for e in simulator.events(ALICE)}
    assert len(simulator.calls(method="calendar.events.insert")) == 3


# The library leaves the connection open over which it refreshes there.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_googles_client_refreshes_within_a_batch(service: Any, simulator: RunningSimulator) -> None:
    simulator.expire_access_tokens(ALICE)
    answers_: list[Any] = []
    batch = service.new_batch_http_request(callback=lambda *heard: answers_.append(heard[1:]))
    batch.add(service.calendarList().list())
    batch.execute()
    ((entries, failure),) = answers_
    assert failure is None
    assert entries["items"]
    gc.collect()


def test_googles_client_sends_long_queries_as_posts(service: Any) -> None:
    words = " ".join(["tap"] * 900)
    made = [
        service.events()
        .insert(calendarId="primary", body=timed(hour, summary=words))
        .execute()["id"]
        for hour in range(3)
    ]
    request = service.events().list(calendarId="primary", q=words, maxResults=2)
    found = []
    while request is not None:
        page = request.execute()
        found += [event["id"] for event in page["items"]]
        request = service.events().list_next(request, page)
    assert found == made


def test_googles_client_shares_calendars(service: Any, sign_in: Callable[..., Any]) -> None:
    calendar = service.calendars().insert(body={"summary": "Van", "location": "Sydney"}).execute()
    rules, where = service.acl(), calendar["id"]
    before = rules.list(calendarId=where).execute()
    assert [rule["id"] for rule in before["items"]] == [f"user:{ALICE}"]
    body = {"scope": {"type": "user", "value": BOB}, "role": "reader"}
    rule = rules.insert(calendarId=where, body=body).execute()
    assert rule["id"] == f"user:{BOB}"
    bob = sign_in("bob", scopes=SCOPES)
    assert bob.events(where).json["accessRole"] == "reader"
    rules.patch(calendarId=where, ruleId=rule["id"], body={"role": "writer"}).execute()
    assert bob.events(where).json["accessRole"] == "writer"
    changed = rules.list(calendarId=where, syncToken=before["nextSyncToken"]).execute()["items"]
    assert [(one["id"], one["role"]) for one in changed] == [(f"user:{BOB}", "writer")]
    rules.delete(calendarId=where, ruleId=rule["id"]).execute()
    assert bob.events(where).status == 404
    with pytest.raises(HttpError) as gone:
        rules.get(calendarId=where, ruleId=rule["id"]).execute()
    assert gone.value.resp.status == 404


@pytest.mark.parametrize(
    ("text", "summary", "start"),
    [
        ("Dentist 2027-03-02 10:30", "Dentist", {"dateTime": "2027-03-02T10:30:00+11:00"}),
        ("Lunch with Bob on 2 March 2027 at 1pm", "Lunch with Bob", None),
        ("Holiday 2027-03-05", "Holiday", {"date": "2027-03-05"}),
        ("Call back tomorrow", "Call back", None),
    ],
)
def test_googles_client_adds_quickly(service: Any, text: str, summary: str, start: Any) -> None:
    made = service.events().quickAdd(calendarId="primary", text=text).execute()
    assert made["summary"] == summary
    if start is not None:
        assert start.items() <= made["start"].items()


# -- google-auth ------------------------------------------------------------------------------


def _exchanged(simulator: RunningSimulator, google: GoogleClient) -> dict[str, Any]:
    url = google.authorization_url(scope=" ".join(SCOPES), nonce="a-nonce")
    return google.exchange(unquote(answers(simulator.authorize(url, account=ALICE))["code"])).json


@pytest.mark.parametrize("version", ["v1", "v3"])
def test_google_auth_verifies_id_tokens(
    simulator: RunningSimulator,
    new_client: Callable[[], GoogleClient],
    transport: Any,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
) -> None:
    """Certificates in PEM as well as keys in JSON."""
    body = _exchanged(simulator, new_client())
    address = f"{simulator.base_url}/oauth2/{version}/certs"
    monkeypatch.setattr(id_token, "_GOOGLE_OAUTH2_CERTS_URL", address)
    claims = id_token.verify_oauth2_token(body["id_token"], transport, simulator.client_id)
    assert (claims["email"], claims["nonce"]) == (ALICE, "a-nonce")


# -- gcsa ---------------------------------------------------------------------------------------


@pytest.fixture
def simple_calendar(
    simulator: RunningSimulator, credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> Iterator[GoogleCalendar]:
    built = functools.partial(discovery.build, **_discovered(simulator))
    monkeypatch.setattr(gcsa_authentication.discovery, "build", built)
    calendar = GoogleCalendar(ALICE, credentials=credentials)
    yield calendar
    calendar.service.close()


def test_gcsa_lives_with_events(simple_calendar: GoogleCalendar) -> None:
    """It sends `recurrence: []` and the whole event with every update."""
    event = simple_calendar.add_event(
        Event("Tap", start=START, attendees=["guest@example.org"], minutes_before_popup_reminder=10)
    )
    event.location = "12 High St"
    assert simple_calendar.update_event(event).location == "12 High St"
    window = {"time_min": START - timedelta(days=1), "time_max": START + timedelta(days=30)}
    found = list(simple_calendar.get_events(query="guest@example.org", **window))
    assert [one.event_id for one in found] == [event.event_id]
    simple_calendar.delete_event(event)
    assert list(simple_calendar.get_events(**window)) == []


def test_gcsa_repeats_shares_and_adds_quickly(simple_calendar: GoogleCalendar) -> None:
    next_week = (datetime.now(UTC) + timedelta(days=7)).date()  # it lists what is ahead
    rule = Recurrence.rule(freq="DAILY", count=3)
    series = simple_calendar.add_event(Event("Round", start=next_week, recurrence=rule))
    assert len(list(simple_calendar.get_instances(series))) == 3
    quick = simple_calendar.add_quick_event("Dentist 2027-03-02 10:30")
    assert quick.summary == "Dentist"
    assert [one.acl_id for one in simple_calendar.get_acl_rules()] == [f"user:{ALICE}"]
    assert ALICE in {entry.id for entry in simple_calendar.get_calendar_list()}
    assert (
        ALICE
        in simple_calendar.get_free_busy(
            time_min=START, time_max=START + timedelta(days=1)
        ).calendars
    )


# -- gcal_sync ----------------------------------------------------------------------------------


class _Auth(AbstractAuth):
    def __init__(self, session: aiohttp.ClientSession, token: str, base_url: str) -> None:
        super().__init__(session, f"{base_url}/calendar/v3")
        self.token = token

    async def async_get_access_token(self) -> str:
        return self.token


@pytest.fixture
async def gcal(
    simulator: RunningSimulator, alice: GoogleClient
) -> AsyncIterator[GoogleCalendarService]:
    async with aiohttp.ClientSession() as session:
        auth = _Auth(session, str(alice.access_token), simulator.base_url)
        yield GoogleCalendarService(auth)


async def test_gcal_sync_keeps_a_copy(
    simulator: RunningSimulator, alice: GoogleClient, gcal: GoogleCalendarService
) -> None:
    """Its mask of fields is accepted; it follows changes, deletions and an expired token."""
    kept = alice.insert(timed()).json["id"]
    gone = alice.insert(timed(1)).json["id"]
    manager = CalendarEventSyncManager(gcal, calendar_id=ALICE, store=InMemoryCalendarStore())
    await manager.run()

    async def ids() -> set[str]:
        timeline = await manager.store_service.async_get_timeline()
        return {str(event.id) for event in timeline}

    assert await ids() == {kept, gone}
    alice.delete(gone)
    added = alice.insert(timed(2)).json["id"]
    await manager.run()
    assert await ids() == {kept, added}
    simulator.expire_sync_tokens(ALICE)
    await manager.run()
    assert await ids() == {kept, added}


async def test_gcal_sync_lists_calendars(gcal: GoogleCalendarService) -> None:
    manager = CalendarListSyncManager(gcal, store=InMemoryCalendarStore())
    await manager.run()
    listed = await manager.store_service.async_list_calendars()
    assert ALICE in {calendar.id for calendar in listed.calendars}


# -- authlib by OpenID's document ------------------------------------------------------------------


def test_authlib_signs_in_by_discovery(simulator: RunningSimulator) -> None:
    address = f"{simulator.base_url}/.well-known/openid-configuration"
    metadata = requests.get(address, timeout=60).json()
    with OAuth2Session(
        simulator.client_id,
        simulator.client_secret,
        scope="openid email profile",
        redirect_uri="http://127.0.0.1:8000/callback",
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    ) as session:
        verifier = "v" * 50
        url, state = session.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce="a-nonce"
        )
        redirect = simulator.authorize(url, account=ALICE)
        token = session.fetch_token(
            metadata["token_endpoint"],
            authorization_response=redirect,
            code_verifier=verifier,
            state=state,
        )
        keys = KeySet.import_key_set(session.get(metadata["jwks_uri"], timeout=60).json())
        decoded = jwt.decode(token["id_token"], keys)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": simulator.client_id},
            },
            {"nonce": "a-nonce", "access_token": token["access_token"]},
        )
        claims.validate()
        assert "at_hash" in claims
        person = session.get(metadata["userinfo_endpoint"], timeout=60).json()
    assert person["sub"] == claims["sub"]
    assert person["email"] == ALICE


# -- django-allauth by OpenID's document ---------------------------------------------------------


def test_allauth_signs_in_by_discovery(simulator: RunningSimulator) -> None:
    program = Path(__file__).with_name("allauth_by_discovery.py")
    words = [simulator.base_url, simulator.client_id, simulator.client_secret, ALICE]
    run = subprocess.run(
        [sys.executable, str(program), *words], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    learnt = json.loads(run.stdout.splitlines()[-1])
    (alice,) = [one for one in simulator.accounts() if one["email"] == ALICE]
    assert learnt == {"status": "302", "uid": alice["sub"], "email": ALICE}
