"""The history of an appointment in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sophiie.appointments.models import Action, Appointment, AppointmentChange, Status
from sophiie.availability.words import length
from sophiie.common.reasons import Reason, words
from sophiie.common.wall_time import in_zone
from sophiie.sync.messages import answer
from sophiie.sync.models import SyncAttempt
from sophiie.sync.reports.event_status import attempts_of
from sophiie.web.shared.shown_times import clock, weekday


@dataclass(frozen=True)
class Entry:
    at: datetime
    by: str
    text: str


def history_of(appointment: Appointment) -> list[Entry]:
    """Who did what, newest first, with times in the appointment's zone."""
    changes = appointment.changes.select_related("by").order_by("-revision")
    return [
        Entry(in_zone(c.at, appointment.timezone), c.by.name, _text(c, appointment.timezone))
        for c in changes
    ]


@dataclass(frozen=True)
class Try:
    """One line of the timeline of attempts."""

    at: datetime
    whose: str
    text: str
    answer: str
    next_at: datetime | None
    succeeded: bool


def attempts_shown(appointment: Appointment) -> list[Try]:
    """What Sophiie tried in Google for this appointment, newest first."""
    zone = appointment.timezone
    return [_try(attempt, zone) for attempt in attempts_of(appointment.id)]


def _try(attempt: SyncAttempt, zone: str) -> Try:
    if attempt.succeeded:
        text = _("Shown in Google") if attempt.wanted else _("Removed from Google")
    else:
        text = _("Not shown yet") if attempt.wanted else _("Not removed yet")
    return Try(
        at=in_zone(attempt.at, zone),
        whose=attempt.mirrored_event.link.member.name,
        text=text,
        answer=_answer(attempt),
        next_at=in_zone(attempt.next_attempt_at, zone) if attempt.next_attempt_at else None,
        succeeded=attempt.succeeded,
    )


def _answer(attempt: SyncAttempt) -> str:
    """What Google said, word for word; or why it said nothing."""
    said = answer(attempt.status, attempt.reason, attempt.message)
    if isinstance(said, Reason) or not attempt.status:
        return words(said)
    parts = [str(attempt.status), attempt.reason, said]
    return " · ".join(part for part in parts if part)


def _text(change: AppointmentChange, zone: str) -> str:
    if change.action != Action.CHANGED:
        text = str(_ACTS[Action(change.action)])
    else:
        # PostgreSQL stores the keys of a JSON value in its own order.
        names = sorted(change.fields.keys() - _CONSENTS.keys(), key=_FIELD_ORDER.index)
        text = "; ".join(_difference(name, change.fields[name], zone) for name in names)
    given = [
        consent % {"names": ", ".join(change.fields[field][1])}
        for field, consent in _CONSENTS.items()
        if field in change.fields
    ]
    return "; ".join([text, *given])


_ACTS = {
    Action.CREATED: gettext_lazy("Made the appointment"),
    Action.HELD: gettext_lazy("Held the time"),
    Action.CONFIRMED: gettext_lazy("Confirmed the hold"),
    Action.EXPIRED: gettext_lazy("The hold ran out by itself"),
    Action.CANCELLED: gettext_lazy("Cancelled it"),
    Action.DELETED: gettext_lazy("Deleted it"),
    Action.REINSTATED: gettext_lazy("Brought it back"),
    Action.ERASED: gettext_lazy("Erased a customer’s data"),
    Action.RECLOCKED: gettext_lazy(
        "A law changed the clocks: the appointment stays at the same time of day"
    ),
}
# What somebody agreed to while booking, by the field that records it.
_CONSENTS = {
    "booked_anyway": gettext_lazy("double-booked on purpose: %(names)s"),
    "unverified": gettext_lazy("booked although the calendar could not be read: %(names)s"),
}


_FIELD_ORDER = (
    "service",
    "title",
    "start",
    "end",
    "timezone",
    "location",
    "travel_minutes",
    "assignees",
    "resources",
    "status",
    "notes",
    "customer_name",
    "customer_phone",
    "customer_email",
)


_STATUSES = {
    Status.HELD: gettext_lazy("Held"),
    Status.SCHEDULED: gettext_lazy("Scheduled"),
    Status.COMPLETED: gettext_lazy("Completed"),
    Status.CANCELLED: gettext_lazy("Cancelled"),
    Status.NO_SHOW: gettext_lazy("Did not show up"),
}


# How an appointment went, or that this was taken back.
_OUTCOMES = {
    Status.COMPLETED: gettext_lazy("Marked it as completed"),
    Status.NO_SHOW: gettext_lazy("Noted that the customer did not show up"),
}


def _outcome(before: str, after: str) -> str:
    """What a change of the status says, if it is about how it went; else ""."""
    if after == Status.SCHEDULED and before in _OUTCOMES:
        return _("Marked it as scheduled again")
    return str(_OUTCOMES.get(Status(after), ""))


def _difference(name: str, pair: list[Any], zone: str) -> str:
    if name == "status" and (outcome := _outcome(*pair)):
        return outcome
    names = {
        "service": _("Service"),
        "travel_minutes": _("Travel before it"),
        "title": _("Title"),
        "start": _("Start"),
        "end": _("End"),
        "timezone": _("Time zone"),
        "location": _("Location"),
        "notes": _("Notes"),
        "customer_name": _("Customer's name"),
        "customer_phone": _("Customer's phone"),
        "customer_email": _("Customer's email"),
        "assignees": _("Assignees"),
        "resources": _("Resources"),
        "status": _("Status"),
    }
    if pair == [None, None]:
        return _("%(name)s: erased") % {"name": names.get(name, name)}
    return _("%(name)s: %(before)s → %(after)s") % {
        "name": names.get(name, name),
        "before": _value(name, pair[0], zone),
        "after": _value(name, pair[1], zone),
    }


def _value(name: str, value: Any, zone: str) -> str:
    if value in ("", None, []):
        return "–"
    if name in ("start", "end"):
        moment = in_zone(datetime.fromisoformat(value), zone)
        return f"{weekday(moment)} {clock(moment)}"
    if name == "travel_minutes":
        return length(timedelta(minutes=value)) if value else "–"
    if name in ("assignees", "resources"):
        return ", ".join(value)
    if name == "status":
        return str(_STATUSES[Status(value)])
    return str(value) if len(str(value)) <= 80 else str(value)[:79] + "…"
