"""Recording what Google should show, in the transaction that made it so.

Nothing here talks to the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch

from sophiie.appointments.models import Appointment, Assignment
from sophiie.calendar_link.models import RECORDING, CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.coverage import shows
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.wake import defer_drain


def record_change(appointment: Appointment) -> None:
    """Notes for every link of the business that covers or covered the appointment.

    A cancelled, deleted or reassigned appointment stays in the outbox as "no event wanted" until
    Google has confirmed it.
    """
    assignees = set(appointment.assignments.values_list("member_id", flat=True))
    rows = {row.link_id: row for row in MirroredEvent.objects.filter(appointment=appointment)}
    links = CalendarLink.objects.filter(
        member__business_id=appointment.business_id, state__in=RECORDING
    ).order_by("id")
    moment = now()
    for link in links:
        wanted = shows(link, appointment, assignees)
        row = rows.get(link.id)
        if row is None:
            if not wanted:
                continue
            row = _new_row(link, appointment, moment)
        elif not wanted and not row.wanted and row.state == MirrorState.SYNCED:
            continue  # not there, and not to be there
        _want(row, wanted, appointment.revision, moment)
        row.save()
        defer_drain(link.id)


def record_backfill(link: CalendarLink) -> None:
    """Notes every upcoming appointment the new link covers; what is past is not sent.

    Events of an earlier link of the member to the same calendar are adopted, not made again.
    """
    assert link.activated_at is not None
    moment = link.activated_at  # what the backfill made is told from later rows by this instant
    known = _events_of_earlier_links(link)
    rows = []
    for appointment in _upcoming(link, moment):
        assignees = {assignment.member_id for assignment in appointment.assignments.all()}
        if not shows(link, appointment, assignees):
            continue
        row = _new_row(link, appointment, moment)
        if earlier := known.get(appointment.id):
            row.event_id, row.sent = earlier.event_id, earlier.sent
            row.shown_revision = earlier.shown_revision
        _want(row, True, appointment.revision, moment)
        rows.append(row)
    rows += _leftovers(link, known, {row.appointment_id for row in rows}, moment)
    MirroredEvent.objects.bulk_create(rows, batch_size=500)
    link.backfill_total = len(rows)
    if not rows:
        link.state, link.last_synced_at = LinkState.ACTIVE, moment
    link.save(update_fields=["backfill_total", "state", "last_synced_at"])
    if rows:
        defer_drain(link.id)


def resume(link: CalendarLink) -> None:
    """A mended link: what waited is due now, in the order in which it was recorded."""
    MirroredEvent.objects.filter(link=link, state=MirrorState.PENDING).update(
        next_attempt_at=now(), attempts=0
    )
    defer_drain(link.id)


def retry(rows: Iterable[MirroredEvent]) -> None:
    """Tries failed or waiting events again at once, because a person asked for it."""
    moment = now()
    for row in rows:
        if row.state != MirrorState.SYNCED:
            _want(row, row.wanted, row.wanted_revision, moment)
            row.save()
            defer_drain(row.link_id)


def _want(row: MirroredEvent, wanted: bool, revision: int, moment: datetime) -> None:
    row.wanted, row.wanted_revision = wanted, revision
    row.state, row.error, row.attempts = MirrorState.PENDING, "", 0
    row.next_attempt_at = row.updated_at = moment


def _new_row(link: CalendarLink, appointment: Appointment, moment: datetime) -> MirroredEvent:
    return MirroredEvent(
        link=link,
        appointment=appointment,
        calendar_id=link.calendar_id,
        wanted_revision=appointment.revision,
        created_at=moment,
        updated_at=moment,
    )


def _upcoming(link: CalendarLink, moment: datetime) -> Iterable[Appointment]:
    return (
        Appointment.objects.filter(
            business_id=link.member.business_id, deleted_at=None, end__gt=moment
        )
        .prefetch_related(Prefetch("assignments", Assignment.objects.only("member", "appointment")))
        .order_by("start", "id")
    )


def _events_of_earlier_links(link: CalendarLink) -> dict[UUID, MirroredEvent]:
    """The newest mapping of each appointment from earlier links of this member to this calendar."""
    earlier = (
        MirroredEvent.objects.filter(
            link__member=link.member_id,
            link__google_sub=link.google_sub,
            link__state=LinkState.UNLINKED,
            calendar_id=link.calendar_id,
            sent=True,
        )
        .exclude(wanted=False, state=MirrorState.SYNCED)
        .select_related("appointment")
        .order_by("created_at")
    )
    return {row.appointment_id: row for row in earlier}


def _leftovers(
    link: CalendarLink, known: dict[UUID, MirroredEvent], covered: set[UUID], moment: datetime
) -> list[MirroredEvent]:
    """Upcoming events of an earlier link whose appointments were called off while unlinked."""
    rows = []
    for appointment_id, earlier in known.items():
        if appointment_id in covered or earlier.appointment.end <= moment:
            continue
        row = _new_row(link, earlier.appointment, moment)
        row.event_id, row.sent = earlier.event_id, True
        row.shown_revision = earlier.shown_revision
        _want(row, False, earlier.appointment.revision, moment)
        rows.append(row)
    return rows
