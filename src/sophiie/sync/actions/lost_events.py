"""What a person can do about events of our making whose appointment nobody knows any more.

After a backup was restored, Google has events of appointments that were booked since. The daily
comparison notes them (`inbound/full_compare.py`), and nothing happens to them until the person in
whose calendar they are makes an appointment of one again, or has it removed.

The event is read whole first: it is ours, and what Google shows of it is all that is known.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.assignments import write_assignments
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.models import TITLE_LENGTH, Action, Appointment
from sophiie.appointments.record import announce
from sophiie.appointments.rules import Details
from sophiie.busy_time.models import BusyPeriod
from sophiie.calendar_link.models import RECORDING, CalendarLink, Covers
from sophiie.common.clock import now
from sophiie.common.sql import insert
from sophiie.common.wall_time import is_zone
from sophiie.google import marks
from sophiie.google.app import google_session
from sophiie.google.errors import EventGone, GoogleError
from sophiie.sync.jobs import defer_drain
from sophiie.sync.models import MirroredEvent, MirrorState, WatchedCalendar
from sophiie.sync.outbox.rows import WANTED_FIELDS, want
from sophiie.sync.quota.metered_client import metered_client
from sophiie.sync.quota.units import Use
from sophiie.sync.texts import lines_of

PATIENCE_SECONDS = 4.0


class LostEventError(Exception):
    """The act is not possible; the message says why."""


@dataclass(frozen=True)
class LostEvent:
    """An event in the chosen calendar of a link, as the last comparison found it."""

    event_id: str
    appointment_id: UUID
    start: datetime


def lost_events_of(link: CalendarLink) -> list[LostEvent]:
    """In order of time."""
    found = WatchedCalendar.objects.filter(link=link, calendar_id=link.calendar_id).first()
    return [_lost(entry) for entry in found.lost] if found else []


def make_appointment(*, by: Member, link: CalendarLink, event_id: str) -> Appointment:
    """Makes an appointment of the event again, under its old id and for everybody in whose calendar
    it was found. Raises `LostEventError`, `Conflict` and whatever else booking does."""
    lost, details = _looked_at(link, event_id)
    team = [by, *(m for m in _others_with(lost.appointment_id, link) if m.id != by.id)]
    renew_knowledge(team=team, start=details.start, end=details.end)
    with transaction.atomic():
        holders = _take(lost.appointment_id, link)
        # From here on it stands for the appointment and keeps nobody busy by itself.
        BusyPeriod.objects.filter(
            member__in=[m.id for m in team], event_id__in=[event for _, event in holders]
        ).delete()
        appointment = booking.book(
            by=by, details=details, assignees=team, appointment_id=lost.appointment_id
        )
        for holder, event in holders:
            _adopt(appointment, holder, event)
    return appointment


def remove(*, by: Member, link: CalendarLink, event_id: str) -> None:
    """Has the event removed from every calendar in which it was found: as if the appointment had
    been deleted here, so that its history shows who did it and it can be brought back."""
    lost, details = _looked_at(link, event_id)
    with transaction.atomic():
        holders = _take(lost.appointment_id, link)
        moment = now()
        appointment = Appointment(
            id=lost.appointment_id,
            business=by.business,
            created_by=by,
            created_at=moment,
            updated_at=moment,
            deleted_at=moment,
            **details.as_dict(),
        )
        appointment.note_wall_times()
        insert([appointment])
        write_assignments(appointment, [by], [])
        announce(appointment, Action.DELETED, by, {})
        for holder, event in holders:
            row = MirroredEvent(
                link_id=holder.link_id,
                appointment=appointment,
                calendar_id=holder.calendar_id,
                event_id=event,
                sent=True,
                shown_revision=1,
                created_at=moment,
            )
            want(row, False, appointment.revision, moment)
            insert([row])
            defer_drain(holder.link_id)


def _adopt(appointment: Appointment, holder: WatchedCalendar, event_id: str) -> None:
    """Lets the row that the booking made stand for the event that is there. Nobody knows what that
    shows, so the worker writes all of it."""
    rows = MirroredEvent.objects.filter(
        appointment=appointment, calendar_id=holder.calendar_id, wanted=True, hosted_elsewhere=False
    )
    row = rows.filter(state=MirrorState.PENDING, sent=False).first()
    if row is not None:
        row.event_id, row.sent, row.shown_revision = event_id, True, 1
        want(row, True, appointment.revision, now())
        row.save(update_fields=[*WANTED_FIELDS, "event_id", "sent", "shown_revision"])


def _take(appointment_id: UUID, link: CalendarLink) -> list[tuple[WatchedCalendar, str]]:
    """The calendars in which events of the appointment were found, with those events, which are
    lost no more. Of two who answer at once the second finds nothing."""
    holders = WatchedCalendar.objects.select_for_update(of=("self",)).filter(
        link__member__business=link.member.business_id,
        link__state__in=RECORDING,
        lost__contains=[{"appointment": str(appointment_id)}],
    )
    found = []
    for holder in holders.order_by("id"):
        for entry in [e for e in holder.lost if e["appointment"] == str(appointment_id)]:
            found.append((holder, str(entry["event"])))
            holder.lost.remove(entry)
            holder.orphans = max(holder.orphans - 1, 0)
            if entry["start"] in holder.orphans_at:
                holder.orphans_at.remove(entry["start"])
        holder.save(update_fields=["lost", "orphans", "orphans_at"])
    if not found or Appointment.objects.filter(pk=appointment_id).exists():
        raise LostEventError(_("Somebody has answered this already."))
    return found


def _others_with(appointment_id: UUID, link: CalendarLink) -> list[Member]:
    """Whose calendar has an event of the appointment as well, because it concerned them."""
    holders = WatchedCalendar.objects.filter(
        link__member__business=link.member.business_id,
        link__member__is_active=True,
        link__state__in=RECORDING,
        lost__contains=[{"appointment": str(appointment_id)}],
    ).exclude(link__covers=Covers.ALL)
    return [holder.link.member for holder in holders.select_related("link__member")]


def _looked_at(link: CalendarLink, event_id: str) -> tuple[LostEvent, Details]:
    known = {lost.event_id: lost for lost in lost_events_of(link)}
    if event_id not in known:
        raise LostEventError(_("Somebody has answered this already."))
    lost = known[event_id]
    event = async_to_sync(_event)(link, event_id)
    mark = marks.appointment_of(
        str(event.get("id")), marks.marks_on(event), business_id=link.member.business_id
    )
    if mark != lost.appointment_id or event.get("status") == "cancelled":
        raise LostEventError(_("The event is not in Google any more."))
    return lost, _details(event, link)


async def _event(link: CalendarLink, event_id: str) -> dict[str, Any]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), google_session() as http:
            client = metered_client(link.id, http, waited_for=True, use=Use.AWAITED)
            return await client.get(link.calendar_id, event_id)
    except EventGone:
        return {}
    except (GoogleError, TimeoutError):
        raise LostEventError(
            _("Google could not be asked about the event just now. Try again in a moment.")
        ) from None


def _details(event: dict[str, Any], link: CalendarLink) -> Details:
    try:
        start = datetime.fromisoformat(event["start"]["dateTime"]).astimezone(UTC)
        end = datetime.fromisoformat(event["end"]["dateTime"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        raise LostEventError(
            _("In Google it is an all-day event now. An appointment needs a start and an end.")
        ) from None
    zone, business = event["start"].get("timeZone"), link.member.business
    ours = _link_texts()
    lines = [line for line in lines_of("description", event.get("description")) if line not in ours]
    title = " ".join(str(event.get("summary") or "").split())
    return Details(
        title=title[:TITLE_LENGTH] or _("Appointment"),
        start=start,
        end=end,
        timezone=zone if isinstance(zone, str) and is_zone(zone) else business.timezone,
        location=str(event.get("location") or "").strip(),
        notes="\n".join(lines),
    )


def _link_texts() -> set[str]:
    """What our events call the link back, in every language."""
    found = set()
    for language, _name in settings.LANGUAGES:
        with override(language):
            found.add(_("Open in Sophiie"))
    return found


def _lost(entry: dict[str, str]) -> LostEvent:
    return LostEvent(
        event_id=entry["event"],
        appointment_id=UUID(entry["appointment"]),
        start=datetime.fromisoformat(entry["start"]),
    )
