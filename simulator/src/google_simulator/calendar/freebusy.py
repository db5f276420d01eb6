"""freebusy.query: times only, one verdict per calendar (facts 6)."""

from __future__ import annotations

from google_simulator import errors, times
from google_simulator.calendar.call import CalendarCall
from google_simulator.calendar.recurrence import instances, span_of
from google_simulator.http.answer import Answer
from google_simulator.model import Calendar, Event, Json

# The bound is undocumented; calls for about three months were seen to fail.
MAX_RANGE_SECONDS = 90 * 86_400
MAX_CALENDARS = 50
Period = tuple[float, float]


def query(call: CalendarCall) -> Answer:
    """The busy periods of up to fifty calendars; each may fail by itself."""
    start, end = _moment(call, "timeMin"), _moment(call, "timeMax")
    if end <= start:
        raise errors.empty_time_range()
    if end - start > MAX_RANGE_SECONDS:
        raise errors.BackendError(
            400, "timeRangeTooLong", "The requested time range is too long.", domain="calendar"
        )
    try:
        where = times.zone(call.body.get("timeZone", "UTC"))
    except times.BadTime as error:
        raise errors.invalid("Invalid time zone.") from error
    zulu = call.simulator.switches["utc_as"] == "Z"

    def shown(period: Period) -> Json:
        return {
            "start": times.in_zone(period[0], where, zulu),
            "end": times.in_zone(period[1], where, zulu),
        }

    most = call.body.get("calendarExpansionMax")
    body: Json = {
        "kind": "calendar#freeBusy",
        "timeMin": times.with_milliseconds(start),
        "timeMax": times.with_milliseconds(end),
        "calendars": {},
    }
    for number, asked_id in enumerate(_asked_ids(call)):
        if isinstance(most, int) and number >= min(most, MAX_CALENDARS):
            body["calendars"][asked_id] = _unknown("tooManyCalendarsRequested")
            continue
        calendar = _visible(call, asked_id)
        if calendar is None:
            body["calendars"][asked_id] = _unknown("notFound")
            continue
        busy = busy_periods(call, calendar, start, end)
        body["calendars"][asked_id] = {"busy": [shown(period) for period in busy]}
    return Answer(200, body)


def busy_periods(call: CalendarCall, calendar: Calendar, start: float, end: float) -> list[Period]:
    """Opaque, not cancelled, not declined; merged and clipped unless switched otherwise."""
    found = sorted(
        span
        for event in _single(calendar)
        if _counts(call, calendar, event)
        for span in [span_of(event, calendar)]
        if span[1] > start and span[0] < end
    )
    if call.simulator.switches["busy_periods"] == "separate":
        return found
    merged: list[Period] = []
    for begins, ends in found:
        begins, ends = max(begins, start), min(ends, end)
        if merged and begins <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        else:
            merged.append((begins, ends))
    return merged


def _single(calendar: Calendar) -> list[Event]:
    result: list[Event] = []
    for event in calendar.events.values():
        if event.cancelled:
            continue
        result.extend(instances(event, calendar) if event.is_series else [event])
    return result


def _counts(call: CalendarCall, calendar: Calendar, event: Event) -> bool:
    resource, switches = event.resource, call.simulator.switches
    if resource.get("transparency") == "transparent" or resource.get("eventType") == "birthday":
        return False
    answer = _own_answer(calendar, resource)
    if answer == "declined":
        return switches["busy_declined"] == "busy"
    if answer in ("tentative", "needsAction") or resource["status"] == "tentative":
        return switches["busy_tentative"] == "busy"
    return True


def _own_answer(calendar: Calendar, resource: Json) -> str | None:
    for attendee in resource.get("attendees", []):
        if attendee["email"] in (calendar.id, calendar.owner):
            return str(attendee["responseStatus"])
    return None


def _asked_ids(call: CalendarCall) -> list[str]:
    items = call.body.get("items", [])
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and isinstance(item.get("id"), str) for item in items
    ):
        raise errors.invalid("Invalid value for: items")
    return list(dict.fromkeys(item["id"] for item in items))


def _visible(call: CalendarCall, asked_id: str) -> Calendar | None:
    calendar_id = call.account.email if asked_id == "primary" else asked_id
    calendar = call.simulator.world.calendars.get(calendar_id)
    if calendar is None or calendar.deleted or calendar.role_of(call.account.email) is None:
        return None
    return calendar


def _unknown(reason: str) -> Json:
    """Unknown, not free: `errors` beside an empty `busy`."""
    return {"errors": [{"domain": "global", "reason": reason}], "busy": []}


def _moment(call: CalendarCall, name: str) -> float:
    value = call.body.get(name)
    if value is None:
        raise errors.required(f"Missing {name} parameter.")
    try:
        return times.parse_instant(value).replace(microsecond=0).timestamp()
    except times.BadTime as error:
        raise errors.bad_request() from error
