"""The contract with Google: what a client may rely on, written as a client.

Every test runs against the simulator. Those that need no knob and no consent page also run
against Google itself when these are in the environment:

    GOOGLE_CONTRACT_CLIENT_ID, GOOGLE_CONTRACT_CLIENT_SECRET   an OAuth client of yours
    GOOGLE_CONTRACT_REFRESH_TOKEN   of a test account, for all of calendar
    GOOGLE_CONTRACT_CALENDAR_ID     a scratch calendar that this account owns
    GOOGLE_CONTRACT_BASE_URL        another server that claims to be Google (default: Google)

The numbers in the names are sections of docs/reference/simulator-facts.md. Every successful answer
is held against the discovery document that Google ships with its Python client.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

from google_simulator.client import SCOPES, Endpoints, GoogleClient, Reply, answers
from google_simulator.testing import RunningSimulator, running_simulator

AUTH = "https://www.googleapis.com/auth/"
FULL_SCOPES = ("openid", "email", f"{AUTH}calendar")
REAL_GOOGLE = "GOOGLE_CONTRACT_REFRESH_TOKEN" in os.environ


# -- the discovery document ---------------------------------------------------------------


@cache
def discovery() -> dict[str, Any]:
    documents = files("googleapiclient.discovery_cache") / "documents"
    return json.loads((documents / "calendar.v3.json").read_text())


@cache
def discovery_methods() -> dict[str, dict[str, Any]]:
    return {
        method["id"]: method
        for resource in discovery()["resources"].values()
        for method in resource["methods"].values()
    }


def as_json_schema(schema: Any) -> Any:
    """Discovery's dialect in JSON Schema; a field that Google does not know is an error."""
    if isinstance(schema, list):
        return [as_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    kept: dict[str, Any] = {}
    if schema.get("type") not in (None, "any"):
        kept["type"] = schema["type"]
    if "properties" in schema:
        kept["properties"] = {
            name: as_json_schema(value) for name, value in schema["properties"].items()
        }
        kept["additionalProperties"] = as_json_schema(schema.get("additionalProperties", False))
    elif "additionalProperties" in schema:
        kept["additionalProperties"] = as_json_schema(schema["additionalProperties"])
    if "items" in schema:
        kept["items"] = as_json_schema(schema["items"])
    return kept


@cache
def validator(schema_name: str) -> jsonschema.Draft202012Validator:
    definitions = {name: as_json_schema(schema) for name, schema in discovery()["schemas"].items()}
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{schema_name}", "$defs": definitions})


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + "$")


@cache
def _addresses() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Longer fixed addresses first: `events/watch` before `events/{eventId}`."""
    found = sorted(discovery_methods().values(), key=lambda method: method["path"].count("{"))
    return [(method["httpMethod"], _pattern(method["path"]), method) for method in found]


def check_schema(verb: str, path: str, reply: Reply) -> None:
    for method_verb, pattern, method in _addresses():
        if method_verb == verb and pattern.match(path):
            if "response" in method:
                validator(method["response"]["$ref"]).validate(reply.json)
            else:
                assert reply.content == b"", f"{method['id']} has no answer body"
            return
    raise AssertionError(f"The discovery document has no {verb} {path}.")


# -- the client ---------------------------------------------------------------------------


@dataclass
class ContractClient(GoogleClient):
    """Validates what it gets, and remembers what it made on a calendar that outlives the test."""

    made: list[str] = field(default_factory=list)

    def send(
        self, verb: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        reply = super().send(verb, url, body, headers)
        prefix = self.endpoints.api + "/"
        if 200 <= reply.status < 300 and url.startswith(prefix) and "fields=" not in url:
            check_schema(verb, urlsplit(url[len(prefix) :]).path, reply)
        if verb == "POST" and reply.status == 200 and url.partition("?")[0].endswith("/events"):
            self.made.append(reply.json["id"])
        return reply


@dataclass
class Target:
    """A Google, real or simulated, with one signed-in client and a calendar to write to."""

    google: ContractClient
    calendar_id: str
    simulator: RunningSimulator | None


@pytest.fixture(scope="session")
def one_simulator() -> Iterator[RunningSimulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture(params=["simulator", *(["google"] if REAL_GOOGLE else [])])
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    if request.param == "google":
        yield from _real_google()
    else:
        yield _simulated(request.getfixturevalue("one_simulator"))


def _simulated(simulator: RunningSimulator) -> Target:
    simulator.quotas(enabled=True, per_user=600, per_project=10_000)
    simulator.reset("calendars")
    google = ContractClient(
        Endpoints.at(simulator.base_url), simulator.client_id, simulator.client_secret
    )
    allow(simulator, google, scopes=FULL_SCOPES)
    return Target(google, "alice@example.com", simulator)


def _real_google() -> Iterator[Target]:
    base_url = os.environ.get("GOOGLE_CONTRACT_BASE_URL")
    google = ContractClient(
        Endpoints.at(base_url) if base_url else Endpoints(),
        os.environ["GOOGLE_CONTRACT_CLIENT_ID"],
        os.environ["GOOGLE_CONTRACT_CLIENT_SECRET"],
        refresh_token=os.environ["GOOGLE_CONTRACT_REFRESH_TOKEN"],
    )
    google.access_token = google.refresh().json["access_token"]
    calendar_id = os.environ["GOOGLE_CONTRACT_CALENDAR_ID"]
    yield Target(google, calendar_id, None)
    for event_id in google.made:
        google.delete(event_id, calendar_id)


@pytest.fixture
def google(target: Target) -> ContractClient:
    """Signed in, allowed everything."""
    return target.google


@pytest.fixture
def calendar(target: Target) -> str:
    return target.calendar_id


@pytest.fixture
def simulator(target: Target) -> RunningSimulator:
    """For facts that need a knob or a consent page; such a test says nothing about real Google."""
    if target.simulator is None:
        pytest.skip("needs the simulator's knobs")
    return target.simulator


def allow(
    simulator: RunningSimulator,
    google: GoogleClient,
    account: str = "alice@example.com",
    scopes: tuple[str, ...] = SCOPES,
    grant: Any = "all",
    **changes: str | None,
) -> Reply:
    """Consent and exchange."""
    url = google.authorization_url(scope=" ".join(scopes), **changes)
    redirect = simulator.authorize(url, account=account, grant=grant)
    return google.exchange(unquote(answers(redirect)["code"]))


@pytest.fixture
def sign_in(simulator: RunningSimulator) -> Callable[..., ContractClient]:
    """Another client of the same project: `sign_in("bob", "calendar.events")`."""

    def make(name: str = "alice", *short_scopes: str) -> ContractClient:
        client = ContractClient(
            Endpoints.at(simulator.base_url), simulator.client_id, simulator.client_secret
        )
        scopes = ("openid", "email", *(AUTH + short for short in short_scopes or ("calendar",)))
        reply = allow(simulator, client, f"{name}@example.com", scopes)
        assert reply.status == 200, reply.content
        return client

    return make


@pytest.fixture
def set_clock(simulator: RunningSimulator, google: ContractClient) -> Callable[[str], None]:
    """To another moment, however far away; the client is signed in there."""

    def go(moment: str) -> None:
        simulator.set_clock(moment)
        allow(simulator, google, scopes=FULL_SCOPES)

    return go


@pytest.fixture
def fresh(simulator: RunningSimulator, google: ContractClient) -> ContractClient:
    """The same OAuth client, but alice has not allowed it anything."""
    simulator.revoke_grant("alice@example.com")
    google.access_token = google.refresh_token = None
    return google


@pytest.fixture
def walk(simulator: RunningSimulator) -> Callable[..., dict[str, str]]:
    """Through the consent pages: the parameters of the callback."""

    def go(
        google: GoogleClient, account: str = "alice@example.com", grant: Any = "all", **changes: Any
    ) -> dict[str, str]:
        url = google.authorization_url(**changes)
        return answers(simulator.authorize(url, account=account, grant=grant))

    return go


@pytest.fixture
def new_id() -> str:
    """A free event id: a UUID in hex is within Google's alphabet."""
    return uuid.uuid4().hex


@pytest.fixture
def discovery_document() -> dict[str, Any]:
    return discovery()


@pytest.fixture
def methods() -> dict[str, dict[str, Any]]:
    return discovery_methods()


def timed(start: str = "2027-03-01T10:00:00+11:00", hours: float = 1, **more: Any) -> dict:
    """The body of an event in Sydney."""
    end = (datetime.fromisoformat(start) + timedelta(hours=hours)).isoformat()
    zone = "Australia/Sydney"
    return {
        "summary": "Contract test",
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        **more,
    }


@pytest.fixture(name="timed")
def timed_fixture() -> Callable[..., dict]:
    return timed
