"""Recording what Google should show, in the transaction that made it so.

Nothing here talks to the network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import RECORDING, CalendarLink, LinkState
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.sync.coverage import shows, upcoming
from sophiie.sync.models import MirroredEvent, MirrorState, WatchedCalendar
from sophiie.sync.wake import defer_drain

Rows = list[MirroredEvent]


def record_change(
    appointment: Appointment, *, found: Mapping[UUID, Mapping[UUID, str]] | None = None
) -> int:
    """Notes for every link of the business that covers or covered the appointment.

    A cancelled, deleted or reassigned appointment stays in the outbox as "no event wanted" until
    Google has confirmed it. Returns how many events have work to do now. `found`: event ids by
    link and appointment, of events that are there and have lost their row.
    """
    there = found or {}
    count = 0
    assignees = set(appointment.assignments.values_list("member_id", flat=True))
    known: dict[UUID, Rows] = defaultdict(list)
    for row in MirroredEvent.objects.filter(appointment=appointment):
        known[row.link_id].append(row)
    moment = now()
    for link in _hold_links(appointment.business_id):
        if link.state not in RECORDING:
            continue
        changed = _align(link, appointment, assignees, known[link.id], moment)
        for row in changed:
            if row._state.adding:
                _adopt(row, None, there.get(link.id, {}).get(appointment.id))
            row.backfill = False
            row.save()
        if changed:
            defer_drain(link.id)
        count += len(changed)
    return count


def record_omission(
    appointment_id: UUID, *, found: Mapping[UUID, Mapping[UUID, str]] | None = None
) -> int:
    """Makes up for what was not noted when it should have been; 0 if there is nothing to do."""
    with transaction.atomic():
        # Held like by a change, so that none is under way.
        held = Appointment.objects.select_for_update(no_key=True)
        appointment = held.filter(pk=appointment_id).first()
        if appointment is None:
            return 0
        count = record_change(appointment, found=found)
        if count:
            live.announce(appointment.business_id, appointment=appointment.id)
    return count


def record_backfill(
    link: CalendarLink, *, again: bool = False, found: Mapping[UUID, str] | None = None
) -> None:
    """Brings the outbox of a link in line with every upcoming appointment; the past stays.

    For a new link, another calendar, other coverage or another privacy level. Events of ours that
    are in the calendar already are adopted, not made again: those of an earlier link of the
    member, and `found` ones (event ids by appointment) whose mapping was lost.
    """
    moment = now()
    rows = _rows_by_appointment(link, moment)
    adopted = {} if rows else _events_of_earlier_links(link)
    others = _managed_by_other_links(link)
    adopted = {key: row for key, row in adopted.items() if row.event_id not in others}
    found = {key: event for key, event in (found or {}).items() if event not in others}
    changed: Rows = []
    for appointment in upcoming(link, moment):
        assignees = {assignment.member_id for assignment in appointment.assignments.all()}
        known = rows[appointment.id]
        for row in _align(link, appointment, assignees, known, moment, again=again):
            if row._state.adding:
                _adopt(row, adopted.pop(appointment.id, None), found.get(appointment.id))
            row.backfill = True
            changed.append(row)
    changed += _leftovers(link, adopted, moment)
    _save(changed)
    link.backfill_total = MirroredEvent.objects.filter(
        link=link, backfill=True, state=MirrorState.PENDING
    ).count()
    if link.state != LinkState.NEEDS_RECONNECT:
        link.state = LinkState.BACKFILLING if link.backfill_total else LinkState.ACTIVE
    if link.state == LinkState.ACTIVE:
        link.last_synced_at = moment
    link.save(update_fields=["backfill_total", "state", "last_synced_at"])
    if changed:
        defer_drain(link.id)


def record_removal(link: CalendarLink) -> bool:
    """Notes that the upcoming events are to go, before an unlinking; False if there are none."""
    moment = now()
    changed = []
    for row in MirroredEvent.objects.filter(link=link, appointment__end__gt=moment):
        if row.wanted or row.state == MirrorState.PENDING:
            _want(row, False, row.wanted_revision, moment)
            changed.append(row)
    _save(changed)
    if changed:
        defer_drain(link.id)
    return bool(changed)


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


def retry_link(link: CalendarLink) -> int:
    """Tries all of a link again at once, because a person asked for it; returns how much that is.

    Also what waits because Google asked to wait: if it still does, one call finds out.
    """
    moment = now()
    with transaction.atomic():
        CalendarLink.objects.filter(pk=link.pk).update(parked_until=None)
        rows = list(
            MirroredEvent.objects.select_for_update()
            .filter(link=link)
            .exclude(state=MirrorState.SYNCED)
            .order_by("id")
        )
        for row in rows:
            _want(row, row.wanted, row.wanted_revision, moment)
        _save(rows)
        WatchedCalendar.objects.filter(link=link).update(next_read_at=moment)
        defer_drain(link.id)
    return len(rows)


def put_back(rows: Iterable[MirroredEvent]) -> None:
    """Writes events anew that were changed or deleted in Google."""
    moment = now()
    for row in rows:
        _want(row, row.wanted, row.wanted_revision, moment)
        row.save()
        defer_drain(row.link_id)


def _align(
    link: CalendarLink,
    appointment: Appointment,
    assignees: Collection[UUID],
    rows: Rows,
    moment: datetime,
    *,
    again: bool = False,
) -> Rows:
    """Sets the rows of one appointment to what Google should show; returns those with work to do.

    With `again` also what is shown already is written anew.
    """
    target = None
    if shows(link, appointment, assignees):
        target = _home(link, appointment, rows, moment) or _new_row(link, appointment, moment)
        rows = [target, *(row for row in rows if row is not target)]
    changed = []
    for row in rows:
        wanted = row is target
        gone = not wanted and not row.wanted and row.state == MirrorState.SYNCED
        current = (row.wanted, row.wanted_revision) == (wanted, appointment.revision)
        if gone or (current and not again and not row._state.adding):
            continue
        _want(row, wanted, appointment.revision, moment)
        changed.append(row)
    return changed


def _home(
    link: CalendarLink, appointment: Appointment, rows: Rows, moment: datetime
) -> MirroredEvent | None:
    """The row in the calendar where the event belongs: the chosen one; a past event stays."""
    if appointment.end <= moment:
        for row in rows:
            if row.wanted:
                return row
    return next((row for row in rows if row.calendar_id == link.calendar_id), None)


def _want(row: MirroredEvent, wanted: bool, revision: int, moment: datetime) -> None:
    row.wanted, row.wanted_revision = wanted, revision
    row.state, row.error, row.attempts = MirrorState.PENDING, "", 0
    row.updated_at = moment
    # The first change goes at once; what follows quickly is gathered into one more call.
    gathered = timedelta(seconds=settings.MIRROR_COALESCE_SECONDS)
    row.next_attempt_at = max(moment, row.synced_at + gathered) if row.synced_at else moment


def _new_row(link: CalendarLink, appointment: Appointment, moment: datetime) -> MirroredEvent:
    return MirroredEvent(
        link=link,
        appointment=appointment,
        calendar_id=link.calendar_id,
        wanted_revision=appointment.revision,
        created_at=moment,
        updated_at=moment,
    )


def _save(rows: Rows) -> None:
    MirroredEvent.objects.bulk_create([r for r in rows if r._state.adding], batch_size=500)
    fields = ["wanted", "wanted_revision", "state", "error", "attempts", "next_attempt_at"]
    MirroredEvent.objects.bulk_update(
        [row for row in rows if not row._state.adding],
        [*fields, "backfill", "updated_at"],
        batch_size=500,
    )


def _hold_links(business_id: UUID) -> list[CalendarLink]:
    """The links of a business, held as they are until the booking commits.

    A link that becomes active at this moment waits for us and then sees the appointment, or we
    wait for it and then see the link. Without that, neither would send the appointment. The lock
    is the weakest there is, so that a worker's lease does not wait for it.
    """
    return list(
        CalendarLink.objects.raw(
            "SELECT link.* FROM calendar_link_calendarlink link"
            " JOIN accounts_member member ON member.id = link.member_id"
            " WHERE member.business_id = %s AND link.state <> %s"
            " ORDER BY link.id FOR KEY SHARE OF link",
            [business_id, LinkState.UNLINKED],
        )
    )


def _rows_by_appointment(link: CalendarLink, moment: datetime) -> dict[UUID, Rows]:
    found: dict[UUID, Rows] = defaultdict(list)
    for row in MirroredEvent.objects.filter(link=link, appointment__end__gt=moment):
        found[row.appointment_id].append(row)
    return found


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


def _managed_by_other_links(link: CalendarLink) -> set[str]:
    """Events in this calendar that another living link stands for: a shared Google account, or a
    shared calendar. Two links with one event would undo each other's work."""
    rows = MirroredEvent.objects.filter(calendar_id=link.calendar_id, sent=True)
    rows = rows.exclude(link=link).exclude(link__state=LinkState.UNLINKED)
    return set(rows.values_list("event_id", flat=True))


def _adopt(row: MirroredEvent, earlier: MirroredEvent | None, found_id: str | None) -> None:
    """Lets a new row stand for an event that is there already."""
    if earlier is not None:
        row.event_id, row.sent = earlier.event_id, True
        row.shown_revision = earlier.shown_revision
    elif found_id:
        # What it shows is not known; any revision before the wanted one makes it a patch.
        row.event_id, row.sent, row.shown_revision = found_id, True, 1


def _leftovers(link: CalendarLink, earlier: Mapping[UUID, MirroredEvent], moment: datetime) -> Rows:
    """Upcoming events of an earlier link whose appointments were called off while unlinked."""
    rows = []
    for left in earlier.values():
        if left.appointment.end > moment:
            row = _new_row(link, left.appointment, moment)
            _adopt(row, left, None)
            _want(row, False, left.appointment.revision, moment)
            row.backfill = True
            rows.append(row)
    return rows
