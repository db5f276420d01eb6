"""The parameters of events.list, checked, and the sync token rules (facts 3.10, 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from google_simulator import errors, times
from google_simulator.calendar import tokens
from google_simulator.calendar.call import CalendarCall
from google_simulator.model import Calendar, Event, Json

FORBIDDEN_WITH_SYNC = (
    "iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin",
    "timeMax", "updatedMin",
)  # fmt: skip
# A client must repeat these with the token; with others than at first its copy would be wrong.
BOUND_TO_TOKEN = ("singleEvents", "eventTypes", "showHiddenInvitations")
NOT_PART_OF_A_LISTING = frozenset({"pageToken", "fields", "prettyPrint", "alt", "key"})
UPDATED_MIN_DAYS = 28
EVENT_TYPES = frozenset(
    {"default", "outOfOffice", "focusTime", "workingLocation", "birthday", "fromGmail"}
)
SEARCHED = ("summary", "description", "location", "workingLocationProperties")


@dataclass
class ListQuery:
    """What a list is asked for: filters, order, page and position in the stream of changes."""

    version: int
    digest: str
    max_results: int = 250
    since: int | None = None
    single_events: bool = False
    show_deleted: bool = False
    now: float = 0.0
    deleted_series_singly: bool = False
    shortened_series_singly: bool = False
    sparse_instances: bool = False
    order_by: str | None = None
    time_min: float | None = None
    time_max: float | None = None
    time_min_inclusive: bool = False
    updated_min: str | None = None
    event_types: frozenset[str] = frozenset()
    uid: str | None = None
    original_start: str | None = None
    words: str | None = None
    private: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    after: list[Any] | None = None
    skipped: bool = False

    @classmethod
    def read(cls, call: CalendarCall) -> ListQuery:
        """Read and check the parameters of events.list."""
        query = cls(version=_newest_visible(call), digest=_digest(call))
        query.now = call.simulator.clock.now()
        query.max_results = call.number("maxResults", 250, 2500)
        # Where only times are seen, only single occurrences are (facts 3.7).
        query.single_events = call.flag("singleEvents") or call.role == "freeBusyReader"
        query.show_deleted = call.flag("showDeleted")
        query.event_types = frozenset(call.query.getall("eventTypes", []))
        if query.event_types - EVENT_TYPES:
            raise errors.invalid_parameter("eventTypes", ", ".join(query.event_types))
        query.order_by = _order(call, query)
        query.uid, query.words = call.text("iCalUID"), call.text("q")
        query.private = _constraints(call, "privateExtendedProperty")
        query.shared = _constraints(call, "sharedExtendedProperty")
        query._read_window(call)
        query._read_updated_min(call)
        if sync_token := call.text("syncToken"):
            query._read_sync_token(call, sync_token)
        query._read_page_token(call)
        return query

    @classmethod
    def read_for_instances(cls, call: CalendarCall) -> ListQuery:
        """Read and check the parameters of events.instances."""
        query = cls(version=call.simulator.world.last_version, digest=_digest(call))
        query.max_results = call.number("maxResults", 250, 2500)
        query.single_events = True
        query.order_by = "startTime"
        query.original_start = _original_start(call)
        query.show_deleted = call.flag("showDeleted")
        query.time_min_inclusive = True
        query._read_window(call)
        query._read_page_token(call)
        return query

    # -- reading -----------------------------------------------------------------------------

    def _read_window(self, call: CalendarCall) -> None:
        self.time_min, self.time_max = _moment(call, "timeMin"), _moment(call, "timeMax")
        both = self.time_min is not None and self.time_max is not None
        if both and self.time_min >= self.time_max:  # type: ignore[operator]
            raise errors.empty_time_range()

    def _read_updated_min(self, call: CalendarCall) -> None:
        moment = _moment(call, "updatedMin")
        if moment is None:
            return
        if moment < call.simulator.clock.now() - UPDATED_MIN_DAYS * 86_400:
            raise errors.BackendError(
                410,
                "updatedMinTooLongAgo",
                "The requested minimum modification time lies too far in the past.",
                domain="calendar",
                location="updatedMin",
            )
        self.updated_min = times.with_milliseconds(moment)
        self.show_deleted = True

    def _read_sync_token(self, call: CalendarCall, sync_token: str) -> None:
        forbidden = any(name in call.query for name in FORBIDDEN_WITH_SYNC)
        if forbidden or not call.flag("showDeleted", default=True):
            raise errors.BackendError(
                400,
                call.simulator.switches["sync_restriction_reason"],
                "Sync token cannot be used with other request restrictions.",
            )
        token = tokens.open_token(call.simulator.world.birth, sync_token)
        calendar = call.calendar
        if (
            token is None
            or token.get("calendar") != calendar.id
            or token.get("account") != call.account.email
            or token.get("version", -1) < calendar.token_floor
        ):
            raise errors.full_sync_required()
        if token["bound"] != _bound(call):
            raise errors.invalid("Sync token was made with other parameters.", "syncToken")
        self.since = token["version"]
        self.show_deleted = True
        switches = call.simulator.switches
        self.deleted_series_singly = switches["deleted_series_singly"] == "instances"
        self.shortened_series_singly = switches["shortened_series_singly"] == "instances"
        self.sparse_instances = switches["deleted_instance_rows"] == "sparse"
        if switches["sync_ignores_window"] == "off":
            self.time_min, self.time_max = token["window"]

    def _read_page_token(self, call: CalendarCall) -> None:
        page_token = call.text("pageToken")
        if page_token is None:
            return
        token = tokens.open_token(call.simulator.world.birth, page_token)
        if token is None or token.get("p") != self.digest:
            raise errors.invalid_parameter("pageToken", page_token)
        self.after, self.skipped = token["after"], token["skipped"]
        self.version = token["version"]

    # -- filters -----------------------------------------------------------------------------

    @property
    def searches(self) -> bool:
        """Whether the list is a search, which gets no sync token."""
        return bool(
            self.order_by or self.words or self.uid or self.private or self.shared
            or self.updated_min
        )  # fmt: skip

    def matches(self, event: Event) -> bool:
        """Whether an event passes all filters but the window of time."""
        resource = event.resource
        if self.event_types and resource.get("eventType", "default") not in self.event_types:
            return False
        if self.updated_min and resource["updated"] < self.updated_min:
            return False
        if self.original_start and self.original_start != _key_of_start(resource):
            return False
        if self.uid and resource.get("iCalUID") != self.uid:
            return False
        if self.words and not _contains(resource, self.words):
            return False
        properties = resource.get("extendedProperties", {})
        return _has_all(properties.get("private", {}), self.private) and _has_all(
            properties.get("shared", {}), self.shared
        )

    def in_window(self, reach: Callable[[], list[tuple[float, float]]]) -> bool:
        """`timeMin` bounds the end, `timeMax` the start, both exclusive."""
        if self.time_min is None and self.time_max is None:
            return True
        for start, end in reach():
            late_enough = self.time_min is None or end > self.time_min
            if self.time_min_inclusive and end == self.time_min:
                late_enough = True
            if late_enough and (self.time_max is None or start < self.time_max):
                return True
        return False

    # -- the sync token -----------------------------------------------------------------------

    def sync_token_at_end(self, calendar: Calendar, call: CalendarCall) -> str:
        """The token for what changes after this list."""
        return tokens.seal(
            call.simulator.world.birth,
            {
                "calendar": calendar.id,
                "account": call.account.email,
                "version": self.version,
                "bound": _bound(call),
                "window": [self.time_min, self.time_max],
            },
        )

    def page_token_after(self, last: tuple[list[Any], bool], call: CalendarCall) -> str:
        """Where the next page goes on: after this sort key, and whether this page was empty."""
        return tokens.seal(
            call.simulator.world.birth,
            {"after": last[0], "skipped": last[1], "version": self.version, "p": self.digest},
        )


def _newest_visible(call: CalendarCall) -> int:
    """The latest change that lists show. Versions follow the clock in microseconds."""
    newest = call.simulator.world.last_version
    lag = call.simulator.faults.list_lag_seconds
    return min(newest, int((call.simulator.clock.now() - lag) * 1_000_000)) if lag else newest


def _order(call: CalendarCall, query: ListQuery) -> str | None:
    order = call.text("orderBy")
    if order not in (None, "startTime", "updated"):
        raise errors.invalid_parameter("orderBy", str(order))
    if order == "startTime" and not query.single_events:
        raise errors.bad_request(
            "The requested ordering is not available for the particular query."
        )
    return order


def _moment(call: CalendarCall, name: str) -> float | None:
    value = call.text(name)
    if value is None:
        return None
    try:
        return times.parse_instant(value).replace(microsecond=0).timestamp()
    except times.BadTime as error:
        raise errors.bad_request() from error


def _original_start(call: CalendarCall) -> str | None:
    """`originalStart` names one instance: a day or a moment, here as the tail of its id."""
    value = call.text("originalStart")
    if value is None:
        return None
    try:
        if "T" not in value.upper():
            return times.parse_date(value).strftime("%Y%m%d")
        where = times.zone(call.calendar.time_zone)
        moment = times.parse_date_time(value, where)
    except times.BadTime as error:
        raise errors.invalid_parameter("originalStart", value) from error
    return times.compact(moment)


def _key_of_start(resource: Json) -> str:
    original = resource.get("originalStartTime", {})
    if "date" in original:
        return str(original["date"]).replace("-", "")
    return times.compact(datetime.fromisoformat(original["dateTime"])) if original else ""


def _constraints(call: CalendarCall, name: str) -> list[str]:
    constraints = call.query.getall(name, [])
    for constraint in constraints:
        if "=" not in constraint:
            raise errors.invalid_parameter(name, constraint)
    return constraints


def _has_all(properties: Json, constraints: list[str]) -> bool:
    return all(
        properties.get(name) == value
        for name, _, value in (constraint.partition("=") for constraint in constraints)
    )


def _contains(resource: Json, words: str) -> bool:
    """`q` looks into the texts and at the people, each by name and address (facts 3.10)."""
    people = [*resource.get("attendees", []), resource.get("organizer", {})]
    found = [str(resource.get(name, "")) for name in SEARCHED]
    found += [str(person.get(name, "")) for person in people for name in ("displayName", "email")]
    text = " ".join(found).casefold()
    return all(word in text for word in words.casefold().split())


def _bound(call: CalendarCall) -> str:
    return "&".join(f"{name}={sorted(call.query.getall(name, []))}" for name in BOUND_TO_TOKEN)


def _digest(call: CalendarCall) -> str:
    """Identifies the listing that a page token belongs to."""
    pairs = sorted(
        (name, value) for name, value in call.query.items() if name not in NOT_PART_OF_A_LISTING
    )
    text = f"{call.account.email} {call.path} {pairs}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
