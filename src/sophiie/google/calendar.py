"""Calendar API v3: the few methods that the product calls.

Source: developers.google.com/workspace/calendar/api/v3/reference.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp

from sophiie.google.errors import (
    AccessLost,
    EventGone,
    SyncTokenExpired,
    Unreachable,
    calendar_error,
)
from sophiie.google.http import send
from sophiie.google.working_hours import WorkingHours, hours_in

# What a patch costs of Google's quotas; every other call costs one unit.
PATCH_UNITS = 3
WRITE_ROLES = frozenset({"owner", "writer", "writerWithoutPrivateAccess"})
# All that is needed of one of our own events: what a person may have changed in it.
_EVENT_FIELDS = (
    "id,status,etag,htmlLink,updated,summary,location,description,start,end,recurrence,"
    "transparency,eventType,extendedProperties/private"
)
# Of listed events, which may be other people's: when they are and whether they make the account
# busy. No title, description or place, and of the guests only the account's own answer (no
# addresses).
_ITEM_FIELDS = (
    "items(id,status,etag,updated,start,end,transparency,eventType,recurringEventId,"
    "originalStartTime,attendees(self,responseStatus),extendedProperties/private)"
)
# And of the calendar its own title. Tokens have to be named, or Google sends none.
_CHANGES_FIELDS = f"nextPageToken,nextSyncToken,summary,accessRole,timeZone,{_ITEM_FIELDS}"


BeforeCall = Callable[[], Awaitable[None]]


class AccessTokens(Protocol):
    """Where a client gets its access tokens."""

    async def access_token(self, *, rejected: str = "") -> str:
        """A token that should work now; `rejected` is one that Google just answered 401 to."""


@dataclass(frozen=True)
class Calendar:
    """An entry of the account's calendar list."""

    id: str
    name: str
    access_role: str
    primary: bool
    time_zone: str
    hidden: bool = False

    @property
    def writable(self) -> bool:
        return self.access_role in WRITE_ROLES


@dataclass(frozen=True)
class MarkedEvent:
    """An event that carries a mark of ours."""

    id: str
    private: dict[str, str]


@dataclass(frozen=True)
class Channel:
    """A channel as Google opened it: its name for what is watched, and when it ends."""

    resource_id: str
    expires_at: datetime


@dataclass(frozen=True)
class Changes:
    """What a calendar holds, or what changed in it since a token was given."""

    items: list[dict[str, Any]]
    next_sync_token: str
    access_role: str
    # The calendar's own zone (IANA), in which all-day events begin and end.
    time_zone: str
    # The calendar's title; in the account's list it may have another name.
    title: str = ""


class CalendarClient:
    """Calls on behalf of one account. Every failure is a `GoogleError`.

    `before_call` is awaited immediately before each HTTP request; what it raises prevents the
    request and reaches the caller. `units_used` is what the calls so far cost of Google's quotas.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api_url: str,
        tokens: AccessTokens,
        *,
        before_call: BeforeCall | None = None,
    ) -> None:
        self._http, self._api_url, self._tokens = http, api_url, tokens
        self._before_call = before_call
        self.units_used = 0

    async def calendars(self) -> list[Calendar]:
        """The calendars of the account, hidden ones too (calendarList.list, all pages)."""
        calendars: list[Calendar] = []
        query = {"maxResults": "250", "showHidden": "true"}
        while True:
            page = await self._call("GET", "/users/me/calendarList", query=query)
            calendars += [_calendar(item) for item in page.get("items", []) if "id" in item]
            if not page.get("nextPageToken"):
                return calendars
            query["pageToken"] = page["nextPageToken"]

    async def calendar(self, calendar_id: str) -> Calendar:
        """calendarList.get; `EventGone` when the calendar is not in the account's list."""
        path = f"/users/me/calendarList/{quote(calendar_id, safe='')}"
        return _calendar(await self._call("GET", path, query={}))

    async def primary_hours(self) -> WorkingHours | None:
        """The working hours of the account's primary calendar (calendars.get); None for an account
        that has none, which is every one outside Google Workspace."""
        fields = "timeZone,workingHours"
        found = await self._call("GET", "/calendars/primary", query={"fields": fields})
        return hours_in(found)

    async def insert(self, calendar_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """events.insert with an id of our own in `body`; `AlreadyExists` if it was ever used."""
        return await self._call("POST", _events(calendar_id), query=_quietly(), body=body)

    async def get(
        self, calendar_id: str, event_id: str, *, with_guests: bool = False
    ) -> dict[str, Any]:
        """events.get of one of our own events, whole; for a while Google returns a deleted event
        with status `cancelled`.

        `with_guests` returns other people's addresses; without it, only the account's own answer.
        """
        path = _event(calendar_id, event_id)
        guests = "attendees" if with_guests else "attendees(self,responseStatus)"
        fields = f"{_EVENT_FIELDS},{guests}"
        return await self._call("GET", path, query={"fields": fields})

    async def patch(
        self, calendar_id: str, event_id: str, body: dict[str, Any], *, if_match: str = ""
    ) -> dict[str, Any]:
        """events.patch: objects merge, lists replace, null clears, what is not named stays.

        3 quota units. With `if_match` (an etag) `Stale` when the event has changed since.
        """
        path = _event(calendar_id, event_id)
        headers = {"If-Match": if_match} if if_match else {}
        return await self._call("PATCH", path, query=_quietly(), body=body, headers=headers)

    async def delete(self, calendar_id: str, event_id: str, *, if_match: str = "") -> None:
        """events.delete; `EventGone` when there is nothing to delete (any more), `Stale` when the
        event is not the version that `if_match` (an etag) names."""
        path = _event(calendar_id, event_id)
        headers = {"If-Match": if_match} if if_match else {}
        await self._call("DELETE", path, query={"sendUpdates": "none"}, headers=headers)

    async def look_at(self, calendar_id: str) -> None:
        """events.list of next to nothing: `EventGone` when the calendar is gone or not shared."""
        query = {"maxResults": "1", "fields": "accessRole"}
        await self._call("GET", _events(calendar_id), query=query)

    async def marked_events(self, calendar_id: str, name: str, value: str) -> list[MarkedEvent]:
        """events.list of those with this private property: ids and private properties only.

        Only one constraint: Google's own pages disagree whether several mean "and" or "or".
        """
        query = {
            "privateExtendedProperty": f"{name}={value}",
            "maxResults": "2500",
            "fields": "nextPageToken,items(id,extendedProperties/private)",
        }
        found: list[MarkedEvent] = []
        while True:
            page = await self._call("GET", _events(calendar_id), query=query)
            for item in page.get("items", []):
                private = (item.get("extendedProperties") or {}).get("private") or {}
                found.append(MarkedEvent(str(item["id"]), private))
            if not page.get("nextPageToken"):
                return found
            query["pageToken"] = page["nextPageToken"]

    async def changes(
        self,
        calendar_id: str,
        *,
        sync_token: str = "",
        time_min: datetime | None = None,
        time_max: datetime | None = None,
        with_deleted: bool = False,
    ) -> Changes:
        """events.list: what is there between two times or, with a token, what changed since.

        Fetches all pages with the same parameters; a page may be short or empty and still not be
        the last. A token forbids bounds. Deleted events are listed with a token, or if asked for,
        and hold little more than their id. Of an event listed twice the later version counts.
        `SyncTokenExpired` when a token is no longer good.

        Source: the guide to synchronisation and the reference of events.list.
        """
        query = {"singleEvents": "true", "maxResults": "2500", "fields": _CHANGES_FIELDS}
        if sync_token:
            query["syncToken"] = sync_token
        else:
            bounds = {"timeMin": time_min, "timeMax": time_max}
            query |= {name: _rfc_3339(bound) for name, bound in bounds.items() if bound}
            if with_deleted:
                query["showDeleted"] = "true"
        found: dict[str, dict[str, Any]] = {}
        while True:
            page = await self._page_of_changes(calendar_id, query)
            found |= {item["id"]: item for item in map(_named, _items(page))}
            if not page.get("nextPageToken"):
                return Changes(
                    items=list(found.values()),
                    next_sync_token=str(page.get("nextSyncToken", "")),
                    access_role=str(page.get("accessRole", "")),
                    time_zone=str(page.get("timeZone", "")),
                    title=str(page.get("summary", "")),
                )
            query["pageToken"] = page["nextPageToken"]

    async def instances(
        self, calendar_id: str, series_id: str, *, time_min: datetime, time_max: datetime
    ) -> list[dict[str, Any]]:
        """events.instances: the occurrences of a series between two times, as in `changes`.

        `EventGone` when there is no such series.
        """
        query = {
            "maxResults": "2500",
            "timeMin": _rfc_3339(time_min),
            "timeMax": _rfc_3339(time_max),
            "fields": f"nextPageToken,{_ITEM_FIELDS}",
        }
        path = f"{_event(calendar_id, series_id)}/instances"
        found: dict[str, dict[str, Any]] = {}
        while True:
            page = await self._call("GET", path, query=query)
            found |= {item["id"]: item for item in map(_named, _items(page))}
            if not page.get("nextPageToken"):
                return list(found.values())
            query["pageToken"] = page["nextPageToken"]

    async def is_there(self, calendar_id: str, event_id: str) -> bool:
        """events.get of next to nothing: whether the event exists and is not deleted."""
        try:
            path = _event(calendar_id, event_id)
            event = await self._call("GET", path, query={"fields": "id,status"})
        except EventGone:
            return False
        return event.get("status") != "cancelled"

    async def watch(
        self, calendar_id: str, *, channel_id: str, token: str, address: str
    ) -> Channel:
        """events.watch: Google notifies `address` of changes, over a channel that we name. A first
        notification may come before the answer to this. Source: the guide to push."""
        body = {"id": channel_id, "type": "web_hook", "address": address, "token": token}
        answer = await self._call("POST", f"{_events(calendar_id)}/watch", query={}, body=body)
        return Channel(str(answer.get("resourceId", "")), _expiry(answer.get("expiration")))

    async def stop(self, channel_id: str, resource_id: str) -> None:
        """channels.stop, as the account that opened it."""
        body = {"id": channel_id, "resourceId": resource_id}
        await self._call("POST", "/channels/stop", query={}, body=body)

    async def _page_of_changes(self, calendar_id: str, query: dict[str, str]) -> dict[str, Any]:
        try:
            return await self._call("GET", _events(calendar_id), query=query)
        except EventGone as error:
            # A 410 whose body got lost still means the token; a 404 means the calendar.
            if error.status == 410:
                raise SyncTokenExpired(str(error), status=410, reason=error.reason) from None
            raise

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str],
        body: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Makes one call. If Google rejects the token, renews it and repeats the call, once."""
        token = await self._tokens.access_token()
        try:
            return await self._send(token, method, path, query, body, headers or {})
        except AccessLost as error:
            if error.status != 401:
                raise
        token = await self._tokens.access_token(rejected=token)
        return await self._send(token, method, path, query, body, headers or {})

    async def _send(
        self,
        token: str,
        method: str,
        path: str,
        query: dict[str, str],
        body: dict[str, Any] | None,
        headers: Mapping[str, str],
    ) -> dict[str, Any]:
        if self._before_call:
            await self._before_call()
        self.units_used += PATCH_UNITS if method == "PATCH" else 1
        return await send(
            self._http,
            method,
            self._api_url + path,
            meaning=calendar_error,
            params=query,
            json=body,
            headers={"Authorization": f"Bearer {token}", **headers},
        )


def _items(page: dict[str, Any]) -> list[Any]:
    """The events on a page. A page without any still says how it goes on; one that says nothing
    is no answer, and must not look like an empty calendar."""
    if not page.keys() & {"items", "nextPageToken", "nextSyncToken"}:
        raise Unreachable("Google's answer was empty.", reason="emptyAnswer")
    items = page.get("items") or []
    return items if isinstance(items, list) else [items]


def _named(item: Any) -> dict[str, Any]:
    """The item with an id that no other has: one that Google left without gets a name made of all
    that is said of it."""
    event = item if isinstance(item, dict) else {}
    event_id = event.get("id")
    if isinstance(event_id, str) and event_id and "\0" not in event_id:
        return event
    said = json.dumps(item, sort_keys=True)
    return {**event, "id": f"unnamed:{hashlib.sha256(said.encode()).hexdigest()}"}


def _quietly() -> dict[str, str]:
    """What we write mails nobody."""
    return {"sendUpdates": "none", "fields": _EVENT_FIELDS}


def _expiry(milliseconds: Any) -> datetime:
    """The moment that Google names, or a day ahead if it names none."""
    try:
        return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return datetime.now(UTC) + timedelta(days=1)


def _rfc_3339(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def _events(calendar_id: str) -> str:
    # Ids hold `#` and `@`: everything is escaped, or an unescaped `#` would cut the address off.
    return f"/calendars/{quote(calendar_id, safe='')}/events"


def _event(calendar_id: str, event_id: str) -> str:
    return f"{_events(calendar_id)}/{quote(event_id, safe='')}"


def _calendar(item: dict[str, Any]) -> Calendar:
    return Calendar(
        id=str(item["id"]),
        name=str(item.get("summaryOverride") or item.get("summary") or item["id"]),
        access_role=str(item.get("accessRole", "none")),
        primary=bool(item.get("primary", False)),
        time_zone=str(item.get("timeZone", "")),
        hidden=bool(item.get("hidden", False)),
    )
