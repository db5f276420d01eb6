"""settings.get and settings.list, read-only: clients ask for them before they show times."""

from __future__ import annotations

from google_simulator import errors
from google_simulator.calendar.call import CalendarCall
from google_simulator.http.answer import Answer
from google_simulator.model import Json

DEFAULTS = {
    "autoAddHangouts": "false",
    "dateFieldOrder": "DMY",
    "defaultEventLength": "60",
    "format24HourTime": "true",
    "hideInvitations": "false",
    "hideWeekends": "false",
    "locale": "en",
    "remindOnRespondedEventsOnly": "false",
    "showDeclinedEvents": "true",
    "useKeyboardShortcuts": "true",
    "weekStart": "1",
}


def get(call: CalendarCall) -> Answer:
    """One setting of the account."""
    values = _values(call)
    name = call.path["setting"]
    if name not in values:
        raise errors.not_found()
    return Answer(200, _setting(name, values[name]))


def list_settings(call: CalendarCall) -> Answer:
    """All settings of the account."""
    items = [_setting(name, value) for name, value in sorted(_values(call).items())]
    return Answer(200, {"kind": "calendar#settings", "etag": '"p1"', "items": items})


def _values(call: CalendarCall) -> dict[str, str]:
    return DEFAULTS | {"timezone": call.account.time_zone}


def _setting(name: str, value: str) -> Json:
    return {"kind": "calendar#setting", "etag": '"1"', "id": name, "value": value}
