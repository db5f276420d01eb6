"""Every method of Google's discovery document: its address, its cost, who serves it.

A method without a handler is answered with 501 and a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from google_simulator.calendar import (
    acl,
    calendar_list,
    calendars,
    channels,
    colors,
    events,
    freebusy,
    listing,
    settings,
)
from google_simulator.calendar.call import CalendarCall
from google_simulator.http.answer import Answer

Handler = Callable[[CalendarCall], Answer]


@dataclass(frozen=True)
class Method:
    """One method of the API. Without a handler it is not simulated."""

    id: str
    verb: str
    path: tuple[str, ...]
    handler: Handler | None
    units: int = 1


def _method(
    short_id: str, verb: str, path: str, handler: Handler | None = None, units: int = 1
) -> Method:
    return Method(f"calendar.{short_id}", verb, tuple(path.split("/")), handler, units)


_CALENDAR = "calendars/{calendarId}"
_EVENTS = f"{_CALENDAR}/events"
_EVENT = f"{_EVENTS}/{{eventId}}"
_LIST = "users/me/calendarList"
_ENTRY = f"{_LIST}/{{calendarId}}"
_ACL = f"{_CALENDAR}/acl"
_RULE = f"{_ACL}/{{ruleId}}"

METHODS: tuple[Method, ...] = (
    _method("events.list", "GET", _EVENTS, listing.list_events),
    _method("events.insert", "POST", _EVENTS, events.insert),
    _method("events.import", "POST", f"{_EVENTS}/import", events.import_),
    _method("events.quickAdd", "POST", f"{_EVENTS}/quickAdd", events.quick_add),
    _method("events.watch", "POST", f"{_EVENTS}/watch", channels.watch_events),
    _method("events.get", "GET", _EVENT, events.get),
    _method("events.patch", "PATCH", _EVENT, events.patch, units=3),
    _method("events.update", "PUT", _EVENT, events.update),
    _method("events.delete", "DELETE", _EVENT, events.delete),
    _method("events.instances", "GET", f"{_EVENT}/instances", listing.list_instances),
    _method("events.move", "POST", f"{_EVENT}/move", events.move),
    _method("calendarList.list", "GET", _LIST, calendar_list.list_entries),
    _method("calendarList.insert", "POST", _LIST, calendar_list.insert),
    _method("calendarList.watch", "POST", f"{_LIST}/watch"),
    _method("calendarList.get", "GET", _ENTRY, calendar_list.get),
    _method("calendarList.patch", "PATCH", _ENTRY, calendar_list.patch),
    _method("calendarList.update", "PUT", _ENTRY, calendar_list.patch),
    _method("calendarList.delete", "DELETE", _ENTRY, calendar_list.delete),
    _method("freebusy.query", "POST", "freeBusy", freebusy.query),
    _method("channels.stop", "POST", "channels/stop", channels.stop),
    _method("colors.get", "GET", "colors", colors.get),
    _method("settings.list", "GET", "users/me/settings", settings.list_settings),
    _method("settings.get", "GET", "users/me/settings/{setting}", settings.get),
    _method("settings.watch", "POST", "users/me/settings/watch"),
    _method("calendars.insert", "POST", "calendars", calendars.insert),
    _method("calendars.get", "GET", _CALENDAR, calendars.get),
    _method("calendars.patch", "PATCH", _CALENDAR, calendars.patch),
    _method("calendars.update", "PUT", _CALENDAR, calendars.patch),
    _method("calendars.delete", "DELETE", _CALENDAR, calendars.delete),
    _method("calendars.clear", "POST", f"{_CALENDAR}/clear", calendars.clear),
    _method("calendars.transferOwnership", "POST", f"{_CALENDAR}/transferOwnership"),
    _method("acl.list", "GET", _ACL, acl.list_rules),
    _method("acl.insert", "POST", _ACL, acl.insert),
    _method("acl.watch", "POST", f"{_ACL}/watch"),
    _method("acl.get", "GET", _RULE, acl.get),
    _method("acl.patch", "PATCH", _RULE, acl.patch),
    _method("acl.update", "PUT", _RULE, acl.patch),
    _method("acl.delete", "DELETE", _RULE, acl.delete),
)


class _Node:
    """One step of an address: a fixed word or an id."""

    def __init__(self) -> None:
        self.words: dict[str, _Node] = {}
        self.any: tuple[str, _Node] | None = None
        self.verbs: dict[str, Method] = {}


def _tree() -> _Node:
    root = _Node()
    for method in METHODS:
        node = root
        for step in method.path:
            if step.startswith("{"):
                if node.any is None:
                    node.any = (step[1:-1], _Node())
                node = node.any[1]
            else:
                node = node.words.setdefault(step, _Node())
        node.verbs[method.verb] = method
    return root


_ROOT = _tree()


def find_method(verb: str, steps: list[str]) -> tuple[Method, dict[str, str]] | None:
    """The method of an address whose steps are already decoded.

    A fixed word wins over an id if it serves the verb: `POST events/watch` is the method, while
    `PATCH events/watch` is an event called *watch*.
    """
    return _walk(_ROOT, verb, steps, 0, {})


def _walk(
    node: _Node, verb: str, steps: list[str], at: int, ids: dict[str, str]
) -> tuple[Method, dict[str, str]] | None:
    if at == len(steps):
        method = node.verbs.get(verb)
        return (method, ids) if method else None
    if steps[at] in node.words:
        found = _walk(node.words[steps[at]], verb, steps, at + 1, ids)
        if found:
            return found
    if node.any and steps[at]:
        name, following = node.any
        return _walk(following, verb, steps, at + 1, {**ids, name: steps[at]})
    return None
