"""What each method takes and gives: its parameters, request and response resources.

A table of this project's own; `tests/google_simulator` holds it against the discovery document
that Google ships with its Python client.
"""

from __future__ import annotations

from dataclasses import dataclass

_BOOLEANS = """sendNotifications showDeleted colorRgbFormat showHidden showOwnOrganizationOnly
    useAdminAccess alwaysIncludeEmail supportsAttachments showHiddenInvitations singleEvents"""
_INTEGERS = "maxResults maxAttendees conferenceDataVersion eventLabelVersion"
_MOMENTS = "timeMax timeMin updatedMin"
_STRINGS = """calendarId ruleId pageToken syncToken newDataOwner eventId timeZone originalStart
    iCalUID q destination text setting privateExtendedProperty sharedExtendedProperty eventTypes
    minAccessRole sendUpdates orderBy"""
TYPES: dict[str, tuple[str, str | None]] = {
    **dict.fromkeys(_BOOLEANS.split(), ("boolean", None)),
    **dict.fromkeys(_INTEGERS.split(), ("integer", "int32")),
    **dict.fromkeys(_MOMENTS.split(), ("string", "date-time")),
    **dict.fromkeys(_STRINGS.split(), ("string", None)),
}
CHOICES = {
    "minAccessRole": ("freeBusyReader", "owner", "reader", "writer", "writerWithoutPrivateAccess"),
    "sendUpdates": ("all", "externalOnly", "none"),
    "orderBy": ("startTime", "updated"),
    "eventTypes": (
        "birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation",
    ),
}  # fmt: skip
REPEATED = frozenset({"eventTypes", "privateExtendedProperty", "sharedExtendedProperty"})
REQUIRED_IN_QUERY = frozenset({"newDataOwner", "useAdminAccess", "destination", "text"})
# Every method understands these beside its own.
COMMON = ("alt", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "userIp")

_PAGES = "maxResults pageToken syncToken"
_CALENDAR_LIST = f"{_PAGES} minAccessRole showDeleted showHidden showOwnOrganizationOnly"
_ACL = f"{_PAGES} showDeleted"
_UPDATES = "sendNotifications sendUpdates"
_WRITE = f"{_UPDATES} conferenceDataVersion eventLabelVersion maxAttendees supportsAttachments"
_READ = "alwaysIncludeEmail maxAttendees timeZone"
_EVENTS = f"""{_PAGES} {_READ} eventTypes iCalUID orderBy privateExtendedProperty q
    sharedExtendedProperty showDeleted showHiddenInvitations singleEvents timeMax timeMin
    updatedMin"""


@dataclass(frozen=True)
class Shape:
    """The query parameters of a method, and the names of its bodies."""

    request: str | None = None
    response: str | None = None
    query: tuple[str, ...] = ()
    can_be_watched: bool = False


def _shape(
    request: str | None, response: str | None, query: str = "", *, watch: bool = False
) -> Shape:
    return Shape(request, response, tuple(query.split()), watch)


SHAPES: dict[str, Shape] = {
    "calendar.acl.delete": _shape(None, None),
    "calendar.acl.get": _shape(None, "AclRule"),
    "calendar.acl.insert": _shape("AclRule", "AclRule", "sendNotifications"),
    "calendar.acl.list": _shape(None, "Acl", _ACL, watch=True),
    "calendar.acl.patch": _shape("AclRule", "AclRule", "sendNotifications"),
    "calendar.acl.update": _shape("AclRule", "AclRule", "sendNotifications"),
    "calendar.acl.watch": _shape("Channel", "Channel", _ACL, watch=True),
    "calendar.calendarList.delete": _shape(None, None),
    "calendar.calendarList.get": _shape(None, "CalendarListEntry"),
    "calendar.calendarList.insert": _shape(
        "CalendarListEntry", "CalendarListEntry", "colorRgbFormat"
    ),
    "calendar.calendarList.list": _shape(None, "CalendarList", _CALENDAR_LIST, watch=True),
    "calendar.calendarList.patch": _shape(
        "CalendarListEntry", "CalendarListEntry", "colorRgbFormat"
    ),
    "calendar.calendarList.update": _shape(
        "CalendarListEntry", "CalendarListEntry", "colorRgbFormat"
    ),
    "calendar.calendarList.watch": _shape("Channel", "Channel", _CALENDAR_LIST, watch=True),
    "calendar.calendars.clear": _shape(None, None),
    "calendar.calendars.delete": _shape(None, None),
    "calendar.calendars.get": _shape(None, "Calendar"),
    "calendar.calendars.insert": _shape("Calendar", "Calendar"),
    "calendar.calendars.patch": _shape("Calendar", "Calendar"),
    "calendar.calendars.transferOwnership": _shape(None, None, "newDataOwner useAdminAccess"),
    "calendar.calendars.update": _shape("Calendar", "Calendar"),
    "calendar.channels.stop": _shape("Channel", None),
    "calendar.colors.get": _shape(None, "Colors"),
    "calendar.events.delete": _shape(None, None, _UPDATES),
    "calendar.events.get": _shape(None, "Event", _READ),
    "calendar.events.import": _shape(
        "Event", "Event", "conferenceDataVersion eventLabelVersion supportsAttachments"
    ),
    "calendar.events.insert": _shape("Event", "Event", _WRITE),
    "calendar.events.instances": _shape(
        None,
        "Events",
        f"{_READ} maxResults pageToken originalStart showDeleted timeMax timeMin",
        watch=True,
    ),
    "calendar.events.list": _shape(None, "Events", _EVENTS, watch=True),
    "calendar.events.move": _shape(None, "Event", f"destination {_UPDATES}"),
    "calendar.events.patch": _shape("Event", "Event", f"{_WRITE} alwaysIncludeEmail"),
    "calendar.events.quickAdd": _shape(None, "Event", f"text {_UPDATES}"),
    "calendar.events.update": _shape("Event", "Event", f"{_WRITE} alwaysIncludeEmail"),
    "calendar.events.watch": _shape("Channel", "Channel", _EVENTS, watch=True),
    "calendar.freebusy.query": _shape("FreeBusyRequest", "FreeBusyResponse"),
    "calendar.settings.get": _shape(None, "Setting"),
    "calendar.settings.list": _shape(None, "Settings", _PAGES, watch=True),
    "calendar.settings.watch": _shape("Channel", "Channel", _PAGES, watch=True),
}
