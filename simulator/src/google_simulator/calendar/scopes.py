"""Which scopes open which method, as Google's discovery document lists them (facts 1.11).

`tests/contract` compares this table with the document itself.
"""

from __future__ import annotations

from google_simulator.oauth.scopes import PREFIX

_ALL = "calendar"
_LIST_READERS = "calendar.calendarlist calendar.calendarlist.readonly calendar.readonly"
_EVENT_WRITERS = "calendar.app.created calendar.events calendar.events.owned"
_EVENT_READERS = (
    f"{_EVENT_WRITERS} calendar.events.freebusy calendar.events.owned.readonly"
    " calendar.events.public.readonly calendar.events.readonly calendar.readonly"
)
_CALENDAR_WRITERS = "calendar.app.created calendar.calendars"
_ACL_READERS = "calendar.acls calendar.acls.readonly"
_SETTINGS_READERS = "calendar.readonly calendar.settings calendar.settings.readonly"

_TABLE = {
    "calendar.calendarList.delete": "calendar.app.created calendar.calendarlist",
    "calendar.calendarList.get": f"calendar.app.created {_LIST_READERS}",
    "calendar.calendarList.insert": "calendar.calendarlist",
    "calendar.calendarList.list": _LIST_READERS,
    "calendar.calendarList.patch": "calendar.app.created calendar.calendarlist",
    "calendar.calendarList.update": "calendar.app.created calendar.calendarlist",
    "calendar.calendarList.watch": _LIST_READERS,
    "calendar.calendars.clear": "calendar.calendars",
    "calendar.calendars.delete": _CALENDAR_WRITERS,
    "calendar.calendars.get": f"{_CALENDAR_WRITERS} calendar.calendars.readonly calendar.readonly",
    "calendar.calendars.insert": _CALENDAR_WRITERS,
    "calendar.calendars.patch": _CALENDAR_WRITERS,
    "calendar.calendars.transferOwnership": "calendar.calendars",
    "calendar.calendars.update": _CALENDAR_WRITERS,
    "calendar.channels.stop": "calendar.acls calendar.acls.readonly calendar.app.created"
    " calendar.calendarlist calendar.calendarlist.readonly calendar.events"
    " calendar.events.freebusy calendar.events.owned calendar.events.owned.readonly"
    " calendar.events.public.readonly calendar.events.readonly calendar.readonly"
    " calendar.settings calendar.settings.readonly",
    "calendar.colors.get": f"calendar.app.created {_LIST_READERS} calendar.events.freebusy"
    " calendar.events.owned calendar.events.owned.readonly calendar.events.public.readonly",
    "calendar.events.delete": _EVENT_WRITERS,
    "calendar.events.get": _EVENT_READERS,
    "calendar.events.import": _EVENT_WRITERS,
    "calendar.events.insert": _EVENT_WRITERS,
    "calendar.events.instances": _EVENT_READERS,
    "calendar.events.list": _EVENT_READERS,
    "calendar.events.move": "calendar.events calendar.events.owned",
    "calendar.events.patch": _EVENT_WRITERS,
    "calendar.events.quickAdd": _EVENT_WRITERS,
    "calendar.events.update": _EVENT_WRITERS,
    "calendar.events.watch": _EVENT_READERS,
    "calendar.freebusy.query": "calendar.events.freebusy calendar.freebusy calendar.readonly",
    "calendar.settings.get": _SETTINGS_READERS,
    "calendar.settings.list": _SETTINGS_READERS,
    "calendar.settings.watch": _SETTINGS_READERS,
    "calendar.acl.delete": "calendar.acls",
    "calendar.acl.get": f"{_ACL_READERS} calendar.readonly",
    "calendar.acl.insert": "calendar.acls",
    "calendar.acl.list": _ACL_READERS,
    "calendar.acl.patch": "calendar.acls",
    "calendar.acl.update": "calendar.acls",
    "calendar.acl.watch": _ACL_READERS,
}

METHOD_SCOPES: dict[str, frozenset[str]] = {
    method: frozenset(PREFIX + short for short in f"{_ALL} {shorts}".split())
    for method, shorts in _TABLE.items()
}

OWNED = frozenset({PREFIX + "calendar.events.owned", PREFIX + "calendar.events.owned.readonly"})
AVAILABILITY_ONLY = frozenset({PREFIX + "calendar.events.freebusy"})
PUBLIC_ONLY = frozenset({PREFIX + "calendar.events.public.readonly"})
APP_CREATED = frozenset({PREFIX + "calendar.app.created"})
