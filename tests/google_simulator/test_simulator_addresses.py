"""Addresses beside the main road: other verbs, batches, token info, keys, discovery."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import unquote, urlencode

import jwt
import pytest

from google_simulator.client import GoogleClient, Reply, answers
from google_simulator.testing import RunningSimulator

ALICE = "alice@example.com"
EVENT = {
    "summary": "Tap",
    "start": {"dateTime": "2027-03-01T10:00:00+11:00"},
    "end": {"dateTime": "2027-03-01T11:00:00+11:00"},
}


# -- X-HTTP-Method-Override ------------------------------------------------------------------


def _overriding(google: GoogleClient, verb: str, path: str, body: Any, **headers: str) -> Reply:
    return google.call("POST", path, body, {"X-HTTP-Method-Override": verb, **headers})


def test_a_post_can_be_a_get_with_its_query_in_the_body(alice: GoogleClient) -> None:
    made = alice.insert(EVENT).json["id"]
    alice.insert({**EVENT, "summary": "Pipe"})
    form = urlencode({"q": "tap", "maxResults": 10}).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    found = _overriding(alice, "GET", "calendars/primary/events", form, **kind)
    assert [event["id"] for event in found.json["items"]] == [made]


def test_a_post_can_be_any_other_verb(simulator: RunningSimulator, alice: GoogleClient) -> None:
    path = f"calendars/primary/events/{alice.insert(EVENT).json['id']}"
    assert _overriding(alice, "PATCH", path, {"summary": "Pipe"}).json["summary"] == "Pipe"
    assert _overriding(alice, "delete", path, None).status == 204
    assert len(simulator.calls(method="calendar.events.patch")) == 1
    assert simulator.events(ALICE) == []


def test_only_a_post_is_overridden(simulator: RunningSimulator, alice: GoogleClient) -> None:
    event_id = alice.insert(EVENT).json["id"]
    path = f"calendars/primary/events/{event_id}"
    shown = alice.call("GET", path, headers={"X-HTTP-Method-Override": "DELETE"})
    assert shown.json["id"] == event_id
    assert simulator.events(ALICE)


# -- batches -------------------------------------------------------------------------------------


def _batch(google: GoogleClient, base_url: str, *calls: str, kind: str | None = None) -> Reply:
    parts = [
        f"--b\r\nContent-Type: application/http\r\nContent-ID: <n{number}>\r\n\r\n{call}\r\n"
        for number, call in enumerate(calls)
    ]
    headers = {"Content-Type": kind or "multipart/mixed; boundary=b"}
    body = "".join([*parts, "--b--"]).encode()
    return google.send("POST", f"{base_url}/batch/calendar/v3", body, headers)


GET = "GET /calendar/v3/users/me/calendarList HTTP/1.1\r\n\r\n"


def test_a_batch_answers_each_call(simulator: RunningSimulator, alice: GoogleClient) -> None:
    event = json.dumps({**EVENT, "id": "batched00001"})
    insert = (
        "POST /calendar/v3/calendars/primary/events?fields=id HTTP/1.1\r\n"
        f"Content-Type: application/json\r\n\r\n{event}"
    )
    reply = _batch(alice, simulator.base_url, insert, GET, "GET /elsewhere HTTP/1.1\r\n\r\n")
    assert reply.status == 200
    text = reply.content.decode()
    assert text.count("HTTP/1.1 200 OK") == 2
    assert text.count("HTTP/1.1 404 Not Found") == 1
    assert "Content-ID: <response-n0>" in text
    assert '{"id":"batched00001"}' in text
    assert [one["id"] for one in simulator.events(ALICE)] == ["batched00001"]


def test_each_call_of_a_batch_is_logged_charged_and_may_fail(
    simulator: RunningSimulator, alice: GoogleClient
) -> None:
    simulator.fault(method="calendar.calendarList.list", status=503, count=1)
    simulator.quotas(per_user=2, clear=True)
    text = _batch(alice, simulator.base_url, GET, GET, GET, GET).content.decode()
    logged = simulator.calls(method="calendar.calendarList.list")
    assert [call["status"] for call in logged] == [503, 200, 200, 403]
    assert "rateLimitExceeded" in text


def test_a_part_may_bring_its_own_credentials(
    simulator: RunningSimulator, alice: GoogleClient, bob: GoogleClient
) -> None:
    theirs = GET.replace("\r\n\r\n", f"\r\nAuthorization: Bearer {bob.access_token}\r\n\r\n")
    _batch(alice, simulator.base_url, GET, theirs)
    accounts = [call["account"] for call in simulator.calls(method="calendar.calendarList.list")]
    assert accounts == [ALICE, "bob@example.com"]


def test_batches_that_make_no_sense(simulator: RunningSimulator, alice: GoogleClient) -> None:
    base_url = simulator.base_url
    for wrong in (
        _batch(alice, base_url),
        _batch(alice, base_url, *[GET] * 51),
        _batch(alice, base_url, "nonsense"),
        _batch(alice, base_url, ""),
        _batch(alice, base_url, GET, kind="application/json"),
        _batch(alice, base_url, GET, kind="multipart/mixed"),
    ):
        assert wrong.status == 400
    simulator.switch(max_batch="1000")
    assert _batch(alice, base_url, *[GET] * 51).status == 200


# -- token info, people, keys ----------------------------------------------------------------------


def _info(google: GoogleClient, base_url: str, address: str, **query: str) -> Reply:
    text = f"?{urlencode(query)}" if query else ""
    bare = GoogleClient(google.endpoints, "", "")
    return bare.send("GET", f"{base_url}{address}{text}")


@pytest.mark.parametrize("address", ["/tokeninfo", "/oauth2/v3/tokeninfo"])
def test_token_info_of_an_access_token(simulator, alice: GoogleClient, address: str) -> None:
    info = _info(alice, simulator.base_url, address, access_token=str(alice.access_token)).json
    assert (info["aud"], info["email"]) == (simulator.client_id, ALICE)
    assert info["email_verified"] == "true"
    posted = alice.send("POST", f"{simulator.base_url}{address}")
    assert posted.json["sub"] == info["sub"]
    assert _info(alice, simulator.base_url, address, access_token="wrong").status == 400
    assert _info(alice, simulator.base_url, address, access_token="").status == 400


def test_token_info_as_version_2_spells_it(simulator, alice: GoogleClient) -> None:
    token = str(alice.access_token)
    info = _info(alice, simulator.base_url, "/oauth2/v2/tokeninfo", access_token=token).json
    assert info["issued_to"] == info["audience"] == simulator.client_id
    assert info["verified_email"] is True
    assert isinstance(info["expires_in"], int)


def _exchanged(simulator: RunningSimulator, google: GoogleClient) -> dict[str, Any]:
    url = google.authorization_url(scope="openid email profile")
    return google.exchange(unquote(answers(simulator.authorize(url, account=ALICE))["code"])).json


def test_token_info_of_an_id_token(simulator: RunningSimulator, new_client) -> None:
    google = new_client()
    token = _exchanged(simulator, google)["id_token"]
    info = _info(google, simulator.base_url, "/tokeninfo", id_token=token).json
    assert (info["email"], info["aud"]) == (ALICE, simulator.client_id)
    assert info["exp"].isdecimal()
    head, claims, signature = token.split(".")
    forged = f"{head}.{claims}.{signature[:-8]}AAAAAAAA"
    assert _info(google, simulator.base_url, "/tokeninfo", id_token=forged).status == 400
    simulator.advance_clock(3700)
    assert _info(google, simulator.base_url, "/tokeninfo", id_token=token).status == 400


def test_an_id_token_is_tied_to_its_access_token(simulator: RunningSimulator, new_client) -> None:
    body = _exchanged(simulator, new_client())
    claims = jwt.decode(body["id_token"], options={"verify_signature": False})
    half = hashlib.sha256(body["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_userinfo_has_three_addresses(simulator: RunningSimulator, new_client) -> None:
    google = new_client()
    _exchanged(simulator, google)
    new, other = (
        google.send("GET", f"{simulator.base_url}{address}").json
        for address in ("/v1/userinfo", "/oauth2/v3/userinfo")
    )
    assert new == other
    assert new["email"] == ALICE
    old = google.send("GET", f"{simulator.base_url}/oauth2/v2/userinfo").json
    assert (old["id"], old["verified_email"]) == (new["sub"], True)


def test_certificates_hold_the_published_key(simulator: RunningSimulator, new_client) -> None:
    google = new_client()
    keys = google.send("GET", f"{simulator.base_url}/oauth2/v3/certs").json["keys"]
    certificates = google.send("GET", f"{simulator.base_url}/oauth2/v1/certs").json
    assert set(certificates) == {key["kid"] for key in keys}
    assert all(pem.startswith("-----BEGIN CERTIFICATE-----") for pem in certificates.values())


def test_the_old_authorization_address_works(simulator: RunningSimulator, new_client) -> None:
    google = new_client()
    url = google.authorization_url().replace("/o/oauth2/v2/auth", "/o/oauth2/auth")
    assert google.exchange(answers(simulator.authorize(url, account=ALICE))["code"]).status == 200


def test_openids_document_names_this_server(simulator: RunningSimulator, new_client) -> None:
    url = f"{simulator.base_url}/.well-known/openid-configuration"
    document = new_client().send("GET", url).json
    assert document["issuer"] == "https://accounts.google.com"
    addresses = [value for name, value in document.items() if name.endswith(("endpoint", "uri"))]
    assert all(address.startswith(simulator.base_url) for address in addresses)
    assert len(addresses) == 5
