"""Which calendars of a link are polled: the chosen one, and the others that count as busy.

Each has a row here, which says how far it was polled, and a copy in `busy_time`. Both live as long
as the calendar counts.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, Min, OuterRef, Q

from sophiie.busy_time import snapshot
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW
from sophiie.sync.inbound.poll_claim import POLLING, READABLE, is_due
from sophiie.sync.models import PushChannel, WatchedCalendar

# A broken link's calendars still count: their copies are good until they are too old.
COUNTING = (*READABLE, LinkState.NEEDS_RECONNECT)


def calendars_of(link: CalendarLink) -> list[str]:
    """The calendars of the link that count, the chosen one first."""
    return list(dict.fromkeys([link.calendar_id, *link.busy_calendar_ids]))


def align(link: CalendarLink) -> None:
    """Brings the rows in line with the link, in the transaction that changed it."""
    if link.state not in COUNTING or not link.calendar_id:
        return
    calendar_ids = calendars_of(link)
    WatchedCalendar.objects.filter(link=link).exclude(calendar_id__in=calendar_ids).delete()
    WatchedCalendar.objects.bulk_create(
        [
            WatchedCalendar(link=link, calendar_id=calendar_id, next_read_at=now())
            for calendar_id in calendar_ids
        ],
        ignore_conflicts=True,
    )
    snapshot.set_counted_calendars(link.member_id, calendar_ids)


def forget(link: CalendarLink) -> None:
    """Erases the copies and how far they go, for an unlinking."""
    WatchedCalendar.objects.filter(link=link).delete()
    PushChannel.objects.filter(link=link).delete()
    snapshot.set_counted_calendars(link.member_id, [])


def poll_soon(link: CalendarLink) -> None:
    """Makes the link's calendars due now."""
    WatchedCalendar.objects.filter(link=link).update(next_read_at=now())


def poll_everything_in(zone: str) -> None:
    """Asks for full polls where a law changed the clocks: all-day events have other instants."""
    copies = BusyCalendar.objects.filter(
        member=OuterRef("link__member"), calendar_id=OuterRef("calendar_id"), time_zone=zone
    )
    watched = WatchedCalendar.objects.filter(Exists(copies))
    watched.update(window_start=None, next_read_at=now())


def poll_all_soon() -> None:
    """Makes all calendars due, because the clock was set back: their times are of another one."""
    moment = now()
    WatchedCalendar.objects.filter(next_read_at__gt=moment).update(next_read_at=moment)


def were_polled_ahead_of_now() -> bool:
    """Whether a poll lies in what is now the future: then the clock was set back since."""
    return WatchedCalendar.objects.filter(read_at__gt=now() + SKEW).exists()


def calendars_to_poll(link_id: UUID) -> list[str]:
    """The calendars of a link that may be polled; lost rows are made anew."""
    link = CalendarLink.objects.filter(pk=link_id, state__in=READABLE).first()
    if link is None or not link.calendar_id:
        return []
    wanted = set(calendars_of(link))
    watched = WatchedCalendar.objects.filter(link=link).values_list("calendar_id", flat=True)
    if set(watched) != wanted or snapshot.calendars_that_count(link.member_id) != wanted:
        with transaction.atomic():
            # Locked, so that an unlinking comes before or after.
            align(CalendarLink.objects.select_for_update(no_key=True).get(pk=link_id))
    return calendars_of(link)


def due_links(most: int = 100) -> list[UUID]:
    """Links with a calendar that is due, the one due for longest first."""
    moment = now()
    due = POLLING.is_free(via="watched_calendars") & is_due(moment, "watched_calendars__")
    chosen = Q(watched_calendars__calendar_id=F("calendar_id"))
    links = (
        CalendarLink.objects.filter(state__in=READABLE)
        .exclude(calendar_id="")
        .annotate(
            due_since=Min("watched_calendars__next_read_at", filter=due),
            chosen=Count("watched_calendars", filter=chosen),
        )
        .filter(Q(chosen=0) | Q(due_since__isnull=False))
        .order_by(F("due_since").asc(nulls_first=True), "id")
    )
    return list(links.values_list("id", flat=True)[: max(most, 0)])
