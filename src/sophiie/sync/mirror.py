"""Recording what Google should show, in the transaction that made it so.

Nothing here talks to the network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.coverage import shows, upcoming
from sophiie.sync.guests import Circle, guests_of, hosting
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.wake import defer_drain

Rows = list[MirroredEvent]
# What is decided here; all else on a row is a worker's to write.
WANTED_FIELDS = (
    "wanted",
    "wanted_revision",
    "guests",
    "backfill",
    "state",
    "error",
    "attempts",
    "next_attempt_at",
    "updated_at",
)


def record_change(
    appointment: Appointment,
    *,
    backfill: bool = False,
    found: Mapping[UUID, str] | None = None,
) -> int:
    """Notes for every link of the business that covers or covered the appointment.

    A cancelled, deleted or reassigned appointment stays in the outbox as "no event wanted" until
    Google has confirmed it. With `backfill` what is new here comes after all single changes.
    `found`: by link, the event that is there and has lost its row. Returns how many events have
    work to do now.
    """
    count = 0
    assignees = set(appointment.assignments.values_list("member_id", flat=True))
    known: dict[UUID, Rows] = defaultdict(list)
    for row in MirroredEvent.objects.filter(appointment=appointment):
        known[row.link_id].append(row)
    moment = now()
    circle = Circle.of(appointment.business, _hold_links(appointment.business_id))
    host = hosting(row for link in circle.links for row in known[link.id])
    guests = guests_of(appointment, assignees, circle, hosting=host)
    for link in circle.links:
        waiting = {row.pk for row in known[link.id] if row.state == MirrorState.PENDING}
        changed = _align(
            link, appointment, assignees, known[link.id], moment, guests=guests.at(link)
        )
        for row in changed:
            if row._state.adding and found:
                _adopt(row, None, found.get(link.id), circle)
            row.backfill = backfill and (row.backfill or row.pk not in waiting)
            _write(row)
        if changed:
            defer_drain(link.id)
        count += len(changed)
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
    business = link.member.business
    circle = Circle.of(business, links_of(business.id))
    hosts = _hosting_links(circle)
    changed: Rows = []
    for appointment in upcoming(link, moment):
        assignees = {assignment.member_id for assignment in appointment.assignments.all()}
        known = rows[appointment.id]
        guests = guests_of(appointment, assignees, circle, hosting=hosts.get(appointment.id))
        mine = guests.at(link)
        for row in _align(link, appointment, assignees, known, moment, again=again, guests=mine):
            if row._state.adding:
                earlier = adopted.pop(appointment.id, None)
                _adopt(row, earlier, found.get(appointment.id), circle)
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
    again = [row for row in rows if row.state != MirrorState.SYNCED]
    for row in again:
        _want(row, row.wanted, row.wanted_revision, moment)
    _save(again)
    for link_id in {row.link_id for row in again}:
        defer_drain(link_id)


def put_back(rows: Iterable[MirroredEvent]) -> None:
    """Writes events anew that were changed or deleted in Google."""
    moment = now()
    for row in rows:
        _want(row, row.wanted, row.wanted_revision, moment)
        _write(row)
        defer_drain(row.link_id)


def _align(
    link: CalendarLink,
    appointment: Appointment,
    assignees: Collection[UUID],
    rows: Rows,
    moment: datetime,
    *,
    guests: list[str],
    again: bool = False,
) -> Rows:
    """Sets the rows of one appointment to what Google should show; returns those with work to do.

    `guests` are those of this link's event. With `again` also what is shown already is written
    anew.
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
        if wanted:
            current = current and row.guests == guests
            row.guests = guests
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


def _write(row: MirroredEvent) -> None:
    """What a worker has noted on the row since it was read stays."""
    row.save(update_fields=None if row._state.adding else WANTED_FIELDS)


def _save(rows: Rows) -> None:
    """The same for many."""
    MirroredEvent.objects.bulk_create([r for r in rows if r._state.adding], batch_size=500)
    known = [row for row in rows if not row._state.adding]
    MirroredEvent.objects.bulk_update(known, WANTED_FIELDS, batch_size=500)


def links_of(business_id: UUID) -> QuerySet[CalendarLink]:
    """The links of a business that are not unlinked, in order."""
    links = CalendarLink.objects.filter(member__business=business_id)
    return links.exclude(state=LinkState.UNLINKED).order_by("id")


def _hosting_links(circle: Circle) -> dict[UUID, UUID]:
    """By appointment, the link whose event has guests."""
    rows = MirroredEvent.objects.filter(link__in=circle.links, wanted=True)
    hosts = rows.exclude(guests=[]).values_list("appointment_id", "link_id")
    return dict(hosts.order_by("-link_id"))


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


def _adopt(
    row: MirroredEvent,
    earlier: MirroredEvent | None,
    found_id: str | None,
    circle: Circle | None = None,
) -> None:
    """Lets a new row stand for an event that is there already."""
    if earlier is not None:
        row.event_id, row.sent = earlier.event_id, True
        row.shown_revision = earlier.shown_revision
        row.shown_guests, row.sent_guests = earlier.shown_guests, earlier.sent_guests
    elif found_id:
        # What it shows is not known; any revision before the wanted one makes it a patch.
        row.event_id, row.sent, row.shown_revision = found_id, True, 1
    if circle and row.sent and not row.shown_guests:  # whom an earlier link invited is not known
        row.sent_guests = sorted(circle.emails.values())


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
