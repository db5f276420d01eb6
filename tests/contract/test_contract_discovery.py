"""Google's discovery document against what the simulator serves."""

from __future__ import annotations

import re

import pytest

from google_simulator.calendar.methods import METHODS
from google_simulator.calendar.scopes import METHOD_SCOPES
from google_simulator.oauth.scopes import LABELS

IN_FULL = ("calendarList", "events", "freebusy", "channels")
NOT_SIMULATED = {
    "calendar.events.quickAdd",
    "calendar.calendarList.watch",
}


def test_every_method_of_the_document_has_its_address(methods) -> None:
    served = {method.id: (method.verb, "/".join(method.path)) for method in METHODS}
    documented = {name: (method["httpMethod"], method["path"]) for name, method in methods.items()}
    assert served == documented


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
