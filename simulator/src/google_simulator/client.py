"""A bare client of Google, for tests: it sends what it is told and hides nothing of the answer.

The addresses are arguments; it talks to the simulator and to Google alike. Standard library only.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

Json = dict[str, Any]
SCOPES = (
    "openid",
    "email",
    "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
    "https://www.googleapis.com/auth/calendar.events",
)


@dataclass(frozen=True)
class Endpoints:
    """Where Google stands. The defaults are Google's own addresses."""

    authorize: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    revoke: str = "https://oauth2.googleapis.com/revoke"
    userinfo: str = "https://openidconnect.googleapis.com/v1/userinfo"
    certs: str = "https://www.googleapis.com/oauth2/v3/certs"
    tokeninfo: str = "https://oauth2.googleapis.com/tokeninfo"
    api: str = "https://www.googleapis.com/calendar/v3"

    @classmethod
    def at(cls, base_url: str) -> Endpoints:
        """All of them on one simulator."""
        return cls(
            authorize=f"{base_url}/o/oauth2/v2/auth",
            token=f"{base_url}/token",
            revoke=f"{base_url}/revoke",
            userinfo=f"{base_url}/v1/userinfo",
            certs=f"{base_url}/oauth2/v3/certs",
            tokeninfo=f"{base_url}/tokeninfo",
            api=f"{base_url}/calendar/v3",
        )


@dataclass(frozen=True)
class Reply:
    """An answer as it came."""

    status: int
    headers: Message
    content: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.content)

    @property
    def reason(self) -> str | None:
        """The first reason, wherever it stands."""
        try:
            error = self.json["error"]
        except (ValueError, KeyError, TypeError):
            return None
        if isinstance(error, str):
            return error
        reason: str | None = error["errors"][0].get("reason")
        return reason


@dataclass
class GoogleClient:
    """One OAuth client's view of Google; `access_token` is used for Calendar calls if set."""

    endpoints: Endpoints
    client_id: str
    client_secret: str
    redirect_uri: str = "http://127.0.0.1:8000/callback"
    access_token: str | None = None
    refresh_token: str | None = None
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    # -- OAuth ------------------------------------------------------------------------------

    def authorization_url(self, **changes: str | None) -> str:
        """A correct request, apart from `changes`; None leaves a parameter out."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        query: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": " ".join(SCOPES),
            "access_type": "offline",
            "prompt": "consent",
            "state": "a-state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        query |= changes
        given = {name: value for name, value in query.items() if value is not None}
        return f"{self.endpoints.authorize}?{urlencode(given)}"

    def exchange(self, code: str, **changes: str | None) -> Reply:
        """A code for tokens, which are kept; `changes` spoil the request."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        reply = self.form(self.endpoints.token, form | changes)
        if reply.status == 200:
            self.access_token = reply.json["access_token"]
            self.refresh_token = reply.json.get("refresh_token")
        return reply

    def refresh(self, refresh_token: str | None = None, **changes: str | None) -> Reply:
        """A new access token, which is not kept."""
        form: dict[str, str | None] = {
            "grant_type": "refresh_token",
            "refresh_token": refresh_token or self.refresh_token,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }
        return self.form(self.endpoints.token, form | changes)

    def revoke(self, token: str) -> Reply:
        """End the grant behind a token."""
        return self.form(self.endpoints.revoke, {"token": token})

    def userinfo(self) -> Reply:
        """Who the account is."""
        return self.send("GET", self.endpoints.userinfo)

    def form(self, url: str, fields: Mapping[str, str | None]) -> Reply:
        """Post a form."""
        given = {name: value for name, value in fields.items() if value is not None}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return _request("POST", url, urlencode(given).encode(), headers)

    # -- Calendar -----------------------------------------------------------------------------

    def call(
        self,
        verb: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Reply:
        """`path` below the API's root, its ids already quoted; a list repeats a parameter."""
        text = urlencode(query, doseq=True)
        url = f"{self.endpoints.api}/{path}{f'?{text}' if text else ''}"
        return self.send(verb, url, body, headers)

    def send(
        self, verb: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request with the access token, if there is one."""
        sent = dict(headers or {})
        if self.access_token and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {self.access_token}"
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        return _request(verb, url, data, sent)

    def events(self, calendar_id: str = "primary", **query: Any) -> Reply:
        """One page of events."""
        return self.call("GET", events_path(calendar_id), **query)

    def insert(self, body: Json, calendar_id: str = "primary", **query: Any) -> Reply:
        """Make an event."""
        return self.call("POST", events_path(calendar_id), body, **query)

    def get(self, event_id: str, calendar_id: str = "primary", **query: Any) -> Reply:
        """Read an event."""
        return self.call("GET", event_path(calendar_id, event_id), **query)

    def patch(
        self,
        event_id: str,
        body: Json,
        calendar_id: str = "primary",
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Reply:
        """Change an event in part."""
        return self.call("PATCH", event_path(calendar_id, event_id), body, headers, **query)

    def delete(
        self,
        event_id: str,
        calendar_id: str = "primary",
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Reply:
        """Delete an event."""
        return self.call("DELETE", event_path(calendar_id, event_id), None, headers, **query)

    def all_pages(self, calendar_id: str = "primary", **query: Any) -> tuple[list[Json], str]:
        """Every item and the sync token of the last page."""
        items: list[Json] = []
        page: dict[str, str] = {}
        while True:
            body = self.events(calendar_id, **{**query, **page}).json
            items += body["items"]
            if "nextPageToken" not in body:
                return items, body.get("nextSyncToken", "")
            page = {"pageToken": body["nextPageToken"]}


def events_path(calendar_id: str) -> str:
    """The path of a calendar's events, its id quoted."""
    return f"calendars/{quote(calendar_id, safe='')}/events"


def event_path(calendar_id: str, event_id: str) -> str:
    """The path of one event, both ids quoted."""
    return f"{events_path(calendar_id)}/{quote(event_id, safe='')}"


def answers(redirect: str) -> dict[str, str]:
    """The parameters of a callback."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(redirect).query).items()}


def _request(verb: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Reply:
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=30)
    try:
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        if data is None and verb in ("POST", "PUT", "PATCH"):
            data = b""
        connection.request(verb, path, body=data, headers=dict(headers))
        answer = connection.getresponse()
        content = answer.read()
        if answer.getheader("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return Reply(answer.status, answer.headers, content)
    finally:
        connection.close()
