"""The business acts: book, change, cancel, delete, reinstate. Those of a hold are in `holds.py`.

Each is one transaction: the appointment, its assignments, the history, and whatever the receivers
of `appointment_changed` record. Nothing here uses the network. Before the transaction, whoever
keeps copies of the team's calendars may renew old ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.appointments.assignments import (
    Consent,
    assign,
    booking_transaction,
    both_consents,
    check_free,
    distances_of,
    release,
    team_of,
    write_assignments,
)
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.customers import CustomerOfBooking, keep_customer
from sophiie.appointments.errors import UnknownAppointment
from sophiie.appointments.holding import check_minutes, check_what_is_held, make_room_for_hold
from sophiie.appointments.locking import in_transaction, lock_members
from sophiie.appointments.models import Action, Appointment, Status
from sophiie.appointments.record import (
    announce,
    differences_between,
    locked,
    locked_one,
    record_about,
    save_next_revision,
)
from sophiie.appointments.resources import (
    check_are_there,
    other_resources,
    resources_used,
    write_uses,
)
from sophiie.appointments.rules import Details, check_details
from sophiie.appointments.selectors import visible_to
from sophiie.appointments.services import note_service
from sophiie.audit import Act
from sophiie.common.clock import now
from sophiie.common.sql import insert, pipeline
from sophiie.common.tracing import traced
from sophiie.resources.models import Resource


@traced("book")
def book(
    *,
    by: Member,
    details: Details,
    assignees: Sequence[Member],
    customer_id: UUID | None = None,
    hold_minutes: int | None = None,
    hold_key: UUID | None = None,
    allow_overlap: bool = False,
    accept_unverified: bool = False,
    resources: Sequence[Resource] = (),
    appointment_id: UUID | None = None,
) -> Appointment:
    """Makes an appointment in the business of `by`. With `hold_minutes` it only holds its time for
    that long, on behalf of an API key if one is named. `appointment_id` is the id of one that is
    made again, after a restored backup had lost it.

    The customer is the one with `customer_id`, or whom the details mean; see `customers.py`. The
    service that the details name gives its buffers, and nothing else; see `services.py`. Raises
    `InvalidAppointment`, `Conflict` (naming what is in the way), `TooManyHolds` or
    `TooBusy`. `allow_overlap` books over appointments and busy time, `accept_unverified` books
    members whose calendar cannot be read; the assignments concerned carry a mark of either.
    """
    check_details(details)
    if hold_minutes is not None:
        check_minutes(hold_minutes)
        check_what_is_held(by.business, details, assignees)
    renew_knowledge(team=assignees, start=details.start, end=details.end)

    def make() -> Appointment:
        held = hold_minutes is not None
        if held:
            make_room_for_hold(by.id, hold_key, is_new=True)
        customer = CustomerOfBooking(by, details, customer_id)
        lock_members(
            (member.id for member in assignees),
            customers=customer.locks,
            resources=[resource.id for resource in resources],
        )
        check_are_there(resources)
        moment = now()
        appointment = Appointment(
            business=by.business,
            created_by=by,
            created_at=moment,
            updated_at=moment,
            status=Status.HELD if held else Status.SCHEDULED,
            held_until=moment + timedelta(minutes=hold_minutes or 0) if held else None,
            hold_key_id=hold_key if held else None,
            **replace(details, service_id=None).as_dict(),
        )
        if appointment_id is not None:
            appointment.id = appointment_id
        appointment.note_wall_times()
        service = note_service(appointment, details.service_id)
        consent = Consent(allow_overlap, accept_unverified)
        obstacles = check_free(appointment, assignees, consent, resources=resources)
        said = customer.note_on(appointment)
        with pipeline():
            insert([appointment])
            used = both_consents(
                write_assignments(appointment, assignees, obstacles),
                write_uses(appointment, resources, obstacles),
            )
        differences = differences_between(None, said, None, assignees) | service | used
        differences |= other_resources([], resources)
        announce(appointment, Action.HELD if held else Action.CREATED, by, differences)
        return appointment

    return booking_transaction(make, details, assignees, resources=resources)


@traced("change")
def change(
    *,
    by: Member,
    appointment_id: UUID,
    changes: dict[str, Any],
    assignees: Sequence[Member] | None = None,
    customer_id: UUID | None = None,
    status: str | None = None,
    expected_revision: int | None = None,
    allow_overlap: bool = False,
    accept_unverified: bool = False,
    audited_as: Act | None = None,
    resources: Sequence[Resource] | None = None,
) -> Appointment:
    """Changes the named details, the assignees or the status of an appointment.

    A call that changes nothing makes no revision. Setting an open status confirms a hold, and
    brings a cancelled appointment back if its time is still free. Unless the time changes, only new
    assignees have to be free. `customer_id` says for whom it is; else changed words of the customer
    do, as in `book`. `resources` replaces what it needs. `audited_as` records the change in the
    audit log, if it is more than an everyday one. Raises as `book`, and `UnknownAppointment` and
    `StaleRevision`.
    """
    shown = find(by, appointment_id)
    wanted = replace(Details.of(shown), **changes)
    check_details(wanted)
    shown_team = [assignment.member for assignment in shown.assignments.all()]
    new_team = list(assignees) if assignees is not None else shown_team
    if _asks_for_time(shown, wanted, set(new_team) - set(shown_team), status):
        renew_knowledge(team=new_team, start=wanted.start, end=wanted.end)

    def update() -> Appointment:
        appointment = locked_one(by, appointment_id, expected_revision)
        before, old_team = Details.of(appointment), team_of(appointment)
        customer = CustomerOfBooking(by, replace(before, **changes), customer_id)
        after = customer.details
        check_details(after)
        team = new_team if assignees is not None else old_team
        is_for_another = customer.differs_from(before)
        locks = customer.locks if is_for_another else []
        used = resources_used(appointment)
        needed = used if resources is None else resources
        lock_members(
            (member.id for member in [*old_team, *team]),
            customers=locks,
            resources=[resource.id for resource in [*used, *needed]],
        )
        if resources is not None:
            check_are_there(resources)
        differences = differences_between(before, after, old_team, team)
        differences |= note_service(appointment, after.service_id) | other_resources(used, needed)
        was_booked = appointment.is_on and not appointment.is_hold
        if status is not None and status != appointment.status:
            differences["status"] = [appointment.status, str(status)]
            appointment.status, appointment.held_until = Status(status), None
        if is_for_another:
            customer.note_on(appointment)
        if not differences:
            return keep_customer(appointment) if is_for_another else appointment
        if appointment.is_hold and differences.keys() & {"start", "end", "assignees"}:
            check_what_is_held(appointment.business, after, team)
        for name, value in after.as_dict().items():
            setattr(appointment, name, value)
        if moved := differences.keys() & {"start", "end", "timezone"}:
            appointment.note_wall_times(moved)
        save_next_revision(appointment)
        consent = Consent(allow_overlap, accept_unverified)
        is_back = "status" in differences and not was_booked
        differences |= _assign_anew(
            appointment, team, consent, differences, is_back=is_back, resources=needed
        )
        announce(appointment, Action.CHANGED, by, differences)
        if audited_as:
            record_about(audited_as, appointment, by)
        return appointment

    return booking_transaction(
        update, wanted, new_team, resources=resources, exclude=appointment_id
    )


def _asks_for_time(
    shown: Appointment, wanted: Details, newcomers: set[Member], status: str | None
) -> bool:
    """Whether a change takes new time, as far as one can tell beforehand."""
    if status is not None and (shown.is_hold or not shown.is_on):
        return True
    return shown.is_on and (bool(newcomers) or _is_moved(Details.of(shown), wanted))


def _assign_anew(
    appointment: Appointment,
    team: Sequence[Member],
    consent: Consent,
    differences: dict[str, Any],
    *,
    is_back: bool,
    resources: Sequence[Resource],
) -> dict[str, Any]:
    """Checks the assignments and the resources that a change affects, and no others."""
    if differences.keys() & {"start", "end"}:
        return assign(appointment, team, consent, resources=resources)
    if is_back:  # or a hold that is being confirmed: as if booked now, with the earlier consent
        before = consent.and_as_before(appointment)
        return assign(appointment, team, before, resources=resources)
    if differences.keys() & {"assignees", "resources"}:
        staying = appointment.assignments.all()
        return assign(appointment, team, consent, staying=staying, resources=resources)
    if differences.keys() & {"service", "travel_minutes"}:
        appointment.assignments.update(**distances_of(appointment))
    return {}


def _is_moved(before: Details, after: Details) -> bool:
    return (before.start, before.end) != (after.start, after.end)


@traced("cancel")
def cancel(
    *, by: Member, appointment_id: UUID, expected_revision: int | None = None
) -> Appointment:
    """Calls the appointment off; it stays visible and frees its time. Idempotent; does nothing to
    an expired hold."""

    def call_off() -> Appointment:
        appointment = locked_one(by, appointment_id, expected_revision)
        if not appointment.is_on:
            return appointment
        differences = {"status": [appointment.status, str(Status.CANCELLED)]}
        appointment.status, appointment.held_until = Status.CANCELLED, None
        return _end(appointment, Action.CANCELLED, by, differences)

    return in_transaction(call_off)


@traced("delete")
def delete(*, by: Member, appointment_id: UUID, expected_revision: int | None = None) -> None:
    """Hides the appointment; its history stays in the database."""

    def take_away() -> None:
        appointment = locked_one(by, appointment_id, expected_revision)
        appointment.deleted_at = now()
        _end(appointment, Action.DELETED, by, {})

    in_transaction(take_away)


def _end(
    appointment: Appointment, action: Action, by: Member, differences: dict[str, Any]
) -> Appointment:
    save_next_revision(appointment)
    release(appointment)
    announce(appointment, action, by, differences)
    return appointment


@traced("reinstate")
def reinstate(*, by: Member, appointment_id: UUID) -> Appointment:
    """Undoes a deletion or a cancellation, if the time is still free. Raises as `book`.

    A deleted appointment comes back as it was; a cancelled one, or an expired hold, is scheduled
    again.
    """
    shown = Appointment.objects.filter(pk=appointment_id, business=by.business_id).first()
    if shown is None:
        raise UnknownAppointment
    team = team_of(shown)
    renew_knowledge(team=team, start=shown.start, end=shown.end)

    def bring_back() -> Appointment:
        appointment = locked().get(pk=shown.pk)
        if appointment.deleted_at is None and appointment.is_on:
            return appointment
        if appointment.is_hold and not appointment.has_run_out:
            make_room_for_hold(appointment.created_by_id, appointment.hold_key_id, is_new=False)
        lock_members(
            (member.id for member in team),
            resources=[resource.id for resource in resources_used(appointment)],
        )
        differences: dict[str, Any] = {}
        if appointment.deleted_at is not None:
            appointment.deleted_at = None
        else:
            differences["status"] = [appointment.status, str(Status.SCHEDULED)]
            appointment.status, appointment.held_until = Status.SCHEDULED, None
        save_next_revision(appointment)
        # What was booked with somebody's consent comes back as it was.
        assign(appointment, team, Consent().and_as_before(appointment))
        announce(appointment, Action.REINSTATED, by, differences)
        return appointment

    return booking_transaction(bring_back, Details.of(shown), team, exclude=appointment_id)


def find(by: Member, appointment_id: UUID) -> Appointment:
    """The appointment, if it is in the business of `by`; else raises `UnknownAppointment`."""
    appointment = visible_to(by).filter(pk=appointment_id).first()
    if appointment is None:
        raise UnknownAppointment
    return appointment
