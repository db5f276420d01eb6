"""The business acts: book, change, cancel, delete, reinstate.

Each is one transaction: the appointment, its assignments, the history and whatever the receivers
of `appointment_changed` record. Nothing here talks to the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet

from sophiie.accounts.models import Member
from sophiie.appointments.errors import Conflict, Obstacle, StaleRevision, UnknownAppointment
from sophiie.appointments.locking import TimeTaken, in_transaction, lock_members
from sophiie.appointments.models import (
    Action,
    Appointment,
    AppointmentChange,
    Assignment,
    Status,
)
from sophiie.appointments.reading import visible_to
from sophiie.appointments.rules import Details, check_details
from sophiie.appointments.signals import appointment_changed
from sophiie.common.clock import now

R = TypeVar("R")

# Statuses an appointment can be given by a change; a cancellation has its own act.
OPEN_STATUSES = (Status.SCHEDULED, Status.COMPLETED, Status.NO_SHOW)


def book(
    *, by: Member, details: Details, assignees: Sequence[Member], allow_overlap: bool = False
) -> Appointment:
    """Makes an appointment in the business of `by`.

    Raises `InvalidAppointment`, `Conflict` (naming what is in the way) or `TooBusy`. With
    `allow_overlap` the assignments that clash are made all the same, marked and not blocking.
    """
    check_details(details)

    def insert() -> Appointment:
        moment = now()
        lock_members(member.id for member in assignees)
        appointment = Appointment.objects.create(
            business=by.business,
            created_by=by,
            created_at=moment,
            updated_at=moment,
            **details.as_dict(),
        )
        _assign(appointment, assignees, allow_overlap=allow_overlap)
        _announce(appointment, Action.CREATED, by, _differences(None, details, None, assignees))
        return appointment

    return _in_booking_transaction(insert, details, assignees)


def change(
    *,
    by: Member,
    appointment_id: UUID,
    changes: dict[str, Any],
    assignees: Sequence[Member] | None = None,
    status: str | None = None,
    expected_revision: int | None = None,
    allow_overlap: bool = False,
) -> Appointment:
    """Changes the named details, the assignees or the status of an appointment.

    A change that changes nothing makes no revision. Setting an open status on a cancelled
    appointment brings it back, if its time is still free. Raises as `book`, and
    `UnknownAppointment` and `StaleRevision`.
    """
    shown = find(by, appointment_id)
    wanted = replace(Details.of(shown), **changes)
    check_details(wanted)
    new_team = list(assignees) if assignees is not None else _team(shown)

    def update() -> Appointment:
        appointment = _lock(by, appointment_id, expected_revision)
        before, old_team = Details.of(appointment), _team(appointment)
        after = replace(before, **changes)
        check_details(after)
        team = new_team if assignees is not None else old_team
        lock_members(member.id for member in [*old_team, *team])
        differences = _differences(before, after, old_team, team)
        if status is not None and status != appointment.status:
            differences["status"] = [appointment.status, str(status)]
            appointment.status = Status(status)
        if not differences:
            return appointment
        for name, value in after.as_dict().items():
            setattr(appointment, name, value)
        _save_next_revision(appointment)
        if differences.keys() & {"start", "end", "assignees", "status"}:
            _assign(appointment, team, allow_overlap=allow_overlap)
        _announce(appointment, Action.CHANGED, by, differences)
        return appointment

    return _in_booking_transaction(update, wanted, new_team, but=appointment_id)


def cancel(
    *, by: Member, appointment_id: UUID, expected_revision: int | None = None
) -> Appointment:
    """Calls the appointment off; it stays visible and frees its time. Twice is as once."""

    def call_off() -> Appointment:
        appointment = _lock(by, appointment_id, expected_revision)
        if appointment.status == Status.CANCELLED:
            return appointment
        differences = {"status": [appointment.status, str(Status.CANCELLED)]}
        appointment.status = Status.CANCELLED
        return _end(appointment, Action.CANCELLED, by, differences)

    return in_transaction(call_off)


def delete(*, by: Member, appointment_id: UUID, expected_revision: int | None = None) -> None:
    """Takes the appointment out of sight; its history stays in the database."""

    def take_away() -> None:
        appointment = _lock(by, appointment_id, expected_revision)
        appointment.deleted_at = now()
        _end(appointment, Action.DELETED, by, {})

    in_transaction(take_away)


def reinstate(*, by: Member, appointment_id: UUID) -> Appointment:
    """Takes back a deletion or a cancellation, if the time is still free. Raises as `book`.

    A deleted appointment comes back as it was; a cancelled one is scheduled again.
    """
    shown = Appointment.objects.filter(pk=appointment_id, business=by.business).first()
    if shown is None:
        raise UnknownAppointment
    team = _team(shown)

    def bring_back() -> Appointment:
        appointment = _held().get(pk=shown.pk)
        if appointment.deleted_at is None and appointment.status != Status.CANCELLED:
            return appointment
        lock_members(member.id for member in team)
        differences: dict[str, Any] = {}
        if appointment.deleted_at is not None:
            appointment.deleted_at = None
        else:
            differences["status"] = [appointment.status, str(Status.SCHEDULED)]
            appointment.status = Status.SCHEDULED
        _save_next_revision(appointment)
        # What was booked on top of another with somebody's consent comes back as it was.
        on_top = appointment.assignments.filter(booked_anyway=True).exists()
        _assign(appointment, team, allow_overlap=on_top)
        _announce(appointment, Action.REINSTATED, by, differences)
        return appointment

    return _in_booking_transaction(bring_back, Details.of(shown), team, but=appointment_id)


def find(by: Member, appointment_id: UUID) -> Appointment:
    """The appointment of the business of `by`, or `UnknownAppointment`."""
    appointment = visible_to(by).filter(pk=appointment_id).first()
    if appointment is None:
        raise UnknownAppointment
    return appointment


def _held() -> QuerySet[Appointment]:
    """Appointments, locked against other changes but not against rows that refer to them.

    A worker's commit checks such rows; with the stronger lock it would wait for us while we wait
    for its row.
    """
    return Appointment.objects.select_for_update(no_key=True)


def _lock(by: Member, appointment_id: UUID, expected_revision: int | None) -> Appointment:
    appointment = _held().filter(pk=appointment_id, business=by.business, deleted_at=None).first()
    if appointment is None:
        raise UnknownAppointment
    if expected_revision is not None and expected_revision != appointment.revision:
        raise StaleRevision(appointment.revision)
    return appointment


def _end(
    appointment: Appointment, action: Action, by: Member, differences: dict[str, Any]
) -> Appointment:
    _save_next_revision(appointment)
    appointment.assignments.update(blocking=False)
    _announce(appointment, action, by, differences)
    return appointment


def _save_next_revision(appointment: Appointment) -> None:
    appointment.revision += 1
    appointment.updated_at = now()
    appointment.save()


def _assign(appointment: Appointment, team: Sequence[Member], *, allow_overlap: bool) -> None:
    """Writes the assignments anew. The members' locks are held."""
    appointment.assignments.all().delete()
    blocks = appointment.is_on
    obstacles = _obstacles(team, appointment.start, appointment.end) if blocks else []
    if obstacles and not allow_overlap:
        raise Conflict(obstacles)
    clashing = {obstacle.member_id for obstacle in obstacles}
    Assignment.objects.bulk_create(
        Assignment(
            appointment=appointment,
            member=member,
            during=DateTimeTZRange(appointment.start, appointment.end),
            blocking=blocks and member.id not in clashing,
            booked_anyway=member.id in clashing,
        )
        for member in team
    )


def _in_booking_transaction(
    act: Callable[[], R], details: Details, team: Sequence[Member], *, but: UUID | None = None
) -> R:
    """Runs the act. The constraint has the last word; its no is a `Conflict`."""
    try:
        return in_transaction(act)
    except TimeTaken as error:
        raise Conflict(_obstacles(team, details.start, details.end, but=but)) from error


def _obstacles(
    team: Sequence[Member], start: datetime, end: datetime, *, but: UUID | None = None
) -> list[Obstacle]:
    """The blocking assignments of the team that overlap the time, but not those of `but`."""
    found = (
        Assignment.objects.filter(
            member__in=[member.id for member in team],
            blocking=True,
            during__overlap=DateTimeTZRange(start, end),
        )
        .exclude(appointment=but)
        .select_related("appointment", "member")
        .order_by("appointment__start", "id")
    )
    return [
        Obstacle(
            member_id=assignment.member_id,
            member_name=assignment.member.name,
            start=assignment.appointment.start,
            end=assignment.appointment.end,
            appointment_id=assignment.appointment_id,
            title=assignment.appointment.title,
            timezone=assignment.appointment.timezone,
        )
        for assignment in found
    ]


def _team(appointment: Appointment) -> list[Member]:
    assignments = appointment.assignments.select_related("member").order_by("id")
    return [assignment.member for assignment in assignments]


def _differences(
    before: Details | None,
    after: Details,
    old_team: Sequence[Member] | None,
    team: Sequence[Member],
) -> dict[str, Any]:
    old = before.as_dict() if before else {}
    differences = {
        name: [_plain(old.get(name)), _plain(value)]
        for name, value in after.as_dict().items()
        if old.get(name) != value and (before or value != "")
    }
    old_names = sorted(member.name for member in old_team or [])
    if old_team is None or {m.id for m in old_team} != {m.id for m in team}:
        differences["assignees"] = [old_names, sorted(member.name for member in team)]
    return differences


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _announce(
    appointment: Appointment, action: Action, by: Member, differences: dict[str, Any]
) -> None:
    AppointmentChange.objects.create(
        appointment=appointment,
        revision=appointment.revision,
        action=action,
        by=by,
        at=appointment.updated_at,
        fields=differences,
    )
    appointment_changed.send(sender=Appointment, appointment=appointment)
