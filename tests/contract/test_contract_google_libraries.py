"""Google's own Python libraries against the simulator: a grant's life, an event's life."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import google.auth.transport.requests
import httplib2
import pytest
import requests
from google.auth.exceptions import RefreshError
from google.oauth2 import id_token
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from google_auth_oauthlib.flow import Flow
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError

from google_simulator.client import SCOPES

ALICE = "alice@example.com"
REDIRECT = "http://localhost:8000/integrations/google/callback"


@pytest.fixture
def flow(simulator, monkeypatch: pytest.MonkeyPatch) -> Flow:
    # oauthlib insists on https and on the scopes' own spelling; Google's answers differ in order.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
    config = {
        "web": {
            "client_id": simulator.client_id,
            "client_secret": simulator.client_secret,
            "auth_uri": f"{simulator.base_url}/o/oauth2/v2/auth",
            "token_uri": f"{simulator.base_url}/token",
        }
    }
    return Flow.from_client_config(config, scopes=list(SCOPES), redirect_uri=REDIRECT)


@pytest.fixture
def credentials(simulator, flow: Flow) -> Iterator[Credentials]:
    simulator.revoke_grant(ALICE)
    url, _ = flow.authorization_url(access_type="offline", prompt="consent")
    assert "code_challenge" in url
    redirect = simulator.authorize(url, account=ALICE)
    flow.fetch_token(authorization_response=redirect)
    yield flow.credentials
    flow.oauth2session.close()


@pytest.fixture
def transport() -> Iterator[google.auth.transport.requests.Request]:
    with requests.Session() as session:
        yield google.auth.transport.requests.Request(session)


def _built(simulator, credentials: Credentials, document: dict[str, Any]) -> Any:
    """Google's client, built from its own document with another root address."""
    document = {**document, "rootUrl": f"{simulator.base_url}/"}
    document["baseUrl"] = document["rootUrl"] + document["servicePath"]
    document.pop("mtlsRootUrl", None)
    http = AuthorizedHttp(credentials, http=httplib2.Http(timeout=60))
    return build_from_document(document, http=http)


@pytest.fixture
def service(simulator, credentials: Credentials, discovery_document) -> Iterator[Any]:
    with _built(simulator, credentials, discovery_document) as service:
        yield service


def test_the_life_of_a_grant(simulator, credentials: Credentials, transport) -> None:
    claims = id_token.verify_token(
        credentials.id_token,
        transport,
        audience=simulator.client_id,
        certs_url=f"{simulator.base_url}/oauth2/v3/certs",
    )
    assert claims["email"] == ALICE
    first = credentials.token
    credentials.refresh(transport)
    assert credentials.token != first
    assert credentials.refresh_token
    assert set(credentials.granted_scopes) >= set(SCOPES[2:])
    revoked = requests.post(
        f"{simulator.base_url}/revoke", data={"token": credentials.refresh_token}, timeout=10
    )
    assert revoked.status_code == 200
    with pytest.raises(RefreshError, match="expired or revoked"):
        credentials.refresh(transport)


def test_the_library_refreshes_on_401_by_itself(simulator, service) -> None:
    simulator.expire_access_tokens(ALICE)
    assert service.calendarList().list().execute()["items"]
    assert len(simulator.calls(method="oauth.refresh")) == 1


def test_the_library_retries_a_refresh_that_failed(simulator, credentials, transport) -> None:
    simulator.fault(method="oauth.refresh", status=503, reason="internal_failure", count=1)
    credentials.refresh(transport)
    assert [call["status"] for call in simulator.calls(method="oauth.refresh")] == [503, 200]


def test_the_life_of_an_event(service, timed, new_id) -> None:
    events = service.events()
    made = events.insert(calendarId="primary", body=timed(id=new_id), sendUpdates="none").execute()
    assert made["id"] == new_id
    assert events.get(calendarId="primary", eventId=new_id).execute() == made
    patched = events.patch(
        calendarId="primary", eventId=new_id, body={"location": "There"}
    ).execute()
    assert patched["location"] == "There"
    patched["summary"] = "Updated"
    updated = events.update(calendarId="primary", eventId=new_id, body=patched).execute()
    assert updated["summary"] == "Updated"
    stale = events.delete(calendarId="primary", eventId=new_id)
    stale.headers["If-Match"] = made["etag"]
    with pytest.raises(HttpError) as refused:
        stale.execute()
    assert refused.value.resp.status == 412
    assert events.delete(calendarId="primary", eventId=new_id).execute() == ""
    with pytest.raises(HttpError) as gone:
        events.delete(calendarId="primary", eventId=new_id).execute()
    assert gone.value.resp.status == 410
    assert gone.value.error_details[0]["reason"] == "deleted"


def test_the_library_pages_and_syncs(service, timed) -> None:
    events = service.events()
    for hour in range(5):
        events.insert(
            calendarId="primary", body=timed(f"2027-03-01T{10 + hour}:00:00+11:00")
        ).execute()
    request = events.list(calendarId="primary", maxResults=2)
    items, token = [], None
    while request is not None:
        page = request.execute()
        items += page["items"]
        token = page.get("nextSyncToken")
        request = events.list_next(request, page)
    assert len(items) == 5
    events.delete(calendarId="primary", eventId=items[0]["id"]).execute()
    changed = events.list(calendarId="primary", syncToken=token).execute()["items"]
    assert [item["status"] for item in changed] == ["cancelled"]


def test_the_library_retries_where_it_is_told_to(simulator, service) -> None:
    simulator.fault(method="calendar.events.list", status=503, count=1)
    request = service.events().list(calendarId="primary")
    request._sleep = lambda seconds: None
    assert request.execute(num_retries=2)["kind"] == "calendar#events"


def test_ids_with_strange_signs_arrive_whole(service) -> None:
    holidays = "en.australian#holiday@group.v.calendar.google.com"
    entry = service.calendarList().get(calendarId=holidays).execute()
    assert entry["id"] == holidays


def test_a_missing_permission_reads_as_the_library_expects(simulator, flow, discovery_document):
    simulator.revoke_grant(ALICE)
    url, _ = flow.authorization_url(access_type="offline", prompt="consent")
    flow.fetch_token(
        authorization_response=simulator.authorize(url, account=ALICE, grant=[SCOPES[2]])
    )
    service = _built(simulator, flow.credentials, discovery_document)
    with service, pytest.raises(HttpError) as refused:
        service.events().list(calendarId="primary").execute()
    flow.oauth2session.close()
    assert refused.value.resp.status == 403
    assert refused.value.error_details[0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
