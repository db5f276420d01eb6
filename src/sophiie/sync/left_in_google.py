"""Events of ours that stay in Google as they are, although what they stand for has changed.

From then on they keep busy whoever reads their calendar (`inbound/ours.py`). Google has no news of
them, so no increment will mention them, and their calendars have to be polled in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import MIRRORING, CalendarLink
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, MirrorState, WatchedCalendar


def poll_fully_soon(business_id: UUID, calendar_ids: Iterable[str]) -> None:
    """Asks for full polls by all of a business who read these calendars."""
    wanted = set(calendar_ids)
    if not wanted:
        return
    watched = WatchedCalendar.objects.filter(
        link__member__business=business_id, calendar_id__in=wanted
    )
    with transaction.atomic():
        # In order, because two may do this at the same time; after the links and before the rows,
        # because unlinking locks a calendar after its link, and a poll before its rows.
        held = list(watched.select_for_update(of=("self",)).order_by("id"))
        WatchedCalendar.objects.filter(pk__in=[row.pk for row in held]).update(
            window_start=None, next_read_at=now()
        )


def poll_what_nobody_writes(*appointments: Appointment) -> None:
    """After appointments of one business took another time or were called off: their events of
    ended and broken links stay in Google as they are, unless another link writes them."""
    rows = MirroredEvent.objects.filter(appointment__in=appointments, sent=True)
    rows = rows.exclude(wanted=False, state=MirrorState.SYNCED)  # gone
    written = rows.filter(
        event_id=OuterRef("event_id"),
        calendar_id=OuterRef("calendar_id"),
        link__state__in=MIRRORING,
    )
    left = rows.exclude(link__state__in=MIRRORING).exclude(Exists(written))
    poll_fully_soon(appointments[0].business_id, left.values_list("calendar_id", flat=True))


def poll_where_work_is_left(link: CalendarLink) -> None:
    """After a link ended or broke: what it was about to move or remove stays where it is."""
    rows = MirroredEvent.objects.filter(link=link, state=MirrorState.PENDING, sent=True)
    poll_fully_soon(link.member.business_id, rows.values_list("calendar_id", flat=True))
