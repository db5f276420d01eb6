"""Once a day, compares what a calendar should show with what is there.

It uses the items of the full poll, so it makes no call of its own. What we left out goes through
the outbox like any change. Events of ours that belong to nothing are counted and reported but never
touched: only the person knows whether they may go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import RECORDING, CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.google import marks
from sophiie.sync.inbound.poll_claim import Poll
from sophiie.sync.models import MirroredEvent, MirrorState, WatchedCalendar
from sophiie.sync.outbox import record
from sophiie.sync.outbox.coverage import planned_for

logger = log(__name__)

# Of the events that belong to nothing, so many are named by their time.
MOST_NAMED = 20


def reconcile(poll: Poll, items: Collection[dict[str, Any]], *, repaired: int) -> None:
    """Records what was left out of the chosen calendar, and reports.

    `repaired`: how many events the poll itself has already had written again.
    """
    link = CalendarLink.objects.filter(pk=poll.link_id, state__in=RECORDING).first()
    if link is None or link.calendar_id != poll.calendar_id:
        return
    moment = now()
    strays = _strays(poll, items)
    for appointment_id in _left_out(link, moment):
        repaired += record.record_anew(appointment_id, found=_adoptable(strays, link))
    orphans = _strays(poll, items)
    WatchedCalendar.objects.filter(pk=poll.watched_id).update(
        reconciled_at=moment,
        repaired=repaired,
        orphans=len(orphans),
        orphans_at=_first_starts(orphans, items),
        lost=_lost(orphans, items),
    )
    logger.info("reconciled", link_id=str(link.id), repaired=repaired, orphans=len(orphans))


def _left_out(link: CalendarLink, moment: datetime) -> list[UUID]:
    """Upcoming appointments whose row does not say what it should.

    Found without locks; `record_anew` looks again under lock.
    """
    planned = {appointment.id: appointment.revision for appointment in planned_for(link, moment)}
    recorded: dict[UUID, int] = {}
    elsewhere = set()
    rows = MirroredEvent.objects.filter(link=link, wanted=True, appointment__end__gt=moment)
    for row in rows:
        if row.calendar_id == link.calendar_id:
            recorded[row.appointment_id] = row.wanted_revision
        else:
            elsewhere.add(row.appointment_id)
    differing = {
        appointment_id
        for appointment_id in planned.keys() | recorded.keys()
        if planned.get(appointment_id) != recorded.get(appointment_id)
    }
    return sorted(differing | elsewhere)


def _strays(poll: Poll, items: Iterable[dict[str, Any]]) -> dict[str, UUID]:
    """Events of ours in this calendar that no link manages any more, with their appointments."""
    marked: dict[str, UUID] = {}
    for item in items:
        if item.get("status") == "cancelled" or _is_over(item, poll.moment):
            continue
        event_id = marks.event_id_of(item)
        appointment_id = marks.appointment_of(
            event_id, marks.marks_on(item), business_id=poll.business_id
        )
        if appointment_id:
            marked[event_id] = appointment_id
    mapped = (
        MirroredEvent.objects.filter(
            Q(wanted=True) | Q(state=MirrorState.PENDING),
            calendar_id=poll.calendar_id,
            event_id__in=list(marked),
        )
        .exclude(link__state=LinkState.UNLINKED)
        .values_list("event_id", flat=True)
    )
    for event_id in mapped:
        marked.pop(event_id, None)
    return marked


def _first_starts(event_ids: Collection[str], items: Iterable[dict[str, Any]]) -> list[str]:
    """When the first of these events begin. One without a usable start is only counted."""
    starts: dict[str, datetime] = {}
    for item in items:
        event_id = marks.event_id_of(item)
        try:
            start = datetime.fromisoformat(item["start"]["dateTime"]).astimezone(UTC)
        except (KeyError, TypeError, ValueError):
            continue
        if event_id in event_ids:
            starts[event_id] = min(start, starts.get(event_id, start))
    return [start.isoformat() for start in sorted(starts.values())[:MOST_NAMED]]


def _lost(orphans: Mapping[str, UUID], items: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """The first of them whose appointment does not exist, which a person may decide about. A series
    that somebody made of one is their own work."""
    ids = Appointment.objects.filter(pk__in=set(orphans.values())).values_list("pk", flat=True)
    known, found = set(ids), []
    for item in items:
        appointment_id = orphans.get(str(item["id"]))
        if appointment_id is None or appointment_id in known:
            continue
        for start in _first_starts([str(item["id"])], [item]):
            entry = {"event": str(item["id"]), "appointment": str(appointment_id), "start": start}
            found.append(entry)
    return sorted(found, key=lambda entry: entry["start"])[:MOST_NAMED]


def _is_over(item: dict[str, Any], moment: datetime) -> bool:
    """Whether an event has ended. One without a usable end has not."""
    try:
        return datetime.fromisoformat(item["end"]["dateTime"]) <= moment
    except (KeyError, TypeError, ValueError):
        return False


def _adoptable(strays: Mapping[str, UUID], link: CalendarLink) -> dict[UUID, Mapping[UUID, str]]:
    """By link and appointment, the event that exists already and only needs a row."""
    events: dict[UUID, str] = {}
    for event_id, appointment_id in strays.items():
        events.setdefault(appointment_id, event_id)
    return {link.id: events}
