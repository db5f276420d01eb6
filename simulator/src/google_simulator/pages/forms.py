"""Turns the forms of the week page into changes of events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta

from google_simulator import times
from google_simulator.calendar import editing
from google_simulator.calendar.body import merged
from google_simulator.calendar.editing import Editor
from google_simulator.errors import BackendError
from google_simulator.model import Account, Calendar, Event, Json
from google_simulator.simulator import Simulator

Form = Mapping[str, str]


class BadForm(ValueError):
    """The message is shown above the week."""


def add(simulator: Simulator, account: Account, form: Form) -> None:
    """The form that makes an event."""
    calendar = _calendar(simulator, form)
    body: Json = {
        "summary": form.get("summary", ""),
        "location": form.get("location") or None,
        "description": form.get("description") or None,
        "transparency": "transparent" if form.get("free") else "opaque",
        **_edges(form, all_day=bool(form.get("all_day"))),
    }
    body = {name: value for name, value in body.items() if value is not None}
    _told_plainly(lambda: editing.insert(simulator, calendar, body, _hand(account)))


def change(simulator: Simulator, account: Account, form: Form) -> None:
    """The forms that change, move and delete an event."""
    calendar = _calendar(simulator, form)
    event = _told_plainly(lambda: editing.find(calendar, form.get("event", "")))
    if form.get("act") == "delete":
        if not event.cancelled:
            editing.delete(simulator, calendar, event, _hand(account))
        return
    all_day = "date" in event.resource["start"]
    edges = _days_like(event, form) if all_day else _edges(form, all_day=False)
    # The times replace the old ones whole: a merged zone would belong to another wall clock.
    wanted = merged({**event.resource, **edges}, {"summary": form.get("summary", "")})
    _told_plainly(lambda: editing.change(simulator, calendar, event, wanted, _hand(account)))


def _hand(account: Account) -> Editor:
    return Editor(account, send_updates="all")


def _calendar(simulator: Simulator, form: Form) -> Calendar:
    calendar = simulator.world.calendars.get(form.get("calendar", ""))
    if calendar is None or calendar.deleted:
        raise BadForm("There is no such calendar any more.")
    return calendar


def _edges(form: Form, *, all_day: bool) -> Json:
    try:
        day = date.fromisoformat(form.get("date", ""))
        if all_day:
            return {
                "start": {"date": day.isoformat()},
                "end": {"date": (day + timedelta(days=1)).isoformat()},
            }
        zone = times.zone(form.get("zone", "UTC"))
        start, end = (
            datetime.combine(day, time.fromisoformat(form.get(name, "")))
            for name in ("start", "end")
        )
    except ValueError as error:
        raise BadForm("Give a date, a start and an end.") from error
    if end <= start:
        # Past midnight: the end belongs to the next day.
        end += timedelta(days=1)
    return {
        name: {"dateTime": times.rendered(moment.replace(tzinfo=zone)), "timeZone": zone.key}
        for name, moment in (("start", start), ("end", end))
    }


def _days_like(event: Event, form: Form) -> Json:
    """The same number of days from another day on."""
    first, after = (date.fromisoformat(event.resource[name]["date"]) for name in ("start", "end"))
    try:
        day = date.fromisoformat(form.get("date", ""))
    except ValueError as error:
        raise BadForm("Give a date.") from error
    return {
        "start": {"date": day.isoformat()},
        "end": {"date": (day + (after - first)).isoformat()},
    }


def _told_plainly(act: Callable[[], Event]) -> Event:
    try:
        return act()
    except BackendError as error:
        raise BadForm(error.message) from error
