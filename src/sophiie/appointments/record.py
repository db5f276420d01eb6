"""What every business act shares: the locked row, its next revision, its history.

All of it happens inside the act's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.appointments.errors import StaleRevision, UnknownAppointment
from sophiie.appointments.models import Action, Appointment, AppointmentChange
from sophiie.appointments.rules import Details
from sophiie.appointments.signals import appointment_changed, appointments_changed
from sophiie.common.clock import now
from sophiie.common.sql import insert


def locked() -> QuerySet[Appointment]:
    """Appointments, locked against other changes but not against rows that refer to them.

    A worker's commit checks such rows; with the stronger lock it would wait for us while we wait
    for its row.
    """
    return Appointment.objects.select_for_update(no_key=True)


def locked_one(by: Member, appointment_id: UUID, expected_revision: int | None) -> Appointment:
    """The appointment in the business of `by`, locked. Raises if it is not as expected."""
    found = locked().filter(pk=appointment_id, business=by.business_id, deleted_at=None).first()
    if found is None:
        raise UnknownAppointment
    if expected_revision is not None and expected_revision != found.revision:
        raise StaleRevision(found.revision)
    return found


def save_next_revision(appointment: Appointment) -> None:
    if appointment.wall_is_noted:
        appointment.wall_revision += 1
    appointment.revision += 1
    appointment.updated_at = now()
    appointment.save()


# Whose time it takes, and which.
_TIME = {"start", "end", "status", "assignees"}


def announce(
    appointment: Appointment, action: Action, by: Member, differences: dict[str, Any]
) -> None:
    """Writes the history and tells whoever follows appointments."""
    insert([_history(appointment, action, by, differences)])
    _record_exception(appointment, action, by, differences)
    appointment_changed.send(
        sender=Appointment,
        appointment=appointment,
        frees_or_takes_time=action is not Action.CHANGED or bool(differences.keys() & _TIME),
        action=action,
        fields=differences.keys(),
    )


def announce_many(
    changes: Sequence[tuple[Appointment, dict[str, Any]]], action: Action, by: Member
) -> None:
    """The same for many appointments of one business, each with its differences, in one go."""
    if not changes:
        return
    insert([_history(appointment, action, by, fields) for appointment, fields in changes])
    if action is not Action.DELETED:  # of which the audit log has one entry for all
        for appointment, fields in changes:
            _record_exception(appointment, action, by, fields)
    appointments_changed.send(
        sender=Appointment,
        appointments=[appointment for appointment, _ in changes],
        frees_or_takes_time=action is not Action.CHANGED
        or any(fields.keys() & _TIME for _, fields in changes),
        is_new=action in (Action.CREATED, Action.HELD),
    )


def _history(
    appointment: Appointment, action: Action, by: Member, differences: dict[str, Any]
) -> AppointmentChange:
    return AppointmentChange(
        appointment=appointment,
        revision=appointment.revision,
        action=action,
        by=by,
        at=appointment.updated_at,
        fields=differences,
    )


def record_about(act: audit.Act, appointment: Appointment, by: Member, **details: Any) -> None:
    """Records an act in the audit log; of the appointment only its id and its start."""
    audit.record(
        act=act,
        business_id=appointment.business_id,
        by=by,
        subject=audit.Subject("appointment", appointment.id),
        details={"start": appointment.start.isoformat(), **details},
    )


def _record_exception(
    appointment: Appointment, action: Action, by: Member, differences: dict[str, Any]
) -> None:
    """Records what went past a rule, and what hides the history. Everyday acts are in the history
    alone."""
    if consents := sorted(differences.keys() & {"booked_anyway", "unverified"}):
        record_about(audit.Act.BOOKED_ANYWAY, appointment, by, consents=consents)
    if action == Action.DELETED:
        record_about(audit.Act.APPOINTMENT_DELETED, appointment, by)


def announce_erasure(
    appointment: Appointment, by: Member | None, differences: dict[str, Any], *, aloud: bool
) -> None:
    """Records in the history that a member erased something; tells the others if `aloud`."""
    if by is not None:
        change = AppointmentChange(
            appointment=appointment,
            revision=appointment.revision,
            action=Action.ERASED,
            by=by,
            at=appointment.updated_at,
            fields=differences,
        )
        insert([change])
    if aloud:
        appointment_changed.send(
            sender=Appointment,
            appointment=appointment,
            frees_or_takes_time=False,
            action=Action.ERASED,
            fields=(),
        )


def differences_between(
    before: Details | None,
    after: Details,
    old_team: Sequence[Member] | None,
    team: Sequence[Member],
) -> dict[str, Any]:
    """{field: [before, after]} for everything that differs, as JSON values; the service's name is
    noted by `services.py`."""
    old = before.as_dict() if before else {}
    differences = {
        name: [_plain(old.get(name)), _plain(value)]
        for name, value in after.as_dict().items()
        if name != "service_id" and old.get(name) != value and (before or value not in ("", 0))
    }
    old_names = sorted(member.name for member in old_team or [])
    if old_team is None or {m.id for m in old_team} != {m.id for m in team}:
        differences["assignees"] = [old_names, sorted(member.name for member in team)]
    return differences


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
