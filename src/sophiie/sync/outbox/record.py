"""Recording what Google should show, in the transaction that made it so.

One appointment, all links; a whole link is the business of `backfill.py`. Nothing here talks to
the network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.db import transaction

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.common.sql import execute
from sophiie.sync.jobs import defer_drain
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState, WatchedCalendar
from sophiie.sync.outbox.guests import Circle, guests_of, hosting
from sophiie.sync.outbox.rows import Rows, adopt, align, save, want, write

_ASSIGNEES = "SELECT member_id FROM appointments_assignment WHERE appointment_id = %(appointment)s"
# What of a link decides about its events; its tokens are not read.
_LINKS = """
    SELECT link.id, link.member_id, link.state, link.google_email, link.calendar_id, link.covers,
        link.privacy, link.created_at
    FROM calendar_link_calendarlink link JOIN accounts_member member ON member.id = link.member_id
    WHERE member.business_id = %s AND link.state <> %s
    ORDER BY link.id FOR KEY SHARE OF link
"""


def record_change(
    appointment: Appointment,
    *,
    is_new: bool = False,
    backfill: bool = False,
    found: Mapping[UUID, Mapping[UUID, str]] | None = None,
) -> int:
    """Notes for every link of the business that covers or covered the appointment.

    A cancelled, deleted or reassigned appointment stays in the outbox as "no event wanted" until
    Google has confirmed it. Returns how many events have work to do now. Of an appointment that
    `is_new` nothing can have been noted yet. With `backfill` what is new here comes after all
    single changes. `found`: event ids by link and appointment, of events that are there and have
    lost their row.
    """
    there = found or {}
    count = 0
    assignees = {member_id for (member_id,) in execute(_ASSIGNEES, appointment=appointment.id)}
    known: dict[UUID, Rows] = defaultdict(list)
    if not is_new:
        for row in MirroredEvent.objects.filter(appointment=appointment):
            known[row.link_id].append(row)
    moment = now()
    circle = Circle.of(
        appointment.business,
        _hold_links(appointment.business_id),
        # Whom an event that was found may have as guests is not known; else only they matter.
        only=None if there else assignees,
    )
    host = hosting(row for link in circle.links for row in known[link.id])
    guests = guests_of(appointment, assignees, circle, hosting=host)
    for link in circle.links:
        waiting = {row.pk for row in known[link.id] if row.state == MirrorState.PENDING}
        changed = align(
            link,
            appointment,
            assignees,
            known[link.id],
            moment,
            guests=guests.at(link),
            is_new=is_new,
        )
        for row in changed:
            if row._state.adding:
                adopt(row, None, there.get(link.id, {}).get(appointment.id), circle)
            row.backfill = backfill and (row.backfill or row.pk not in waiting)
            write(row)
        if changed:
            defer_drain(link.id)
        count += len(changed)
    return count


def record_anew(
    appointment_id: UUID,
    *,
    backfill: bool = False,
    found: Mapping[UUID, Mapping[UUID, str]] | None = None,
) -> int:
    """Looks at an appointment that has not changed, and notes what was not noted; the rest as for
    a change. 0 if there is nothing to do."""
    with transaction.atomic():
        # Held like by a change, so that none is under way.
        held = Appointment.objects.select_for_update(no_key=True)
        appointment = held.filter(pk=appointment_id).first()
        if appointment is None:
            return 0
        count = record_change(appointment, backfill=backfill, found=found)
        if count:
            live.announce(appointment.business_id, appointment=appointment.id)
    return count


def redraw(appointment: Appointment, *, without_guests: Collection[str] = ()) -> int:
    """Has the events of an appointment that has not moved written anew, after all single changes;
    returns how many.

    Nothing is added: a past appointment that was never sent, or that a person deleted in Google,
    stays away. The caller holds the appointment.
    """
    moment = now()
    rows = (
        MirroredEvent.objects.select_for_update(of=("self",))
        .filter(appointment=appointment, wanted=True)
        .exclude(link__state=LinkState.UNLINKED)
        .exclude(drift_kind=DriftKind.DELETED)
    )
    count = 0
    for row in rows.order_by("id"):
        row.backfill = row.backfill or row.state != MirrorState.PENDING
        row.guests = [guest for guest in row.guests if guest not in without_guests]
        want(row, True, appointment.revision, moment)
        write(row)
        defer_drain(row.link_id)
        count += 1
    live.announce(appointment.business_id, appointment=appointment.id)
    return count


def resume(link: CalendarLink) -> None:
    """A mended link: what waited is due now, in the order in which it was recorded."""
    MirroredEvent.objects.filter(link=link, state=MirrorState.PENDING).update(
        next_attempt_at=now(), attempts=0
    )
    defer_drain(link.id)


def retry(rows: Iterable[MirroredEvent]) -> None:
    """Tries failed or waiting events again at once, because a person asked for it."""
    moment = now()
    with transaction.atomic():
        # As they are now: what a change has wanted since they were read must not be undone.
        held = MirroredEvent.objects.select_for_update().filter(pk__in=[row.pk for row in rows])
        for row in list(held.exclude(state=MirrorState.SYNCED).order_by("id")):
            want(row, row.wanted, row.wanted_revision, moment)
            write(row)
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
            want(row, row.wanted, row.wanted_revision, moment)
        save(rows)
        WatchedCalendar.objects.filter(link=link).update(next_read_at=moment)
        defer_drain(link.id)
    return len(rows)


def put_back(rows: Iterable[MirroredEvent]) -> None:
    """Writes events anew that were changed or deleted in Google, with their guests: who changed
    them may have erased those as well, and whether they are there no poll asks."""
    moment = now()
    for row in rows:
        want(row, row.wanted, row.wanted_revision, moment)
        if row.shown_guests:
            row.shown_guests = []
            row.save(update_fields=["shown_guests"])
        write(row)
        defer_drain(row.link_id)


def _hold_links(business_id: UUID) -> list[CalendarLink]:
    """The links of a business, held as they are until the booking commits.

    A link that becomes active at this moment waits for us and then sees the appointment, or we
    wait for it and then see the link. Without that, neither would send the appointment. The lock
    is the weakest there is, so that a worker's lease does not wait for it.
    """
    return list(CalendarLink.objects.raw(_LINKS, [business_id, LinkState.UNLINKED]))
