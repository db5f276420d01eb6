"""The knobs as Python, for tests: nothing but the standard library, one blocking call each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from google_simulator.client import Endpoints
from google_simulator.first_client import FirstClient
from google_simulator.walker import walk_consent

Json = dict[str, Any]


class ControlError(Exception):
    """The simulator refused; `status` and `body` say how."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class SimulatorControl:
    """Turns the knobs of a running simulator and reads what happened in it."""

    def __init__(
        self,
        base_url: str,
        *,
        client_id: str = FirstClient.id,
        client_secret: str = FirstClient.secret,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.client_id = client_id
        self.client_secret = client_secret

    # -- where a client finds it -----------------------------------------------------------------

    @property
    def endpoints(self) -> Endpoints:
        """Google's addresses, here."""
        return Endpoints.at(self.base_url)

    def authorize(self, url: str, *, account: str, grant: str | Iterable[str] = "all") -> str:
        """Walk the consent pages as a browser would; answers the redirect to the application.

        `grant` is "all", "deny", or the scopes to leave ticked.
        """
        return walk_consent(url, account=account, grant=grant)

    # -- the log ---------------------------------------------------------------------------------

    def calls(
        self,
        *,
        method: str = "*",
        account: str | None = None,
        calendar_id: str | None = None,
        after: int = 0,
    ) -> list[Json]:
        """The logged calls after a number; `method` is a pattern."""
        query = {"method": method, "after": after, "account": account, "calendar_id": calendar_id}
        return _list(self.get("/calls", query)["items"])

    def clear_calls(self) -> None:
        """Forget the logged calls."""
        self.send("DELETE", "/calls")

    # -- events, as the Google user sees and changes them ----------------------------------------

    def events(self, email: str, calendar_id: str = "primary") -> list[Json]:
        """Live events, series as their masters."""
        return _list(self.get(_events(email, calendar_id), {"live": "true"})["items"])

    def all_events(self, email: str, calendar_id: str = "primary") -> list[Json]:
        """Cancelled ones as well."""
        return _list(self.get(_events(email, calendar_id))["items"])

    def event(self, email: str, calendar_id: str, event_id: str) -> Json:
        """One event as stored."""
        return self.get(_event(email, calendar_id, event_id))

    def insert_event(self, email: str, calendar_id: str, body: Json) -> Json:
        """Make an event by hand."""
        return self.send("POST", _events(email, calendar_id), body)

    def insert_events(self, email: str, calendar_id: str, bodies: list[Json]) -> list[str]:
        """Many at once (a few thousand per call); answers their ids."""
        return _list(
            self.send("POST", f"{_events(email, calendar_id)}/bulk", {"items": bodies})["ids"]
        )

    def patch_event(self, email: str, calendar_id: str, event_id: str, body: Json) -> Json:
        """Change an event, or an instance of a series, by hand."""
        return self.send("PATCH", _event(email, calendar_id, event_id), body)

    def delete_event(self, email: str, calendar_id: str, event_id: str) -> Json:
        """Delete an event by hand."""
        return self.send("DELETE", _event(email, calendar_id, event_id))

    def move_event(self, email: str, calendar_id: str, event_id: str, destination: str) -> Json:
        """Move an event into another calendar by hand."""
        address = f"{_event(email, calendar_id, event_id)}/move"
        return self.send("POST", address, {"destination": destination})

    def empty_trash(self, email: str, calendar_id: str = "primary") -> Json:
        """Make deleted events of the calendar irretrievable."""
        return self.send("POST", f"{_calendar(email, calendar_id)}/empty-trash")

    def digest(self, exclude_client: str | None = None) -> str:
        """Of all events that the client (default: ours) did not make."""
        query = {"exclude_client": exclude_client or self.client_id}
        return str(self.get("/digest", query)["digest"])

    # -- calendars and accounts ------------------------------------------------------------------

    def calendars(self, email: str) -> list[Json]:
        """The calendars in an account's list."""
        return _list(self.get(_account(email))["calendars"])

    def create_calendar(self, email: str, summary: str, **more: Any) -> Json:
        """Make a secondary calendar."""
        return self.send("POST", f"{_account(email)}/calendars", {"summary": summary, **more})

    def change_calendar(self, email: str, calendar_id: str, **changes: Any) -> Json:
        """Change a calendar's `summary`, `description`, `location` or `time_zone`."""
        return self.send("PATCH", _calendar(email, calendar_id), changes)

    def delete_calendar(self, email: str, calendar_id: str) -> Json:
        """Delete a secondary calendar."""
        return self.send("DELETE", _calendar(email, calendar_id))

    def set_role(self, email: str, calendar_id: str, role: str | None) -> Json:
        """Give the account a role in a calendar; None takes it."""
        return self.send("POST", f"{_calendar(email, calendar_id)}/role", {"role": role})

    def show_calendar(self, email: str, calendar_id: str, **settings: Any) -> Json:
        """Take the calendar into the account's list, with these settings."""
        return self.send("POST", f"{_calendar(email, calendar_id)}/show", settings)

    def expire_sync_tokens(self, email: str, calendar_id: str = "primary") -> Json:
        """End every sync token of the calendar."""
        return self.send("POST", f"{_calendar(email, calendar_id)}/expire-sync-tokens")

    def accounts(self) -> list[Json]:
        """All accounts with their calendars and grants."""
        return _list(self.get("/accounts")["items"])

    def add_account(self, email: str, name: str | None = None, time_zone: str = "UTC") -> Json:
        """Make an account with a primary calendar."""
        body = {"email": email, "name": name or email, "time_zone": time_zone}
        return self.send("POST", "/accounts", body)

    def delete_account(self, email: str) -> Json:
        """Delete an account."""
        return self.send("POST", f"{_account(email)}/delete")

    def revoke_grant(self, email: str) -> Json:
        """Withdraw what the account allowed, as on its page at Google."""
        return self.send("POST", f"{_account(email)}/revoke-grant")

    def fail_tokens(self, email: str, cause: str | None) -> Json:
        """Let every refresh fail for this cause; None heals."""
        return self.send("POST", f"{_account(email)}/tokens", {"failure": cause})

    def expire_access_tokens(self, email: str) -> Json:
        """End the account's access tokens now."""
        return self.send("POST", f"{_account(email)}/tokens", {"expire": True})

    def consent(self, email: str, **restrictions: Any) -> Json:
        """Set what goes wrong on the consent pages: `error`, `withhold`."""
        return self.send("POST", f"{_account(email)}/consent", restrictions)

    def quota_exceeded(self, email: str, seconds: float = 3 * 3600) -> Json:
        """Make the account's calendars read-only for so long."""
        return self.send("POST", f"{_account(email)}/quota-exceeded", {"seconds": seconds})

    def invitations_exceeded(self, email: str, seconds: float = 3 * 3600) -> Json:
        """Refuse writes that invite somebody for so long."""
        return self.send("POST", f"{_account(email)}/invitations-exceeded", {"seconds": seconds})

    def client(self, client_id: str, **settings: Any) -> Json:
        """Make or change an OAuth client."""
        return self.send("POST", "/clients", {"id": client_id, **settings})

    def project(self, project_id: str = "demo-project", **settings: Any) -> Json:
        """Change a project: `publishing`, `calendar_api_enabled`."""
        return self.send("POST", "/projects", {"id": project_id, **settings})

    # -- failures, time, behaviour ---------------------------------------------------------------

    def fault(self, method: str = "*", kind: str = "error", **more: Any) -> Json:
        """Make calls fail; see `faults.Fault` for what can be said."""
        return self.send("POST", "/faults", {"method": method, "kind": kind, **more})

    def faults(self) -> list[Json]:
        """The faults in force."""
        return _list(self.get("/faults")["items"])

    def clear_faults(self) -> None:
        """End all faults."""
        self.send("DELETE", "/faults")

    def latency(self, ms: float = 0, spread_ms: float = 0, list_lag_seconds: float = 0) -> None:
        """Delay every call, and let lists lag behind writes."""
        body = {"ms": ms, "spread_ms": spread_ms, "list_lag_seconds": list_lag_seconds}
        self.send("POST", "/latency", body)

    def advance_clock(self, seconds: float) -> str:
        """Move the clock; answers the new moment."""
        return str(self.send("POST", "/clock", {"advance_seconds": seconds})["now"])

    def set_clock(self, moment: str) -> str:
        """Set the clock; answers the new moment."""
        return str(self.send("POST", "/clock", {"set": moment})["now"])

    def now(self) -> str:
        """The simulated moment."""
        return str(self.get("/state")["now"])

    def state(self) -> Json:
        """Everything that can be turned, as it stands."""
        return self.get("/state")

    def switch(self, **settings: str) -> Json:
        """Set switches by name; answers all settings."""
        return self.send("POST", "/switches", settings)

    def quotas(self, **settings: Any) -> Json:
        """Set the limits of calls; answers them."""
        return self.send("POST", "/quotas", settings)

    def push(self, **settings: Any) -> Json:
        """Set what goes wrong with notifications; answers the settings."""
        return self.send("POST", "/push", settings)

    def deliveries(self) -> list[Json]:
        """Every attempt to deliver a notification."""
        return _list(self.get("/push")["deliveries"])

    def channels(self) -> list[Json]:
        """All push channels, stopped ones too."""
        return _list(self.get("/push")["channels"])

    def reset(self, seed: str | None = None) -> None:
        """Back to the first day."""
        self.send("POST", "/reset", {"seed": seed} if seed else {})

    # -- the wire --------------------------------------------------------------------------------

    def get(self, address: str, query: dict[str, Any] | None = None) -> Json:
        """Read one knob."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self.send("GET", f"{address}?{urlencode(given)}" if given else address)

    def send(self, verb: str, address: str, body: Json | None = None) -> Json:
        """One request to the knobs."""
        parts = urlsplit(self.base_url)
        connection = HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=30)
        try:
            data = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json"}
            connection.request(verb, f"/simulator/api{address}", body=data, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        parsed: Json = json.loads(content) if content else {}
        if answer.status >= 400:
            raise ControlError(answer.status, parsed)
        return parsed


def _list(found: Any) -> list[Any]:
    assert isinstance(found, list)
    return found


def _account(email: str) -> str:
    return f"/accounts/{quote(email, safe='@')}"


def _calendar(email: str, calendar_id: str) -> str:
    return f"{_account(email)}/calendars/{quote(calendar_id, safe='@')}"


def _events(email: str, calendar_id: str) -> str:
    return f"{_calendar(email, calendar_id)}/events"


def _event(email: str, calendar_id: str, event_id: str) -> str:
    return f"{_events(email, calendar_id)}/{quote(event_id, safe='')}"
