"""What a person can do about an event that was changed or deleted in Google.

Until one of these is chosen, or the appointment is changed otherwise, nothing happens.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.models import Appointment
from sophiie.appointments.record import record_about
from sophiie.calendar_link.models import RECORDING
from sophiie.sync.drift_state import whole_seconds
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState
from sophiie.sync.outbox import record

# What is taken over as it is.
TAKEN = ("title", "location")


class DriftError(Exception):
    """The act is not possible; the message says why."""


def put_back(by: Member, appointment_id: UUID, *, calendar_of: UUID | None = None) -> Appointment:
    """Lets Google show what Sophiie has, also when the event was deleted there, and removes one of
    an appointment that is off.

    In every calendar, or in that of the member `calendar_of`. Idempotent. Raises
    `UnknownAppointment`.
    """
    with transaction.atomic():
        appointment = booking.find(by, appointment_id)
        # A list first: the rows are locked until the work is recorded.
        rows = list(_drifted(appointment, calendar_of).select_for_update(of=("self",)))
        record.put_back(rows)
        if rows:
            record_about(audit.Act.DRIFT_PUT_BACK, appointment, by)
    return appointment


def use_googles_version(
    by: Member,
    appointment_id: UUID,
    *,
    calendar_of: UUID | None = None,
    allow_overlap: bool = False,
    accept_unverified: bool = False,
) -> Appointment:
    """Takes over what somebody made of the event in Google: its time, title and place, and the
    text that was added goes into the notes. The time zone stays.

    An ordinary change: raises whatever `booking.change` does, such as `Conflict`, and `DriftError`
    where Google has nothing to offer.
    """
    appointment = booking.find(by, appointment_id)
    row = _chosen(list(_drifted(appointment, calendar_of)), by)
    return booking.change(
        by=by,
        appointment_id=appointment_id,
        changes=_changes(row, appointment),
        # The person saw how Google differs from this revision, not from a later one.
        expected_revision=row.shown_revision,
        allow_overlap=allow_overlap,
        accept_unverified=accept_unverified,
        audited_as=audit.Act.DRIFT_ACCEPTED,
    )


def _drifted(appointment: Appointment, calendar_of: UUID | None) -> QuerySet[MirroredEvent]:
    """The rows with drift that is still to be answered."""
    rows = MirroredEvent.objects.filter(
        Q(wanted=True) | Q(drift_kind=DriftKind.STILL_THERE),
        appointment=appointment,
        state=MirrorState.SYNCED,
        link__state__in=RECORDING,
    ).exclude(drift_kind=DriftKind.NONE)
    if calendar_of is not None:  # whose event may be hosted by a colleague's link
        theirs = MirroredEvent.objects.filter(appointment=appointment, link__member=calendar_of)
        rows = rows.filter(calendar_id__in=theirs.values("calendar_id"))
    return rows.select_related("link").order_by("id")


def _chosen(rows: list[MirroredEvent], by: Member) -> MirroredEvent:
    """Of several rows, one with a time, in one's own calendar, seen last: in this order."""
    if not rows:
        raise DriftError(
            _("Google shows this appointment as Sophiie does; there is nothing to use.")
        )
    return max(
        rows,
        key=lambda row: (
            row.drift_start is not None,
            row.link.member_id == by.id,
            row.drift_seen_at,
        ),
    )


def _changes(row: MirroredEvent, appointment: Appointment) -> dict[str, Any]:
    """What there is to take over; `DriftError` if it is nothing."""
    if row.drift_kind == DriftKind.DELETED:
        raise DriftError(_("The event was deleted in Google, so there is no time to use."))
    if row.drift_kind == DriftKind.STILL_THERE:
        raise DriftError(_("The appointment is cancelled. Reinstate it, or remove the event."))
    fields = row.drift_fields
    changes: dict[str, Any] = {name: fields[name] for name in TAKEN if name in fields}
    if added := fields.get("description"):
        changes["notes"] = "\n".join(filter(None, [appointment.notes, *added]))
    if row.drift_start and row.drift_end:
        if row.drift_start != whole_seconds(appointment.start):
            changes["start"] = row.drift_start
        if row.drift_end != whole_seconds(appointment.end):
            changes["end"] = row.drift_end
    elif not changes:
        raise DriftError(
            _("In Google it is an all-day event now. An appointment needs a start and an end.")
        )
    if not changes:
        raise DriftError(_("There is nothing in Google's version that an appointment could take."))
    return changes
