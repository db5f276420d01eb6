"""Events of ours that stay in Google as they are, although what they stand for has changed.

From then on they keep busy whoever reads their calendar (`inbound/ours.py`). Google has no news of
them, so no increment will mention them, and their calendars have to be polled in full.

Two kinds: events of links that write no more, in the calendar that their row names; and strays,
which a person dragged into another calendar that Sophiie reads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from sophiie.appointments.hold_time import sql_counts_still
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import MIRRORING, CalendarLink
from sophiie.common.clock import now
from sophiie.common.sql import execute
from sophiie.sync.models import MirroredEvent, MirrorState, StrayEvent, WatchedCalendar

# In SQL. Whether an event stands for its appointment is decided in `inbound/ours.py`.
_STAND_FOR_NOTHING = f"""
    SELECT stray.calendar_id
    FROM sync_strayevent stray
    JOIN appointments_appointment appointment ON appointment.id = stray.appointment_id
    WHERE appointment.deleted_at IS NOT NULL
        OR appointment.status = 'cancelled'
        OR NOT {sql_counts_still("appointment.held_until")}
        OR date_trunc('second', appointment.start) <> stray.start
        OR date_trunc('second', appointment."end") <> stray."end"
        OR NOT EXISTS (
            SELECT FROM sync_mirroredevent row
            WHERE row.event_id = stray.event_id
                AND row.appointment_id = stray.appointment_id AND row.wanted
        )
"""  # noqa: S608 - no values


class Stray(NamedTuple):
    """For which appointment a stray event stands, and when that takes place, in whole seconds."""

    appointment_id: UUID
    start: datetime
    end: datetime


def poll_fully_soon(business_id: UUID, calendar_ids: Iterable[str]) -> None:
    """Asks for full polls by all of a business who read these calendars."""
    wanted = set(calendar_ids)
    if wanted:
        with transaction.atomic():
            _poll_fully_soon(Q(link__member__business=business_id, calendar_id__in=wanted))


def poll_what_nobody_writes(*appointments: Appointment) -> None:
    """After appointments of one business took another time or other people, or were called off:
    their strays stay in Google as they are, and so do their events of ended and broken links,
    unless another link writes them. In a transaction."""
    rows = MirroredEvent.objects.filter(appointment__in=appointments, sent=True)
    rows = rows.exclude(wanted=False, state=MirrorState.SYNCED)  # gone
    written = rows.filter(
        event_id=OuterRef("event_id"),
        calendar_id=OuterRef("calendar_id"),
        link__state__in=MIRRORING,
    )
    left = rows.exclude(link__state__in=MIRRORING).exclude(Exists(written))
    strays = StrayEvent.objects.filter(calendar=OuterRef("pk"), appointment__in=appointments)
    _poll_fully_soon(
        Q(link__member__business=appointments[0].business_id)
        & (Q(calendar_id__in=left.values("calendar_id")) | Q(Exists(strays)))
    )


def poll_where_work_is_left(link: CalendarLink) -> None:
    """After a link ended or broke: what it was about to move or remove stays where it is."""
    rows = MirroredEvent.objects.filter(link=link, state=MirrorState.PENDING, sent=True)
    poll_fully_soon(link.member.business_id, rows.values_list("calendar_id", flat=True))


def note_strays(calendar: WatchedCalendar, found: Mapping[str, Stray], *, everything: bool) -> None:
    """Notes what a poll met, by event id, in its transaction; with `everything` there are no
    others."""
    known = StrayEvent.objects.filter(calendar=calendar)
    if everything:
        known.exclude(event_id__in=found).delete()
    if found:
        StrayEvent.objects.bulk_create(
            [StrayEvent(calendar=calendar, event_id=i, **s._asdict()) for i, s in found.items()],
            update_conflicts=True,
            unique_fields=["calendar", "event_id"],
            update_fields=["appointment", "start", "end"],
        )


def poll_strays_of_nothing() -> int:
    """The net under `poll_what_nobody_writes`, for what ends without such an act: a hold that ran
    out, a link that covers less, an act and a poll at the same moment. Returns how many calendars
    are to be polled."""
    calendars = {pk for (pk,) in execute(_STAND_FOR_NOTHING, moment=now())}
    if not calendars:
        return 0
    with transaction.atomic():
        return _poll_fully_soon(Q(pk__in=calendars))


def _poll_fully_soon(which: Q) -> int:
    # In order, because two may do this at the same time; after the links and before the rows,
    # because unlinking locks a calendar after its link, and a poll before its rows.
    held = WatchedCalendar.objects.filter(which).select_for_update(of=("self",)).order_by("id")
    pks: Collection[UUID] = list(held.values_list("pk", flat=True))
    if pks:
        # Asked for once; the poll notes anew what still stands for something.
        StrayEvent.objects.filter(calendar__in=pks).delete()
        WatchedCalendar.objects.filter(pk__in=pks).update(window_start=None, next_read_at=now())
    return len(pks)
