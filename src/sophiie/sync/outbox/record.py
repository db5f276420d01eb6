"""Records what Google should show of one appointment, in the transaction that made it so.

All links of the business at once; `backfill.py` does it for one whole link. Nothing here talks to
the network.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.common.sql import Columns, execute
from sophiie.sync.jobs import defer_drain
from sophiie.sync.left_in_google import poll_what_nobody_writes
from sophiie.sync.models import ANEW, DriftKind, MirroredEvent, MirrorState, WatchedCalendar
from sophiie.sync.outbox.coverage import shows
from sophiie.sync.outbox.guests import Circle, Guests, guests_of, hosting
from sophiie.sync.outbox.hosting import former_host, has_event, hosts_of, take_over
from sophiie.sync.outbox.rows import (
    WANTED_FIELDS,
    Rows,
    adopt,
    align,
    home_of,
    save,
    want,
    write,
)

# In SQL, as part of every booking: that and asking for no more than this took a booking from 28 to
# 16 ms, and its processor time from 14 to 10 ms (docs/reference/benchmarks.md, "Bookings").
_ASSIGNEES = "SELECT member_id FROM appointments_assignment WHERE appointment_id = %(appointment)s"
# Only what decides about a link's events: its tokens would be decrypted for nothing.
_LINK = Columns(
    CalendarLink,
    only="id member_id state google_email calendar_id covers privacy created_at",
)
_LINKS = f"""
    SELECT {_LINK.of("link")}
    FROM calendar_link_calendarlink link JOIN accounts_member member ON member.id = link.member_id
    WHERE member.business_id = %(business)s AND link.state <> '{LinkState.UNLINKED}'
    ORDER BY link.id FOR KEY SHARE OF link
"""  # noqa: S608 - no values


def record_change(
    appointment: Appointment,
    *,
    is_new: bool = False,
    frees_or_takes_time: bool = False,
    backfill: bool = False,
    found: Mapping[UUID, Mapping[UUID, str]] | None = None,
) -> int:
    """Notes, for every link that shows or showed the appointment, what Google should show now.

    For each link: set its rows to what is wanted, write those that changed, wake a worker. Returns
    how many events have work to do.

    A cancelled, deleted or reassigned appointment stays in the outbox as "no event wanted" until
    Google has confirmed it. An appointment that `is_new` has no rows yet. With `backfill` the work
    comes after all single changes. `found`: by link and appointment, ids of events that exist in
    Google and have lost their row.
    """
    moment, count = now(), 0
    assignees = {member_id for (member_id,) in execute(_ASSIGNEES, appointment=appointment.id)}
    links = hold_links(appointment.business_id)
    if frees_or_takes_time and not is_new:
        poll_what_nobody_writes(appointment)
    rows = defaultdict(list) if is_new else _rows_by_link(appointment)
    # Nobody knows whom a found event has as guests; otherwise only the assignees matter.
    circle = Circle.of(appointment.business, links, only=None if found else assignees)
    for row in changed_rows(
        circle, appointment, assignees, rows, moment, is_new=is_new, found=found, backfill=backfill
    ):
        write(row)
        defer_drain(row.link_id)
        count += 1
    return count


def changed_rows(
    circle: Circle,
    appointment: Appointment,
    assignees: Collection[UUID],
    rows: dict[UUID, Rows],
    moment: datetime,
    *,
    is_new: bool,
    found: Mapping[UUID, Mapping[UUID, str]] | None = None,
    backfill: bool = False,
) -> Iterator[MirroredEvent]:
    """Sets the rows of an appointment to what is wanted and yields those to be written, each before
    the next link is looked at. `rows` are those that there are, by link."""
    took_over = _take_over_from_who_left(circle, rows, moment)
    following = _following(circle, appointment, assignees, rows, moment)
    guests = _guests(appointment, assignees, circle, rows, following)
    # Whoever hosts an event takes it over before the others let go of it.
    for link in sorted(circle.links, key=lambda link: link.id in following):
        waiting = {row.pk for row in rows[link.id] if row.state == MirrorState.PENDING}
        # Asked before the rows are set: an event that was removed is none, wanted again or not.
        with_event = {row.pk for row in rows[link.id] if has_event(row)}
        stands_aside = _removes_one_too_many(rows, rows[link.id])
        for row in align(
            link,
            appointment,
            assignees,
            rows[link.id],
            moment,
            guests=guests.at(link),
            is_new=is_new,
            # What the event shows is for the new host to say: its privacy and its language.
            again=link.id in took_over,
            follows=stands_aside or link.id in following,
        ):
            if row.wanted and not row.hosted_elsewhere and row.pk not in with_event:
                former = former_host(rows, row)
                if former is not None:
                    take_over(row, former, moment)
            if found and row._state.adding:
                adopt(row, None, found.get(link.id, {}).get(appointment.id), circle)
            row.backfill = backfill and (row.backfill or row.pk not in waiting)
            yield row


def _take_over_from_who_left(
    circle: Circle, rows: Mapping[UUID, Rows], moment: datetime
) -> set[UUID]:
    """Whoever follows an event whose link has ended stands for it from here on: also if there is
    nothing to show any more, so that it is removed. Returns the links that took one over."""
    took_over: set[UUID] = set()
    known = [row for link in circle.links for row in rows.get(link.id, [])]
    hosted = {row.calendar_id for row in known if row.wanted and not row.hosted_elsewhere}
    for row in known:
        if row.wanted and row.hosted_elsewhere and row.calendar_id not in hosted:
            former = former_host(rows, row)
            if former is not None:
                take_over(row, former, moment)
                hosted.add(row.calendar_id)
                took_over.add(row.link_id)
    return took_over


def _removes_one_too_many(rows: Mapping[UUID, Rows], of_link: Rows) -> bool:
    """Whether the link still has to remove an event besides that of another link, which it takes
    over only then: a row stands for one event."""
    return any(
        not row.wanted and has_event(row) and former_host(rows, row) is not None for row in of_link
    )


def _rows_by_link(appointment: Appointment) -> dict[UUID, Rows]:
    rows: dict[UUID, Rows] = defaultdict(list)
    for row in MirroredEvent.objects.filter(appointment=appointment):
        rows[row.link_id].append(row)
    return rows


def _following(
    circle: Circle,
    appointment: Appointment,
    assignees: Collection[UUID],
    rows: Mapping[UUID, Rows],
    moment: datetime,
) -> set[UUID]:
    """The links that have no event of their own, because their calendar has another link's."""
    homes = {
        link: home_of(link, appointment, rows.get(link.id, []), moment)
        for link in circle.links
        if shows(link, appointment, assignees)
    }
    if len(set(homes.values())) == len(homes):
        return set()
    hosts = hosts_of(homes, rows, assignees)
    return {link.id for link, home in homes.items() if hosts[home] != link.id}


def _guests(
    appointment: Appointment,
    assignees: Collection[UUID],
    circle: Circle,
    rows: dict[UUID, Rows],
    following: Collection[UUID],
) -> Guests:
    """Assignees without a calendar of their own are guests of one link's event."""
    host = hosting(row for link in circle.links for row in rows[link.id])
    return guests_of(appointment, assignees, circle, hosting=host, following=following)


def record_anew(
    appointment_id: UUID,
    *,
    backfill: bool = False,
    found: Mapping[UUID, Mapping[UUID, str]] | None = None,
) -> int:
    """Records an appointment that has not changed, to make up for what was missed; arguments and
    result as in `record_change`."""
    with transaction.atomic():
        # Locked as a change would lock it, so that none is under way.
        held = Appointment.objects.select_for_update(no_key=True)
        appointment = held.filter(pk=appointment_id).first()
        if appointment is None:
            return 0
        count = record_change(appointment, backfill=backfill, found=found)
        if count:
            live.announce(appointment.business_id, appointment=appointment.id)
    return count


def redraw(appointment: Appointment, *, without_guests: Collection[str] = ()) -> int:
    """Writes the existing events of an appointment anew, after all single changes; returns how
    many.

    Adds none: a past appointment that was never sent, or that a person deleted in Google, stays
    away. The caller has locked the appointment.
    """
    moment = now()
    rows = (
        MirroredEvent.objects.select_for_update(of=("self",))
        .filter(appointment=appointment, wanted=True, hosted_elsewhere=False)
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
    """Makes everything that waited for a broken link due now, in the order it was recorded."""
    MirroredEvent.objects.filter(link=link, state=MirrorState.PENDING).update(
        next_attempt_at=now(), attempts=0
    )
    defer_drain(link.id)


def retry(rows: Iterable[MirroredEvent]) -> None:
    """Tries failed or waiting events again at once, because a person asked for it."""
    moment = now()
    with transaction.atomic():
        # Read again under lock: a change made since must not be undone.
        held = MirroredEvent.objects.select_for_update().filter(pk__in=[row.pk for row in rows])
        for row in list(held.exclude(state=MirrorState.SYNCED, left_out={}).order_by("id")):
            want(row, row.wanted, row.wanted_revision, moment)
            write(row)
            defer_drain(row.link_id)


def retry_link(link: CalendarLink) -> int:
    """Tries everything of a link again at once, because a person asked for it; returns how many
    events that is.

    Includes what waits because Google asked us to wait: if it still does, one call finds out.
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
    """Writes events anew, whole, that were changed or deleted in Google; one that is not wanted
    goes, even if it has become a series. With their guests: whoever changed them may have erased
    those as well, and no poll asks whether they are there. The caller holds the rows, and no
    attempt is under way."""
    moment = now()
    for row in rows:
        want(row, row.wanted, row.wanted_revision, moment)
        row.shown_fields, row.series_may_go = dict(ANEW), not row.wanted
        row.shown_guests, row.restored_revision = [], None
        changed = ("shown_fields", "shown_guests", "restored_revision")
        row.save(update_fields=[*WANTED_FIELDS, *changed])
        defer_drain(row.link_id)


def hold_links(business_id: UUID) -> list[CalendarLink]:
    """The links of a business, locked as they are until the booking commits.

    A link that becomes active at this moment waits for us and then sees the appointment, or we
    wait for it and then see the link. Without the lock neither might send the appointment. It is
    the weakest lock there is, so a worker's lease does not wait for it.
    """
    rows = execute(_LINKS, business=business_id)
    return [_LINK.built(iter(row)) for row in rows]
