"""Google's discovery document against what the simulator serves."""

from __future__ import annotations

import re
from typing import Any

import pytest

from google_simulator.calendar.methods import METHODS
from google_simulator.calendar.scopes import METHOD_SCOPES
from google_simulator.client import Endpoints, GoogleClient
from google_simulator.oauth.scopes import LABELS

IN_FULL = ("calendarList", "events", "freebusy", "channels", "acl")
NOT_SIMULATED = {"calendar.calendarList.watch", "calendar.acl.watch"}


def test_every_method_of_the_document_has_its_address(methods) -> None:
    served = {method.id: (method.verb, "/".join(method.path)) for method in METHODS}
    documented = {name: (method["httpMethod"], method["path"]) for name, method in methods.items()}
    assert served == documented


TOLD_TO_MACHINES = frozenset(
    {"$ref", "additionalProperties", "enum", "format", "httpMethod", "id", "items", "location",
     "parameterName", "parameterOrder", "path", "properties", "repeated", "request", "required",
     "response", "scopes", "supportsSubscription", "type"}
)  # fmt: skip
HOLDS_NAMES = ("properties", "parameters", "methods")


def _described(named: dict[str, Any]) -> dict[str, Any]:
    """What machines read of a table of named things; prose and defaults are left out."""
    return {name: _machine_part(thing) for name, thing in named.items()}


def _machine_part(thing: Any) -> Any:
    if not isinstance(thing, dict):
        return thing
    part = {name: _machine_part(value) for name, value in thing.items() if name in TOLD_TO_MACHINES}
    return part | {name: _described(thing[name]) for name in HOLDS_NAMES if name in thing}


@pytest.mark.parametrize("part", ["schemas", "resources", "parameters"])
def test_our_discovery_document_says_what_googles_says(simulator, discovery_document, part) -> None:
    """Every resource with its fields, every method with its parameters."""
    url = f"{simulator.base_url}/discovery/v1/apis/calendar/v3/rest"
    ours = GoogleClient(Endpoints.at(simulator.base_url), "", "").send("GET", url).json
    assert _described(ours[part]) == _described(discovery_document[part])


def test_1_11_the_scopes_are_those_of_the_document(methods) -> None:
    assert {name: set(scopes) for name, scopes in METHOD_SCOPES.items()} == {
        name: set(method["scopes"]) for name, method in methods.items()
    }


def test_every_scope_of_the_document_can_be_asked_for(discovery_document) -> None:
    documented = set(discovery_document["auth"]["oauth2"]["scopes"])
    assert documented <= set(LABELS)


def test_7_4_a_patch_of_an_event_costs_three_units() -> None:
    assert {method.id: method.units for method in METHODS if method.units != 1} == {
        "calendar.events.patch": 3
    }


def test_unserved_methods_say_so(simulator, google, methods) -> None:
    unserved = {method.id for method in METHODS if method.handler is None}
    assert {name for name in unserved if name.split(".")[1] in IN_FULL} == NOT_SIMULATED
    for name in sorted(unserved):
        path = re.sub(r"\{calendarId\}", "primary", methods[name]["path"])
        path = re.sub(r"\{\w+\}", "x", path)
        reply = google.call(methods[name]["httpMethod"], path)
        assert (reply.status, reply.reason) == (501, "notImplemented"), name
        assert name in reply.json["error"]["message"]


@pytest.mark.parametrize("path", ["nonsense", "calendars", "calendars/primary/nonsense", ""])
def test_unknown_addresses_are_404(simulator, google, path) -> None:
    assert google.call("GET", path).status == 404
