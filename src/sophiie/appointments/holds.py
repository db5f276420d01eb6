"""Holds: appointments that keep their time for some minutes while somebody decides.

A hold expires by itself: after `held_until` nothing counts it any more, whether or not anybody has
noticed. It is in no list then and reads as cancelled; `let_go_of_expired` only records that.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.appointments.assignments import (
    Consent,
    assign,
    booking_transaction,
    release,
    team_of,
)
from sophiie.appointments.booking import find
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.errors import NotHeld, TooBusy
from sophiie.appointments.hold_time import holds_still
from sophiie.appointments.locking import in_transaction, lock_members
from sophiie.appointments.models import Action, Appointment, Status
from sophiie.appointments.record import announce, locked, locked_one, save_next_revision
from sophiie.appointments.resources import resources_used
from sophiie.appointments.rules import Details
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.common.tracing import traced

logger = log(__name__)

MAX_AT_ONCE = 500


@traced("confirm")
def confirm(
    *,
    by: Member,
    appointment_id: UUID,
    allow_overlap: bool = False,
    accept_unverified: bool = False,
) -> Appointment:
    """Turns a hold into an appointment. Idempotent.

    An expired hold can be confirmed too, while its time is still free. Raises as `booking.book`,
    `UnknownAppointment`, and `NotHeld` for what never was a hold or was called off.
    """
    shown = find(by, appointment_id)
    team = team_of(shown)
    if shown.is_hold:
        renew_knowledge(team=team, start=shown.start, end=shown.end)

    def keep() -> Appointment:
        appointment = locked_one(by, appointment_id, None)
        if appointment.status == Status.SCHEDULED:
            return appointment
        if not appointment.is_hold:
            raise NotHeld(appointment.status)
        team = team_of(appointment)
        lock_members(
            (member.id for member in team),
            resources=[resource.id for resource in resources_used(appointment)],
        )
        differences: dict[str, Any] = {"status": [appointment.status, str(Status.SCHEDULED)]}
        appointment.status, appointment.held_until = Status.SCHEDULED, None
        save_next_revision(appointment)
        consent = Consent(allow_overlap, accept_unverified).and_as_before(appointment)
        differences |= assign(appointment, team, consent)
        announce(appointment, Action.CONFIRMED, by, differences)
        return appointment

    return booking_transaction(keep, Details.of(shown), team, exclude=appointment_id)


def let_go_of_expired() -> int:
    """Records which holds have expired, so that open pages hear of it; returns how many.

    Nothing depends on it: bookings, lists and answers look at `held_until` themselves.
    """
    moment = now()
    overdue = Appointment.objects.filter(
        ~holds_still(moment), status=Status.HELD, held_until__isnull=False, deleted_at=None
    ).values_list("pk", flat=True)
    count = 0
    for appointment_id in list(overdue.order_by("held_until")[:MAX_AT_ONCE]):
        try:
            count += in_transaction(partial(_let_go, appointment_id))
        except TooBusy:
            logger.info("hold is let go later", appointment_id=str(appointment_id))
    return count


def _let_go(appointment_id: UUID) -> int:
    appointment = locked().filter(pk=appointment_id, status=Status.HELD, deleted_at=None).first()
    if appointment is None or not appointment.has_run_out:
        return 0  # confirmed or called off meanwhile
    # In the order of every other change, so that no two wait for each other.
    lock_members(
        appointment.assignments.values_list("member_id", flat=True),
        resources=appointment.resource_uses.values_list("resource_id", flat=True),
    )
    appointment.status = Status.CANCELLED
    save_next_revision(appointment)
    release(appointment)
    differences = {"status": [str(Status.HELD), str(Status.CANCELLED)]}
    announce(appointment, Action.EXPIRED, appointment.created_by, differences)
    return 1
