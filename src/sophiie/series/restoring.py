"""Appointments as they were before an act: their times, people, texts, services and resources.

`undoing.py` decides whether that may be and writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.appointments.assignments import Consent
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.many import Changed, obstacles_at
from sophiie.appointments.models import Appointment, AppointmentChange
from sophiie.appointments.rules import Details
from sophiie.appointments.services import names_of_services
from sophiie.customers.models import Customer
from sophiie.resources.models import Resource
from sophiie.series.errors import InTheWay, VisitsInTheWay
from sophiie.series.needs import NeedsOfBooked
from sophiie.series.snapshot import DISTANCES

_TIMES = {"start", "end", "timezone"}
_TEXTS = tuple(field.name for field in fields(Details) if field.name not in _TIMES)


def restore_appointments(
    known: Mapping[UUID, Appointment],
    touched: Mapping[UUID, Mapping[str, Any]],
    members: Mapping[UUID, Member],
    assigned: Mapping[UUID, list[Member]],
) -> list[Changed]:
    """Times, state, customer, texts and people of then, by the entries of the act; not written."""
    words = _words_before(touched)
    customers = _still_there(touched)
    changes = []
    for appointment_id, entry in touched.items():
        appointment = known[appointment_id]
        before, was = Details.of(appointment), appointment.status
        appointment.start, appointment.end = _moment(entry["start"]), _moment(entry["end"])
        appointment.timezone = entry["timezone"]
        for name, value in words.get(appointment_id, {}).items():
            setattr(appointment, name, value)
        if entry["customer"] is None or UUID(entry["customer"]) in customers:
            appointment.customer_id = UUID(entry["customer"]) if entry["customer"] else None
        more: dict[str, Any] = {}
        if appointment.deleted_at is not None:
            more["deleted"], appointment.deleted_at = [True, False], None
        if was != entry["status"]:
            more["status"] = [was, entry["status"]]
            appointment.status = entry["status"]
            appointment.held_until = _moment(entry["held_until"]) if entry["held_until"] else None
        team = [members[UUID(one)] for one in entry["members"] if UUID(one) in members]
        changes.append(
            Changed(
                appointment=appointment,
                before=before,
                old_team=assigned[appointment_id],
                team=team,
                more=more,
            )
        )
    return changes


def restore_services(changes: Sequence[Changed], touched: Mapping[UUID, Mapping[str, Any]]) -> None:
    """The services with the buffers of then; of one that was deleted since the buffers stay. What
    was noted by release 0.2 says nothing of services."""
    entries = [(change, touched[change.appointment.id]) for change in changes]
    wanted = {UUID(e["service"]) for _, e in entries if e.get("service")}
    names = names_of_services({*wanted, *(change.appointment.service_id for change in changes)})
    for change, entry in entries:
        if "service" not in entry:
            continue
        appointment = change.appointment
        before = appointment.service_id
        after = UUID(entry["service"]) if entry["service"] else None
        appointment.service_id = after if after in names else None
        for name in DISTANCES:
            setattr(appointment, name, entry[name])
        if before != appointment.service_id:
            said = [names.get(before), names.get(appointment.service_id)]
            change.service = {"service": said}


def restore_resources(
    changes: Sequence[Changed],
    touched: Mapping[UUID, Mapping[str, Any]],
    used: Mapping[UUID, Sequence[Resource]],
    known: Mapping[UUID, Resource],
) -> None:
    """Those of then that are still there. `used`: those of now."""
    for change in changes:
        entry = touched[change.appointment.id]
        change.old_resources = used.get(change.appointment.id, [])
        if "resources" in entry:
            ids = [UUID(one) for one in entry["resources"]]
            change.resources = [known[one] for one in ids if one in known]


def _still_there(touched: Mapping[UUID, Mapping[str, Any]]) -> set[UUID]:
    """Customers whose record was not deleted since."""
    asked = {UUID(entry["customer"]) for entry in touched.values() if entry["customer"]}
    return set(Customer.objects.filter(pk__in=asked).values_list("pk", flat=True))


def _words_before(touched: Mapping[UUID, Mapping[str, Any]]) -> dict[UUID, dict[str, str]]:
    """The texts that the act replaced, from the history; what was erased since stays erased."""
    rows = AppointmentChange.objects.filter(appointment__in=list(touched))
    found: dict[UUID, dict[str, str]] = {}
    for row in rows:
        if row.revision == touched[row.appointment_id]["after"]:
            found[row.appointment_id] = {
                name: before
                for name, (before, _) in row.fields.items()
                if name in _TEXTS and isinstance(before, str)
            }
    return found


def check_free(
    by: Member, changes: Sequence[Changed], touched: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """What was booked with somebody's consent comes back as it was. Raises `VisitsInTheWay`."""
    exclude, needs_of = list(touched), NeedsOfBooked(by.business).of
    refused = []
    for change in changes:
        at, entry = change.appointment, touched[change.appointment.id]
        if not at.is_on:
            continue
        needed = change.old_resources if change.resources is None else change.resources
        (found,) = obstacles_at(
            change.team, [(at.start, at.end)], at.timezone, exclude=exclude, resources=needed
        )
        consent = Consent(
            overlap_before=frozenset(map(UUID, entry["anyway"])),
            unverified_before=frozenset(map(UUID, entry["unverified"])),
            resources_before=frozenset(map(UUID, entry.get("resources_anyway", []))),
        )
        change.obstacles = found
        if not all(map(consent.covers, found)):
            needs = needs_of(at, change.team, needed, at.end - at.start)
            refused.append(replace(_in_the_way(at, entry, found), needs=needs))
    if refused:
        raise VisitsInTheWay(refused, len(changes))


def _in_the_way(at: Appointment, entry: Mapping[str, Any], obstacles: list[Obstacle]) -> InTheWay:
    return InTheWay(
        number=entry["number"],
        day=date.fromisoformat(entry["planned"]),
        start=at.start,
        end=at.end,
        timezone=at.timezone,
        obstacles=obstacles,
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
