"""Which calendars of a link are polled: the chosen one, and the others that count as busy.

Each has a row here, which says how far it was polled, and a copy in `busy_time`. Both live as long
as the calendar counts.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from sophiie.busy_time import snapshot
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW
from sophiie.common.patrol import Patrol
from sophiie.sync.inbound.poll_claim import POLLING, READABLE, is_due
from sophiie.sync.models import PushChannel, WatchedCalendar

# A broken link's calendars still count: their copies are good until they are too old.
COUNTING = (*READABLE, LinkState.NEEDS_RECONNECT)
# Few links have more that are due at once, and the next round finds what is left.
CALENDARS_EACH = 5

_links, _calendars = Patrol(CalendarLink), Patrol(WatchedCalendar)


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
    """Links with a calendar that is due, the one due for longest first.

    Looks through the index of what is due, and beside it at a few links and calendars more, whether
    one is due that is not found there. So it costs as much for any number of links.
    """
    if most <= 0:
        return []
    moment = now()
    found = [*_without_the_chosen(), *_put_too_far_ahead(moment)]
    due = WatchedCalendar.objects.filter(_may_be_polled(), next_read_at__lte=moment)
    longest_first = due.order_by("next_read_at", "pk").values_list("link_id", flat=True)
    found += longest_first[: most * CALENDARS_EACH]
    return list(dict.fromkeys(found))[:most]


def _without_the_chosen() -> QuerySet[CalendarLink, UUID]:
    """Links whose chosen calendar has lost its row."""
    chosen = WatchedCalendar.objects.filter(
        link=OuterRef("pk"), calendar_id=OuterRef("calendar_id")
    )
    links: QuerySet[CalendarLink] = _links.next()
    lost = links.filter(~Exists(chosen), state__in=READABLE, calendar_id__gt="")
    return lost.order_by("pk").values_list("pk", flat=True)


def _put_too_far_ahead(moment: datetime) -> QuerySet[WatchedCalendar, UUID]:
    """Calendars whose next poll lies where only a wrong clock can have put it."""
    some: QuerySet[WatchedCalendar] = _calendars.next()
    far = some.filter(_may_be_polled(), is_due(moment), next_read_at__gt=moment)
    return far.order_by("pk").values_list("link_id", flat=True)


def _may_be_polled() -> Q:
    return POLLING.is_free() & Q(link__state__in=READABLE, link__calendar_id__gt="")
