"""Which time would fit an entry now, and taking it.

The slots of availability decide, whenever somebody looks: whatever freed the time, a cancellation,
a shorter appointment, an expired hold or other hours, is in them already; so is that somebody else
has taken it since. Each look costs at most `MAX_LOOKED_AT` searches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.appointments import booking
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_used
from sophiie.appointments.rules import Details
from sophiie.availability.rules import USUAL, Terms
from sophiie.availability.services import terms_kept, terms_of
from sophiie.availability.slots import MAX_MEMBERS, Slot, TooMuch, find_slots
from sophiie.common.clock import now
from sophiie.common.wall_time import local_day
from sophiie.resources.models import Resource
from sophiie.services.selectors import able
from sophiie.waiting_list.entries import find, waiting
from sophiie.waiting_list.errors import NotFreeAnyMore, UnknownEntry
from sophiie.waiting_list.models import WaitingEntry

MAX_LOOKED_AT = 20
# As far ahead as one search goes, from now or from the first day; less for a large team.
LOOK_AHEAD = (timedelta(days=31), timedelta(days=7))


@dataclass(frozen=True)
class Fit:
    """A time for an entry, and the people who have it then: nobody if the appointment keeps its
    people."""

    entry: WaitingEntry
    start: datetime
    end: datetime
    members: tuple[Member, ...] = ()


@dataclass(frozen=True)
class _Search:
    members: list[Member]
    together: bool
    duration: timedelta
    start: datetime
    end: datetime
    resources: Sequence[Resource] = ()
    terms: Terms = USUAL


def fits_of(by: Member, entries: Sequence[WaitingEntry]) -> dict[UUID, Fit]:
    """By entry, the first time that fits it now. Looks only at the first `MAX_LOOKED_AT`."""
    team = list(active_members(by.business_id))
    found = {}
    for entry in entries[:MAX_LOOKED_AT]:
        if fit := _first_fit(by, entry, team):
            found[entry.pk] = fit
    return found


def fits_for(by: Member) -> list[Fit]:
    """The times that concern this member: owners and admins all, others those for them."""
    entries = list(waiting(by)[: MAX_LOOKED_AT if by.manages_business else MAX_LOOKED_AT * 5])
    mine = [entry for entry in entries if by.manages_business or _concerns(by, entry)]
    found = fits_of(by, mine)
    return [found[entry.pk] for entry in mine if entry.pk in found]


def take(*, by: Member, entry_id: UUID, start: datetime) -> Appointment:
    """Moves the entry's appointment to this time, or books a new one, and takes it off the list.

    Raises `NotFreeAnyMore` if the time is not offered now, `UnknownEntry`, and what a booking
    raises.
    """
    entry = find(by, entry_id)
    search = _search(by, entry, list(active_members(by.business_id)))
    slot = _slot_at(by, search, start)
    if search is None or slot is None:
        raise NotFreeAnyMore(_("This time is not free any more."))
    team = _team_at(search, slot)
    # Before the transaction: none waits for the network.
    renew_knowledge(team=team, start=slot.start, end=slot.end)
    with transaction.atomic():
        locked = WaitingEntry.objects.select_for_update().filter(pk=entry.pk).first()
        if locked is None:  # somebody else has just done it
            raise UnknownEntry
        booked = _book(by, entry, slot, team)
        locked.delete()
    return booked


def _team_at(search: _Search, slot: Slot) -> list[Member]:
    """All, or as many of those who are free as it takes."""
    free = [member for member in search.members if member.pk in slot.member_ids]
    return free if search.together else free[: search.terms.people]


def _book(by: Member, entry: WaitingEntry, slot: Slot, team: Sequence[Member]) -> Appointment:
    if entry.appointment is not None:
        changes = {"start": slot.start, "end": slot.end}
        return booking.change(
            by=by,
            appointment_id=entry.appointment.pk,
            changes=changes,
            expected_revision=entry.appointment.revision,
        )
    details = Details(
        title=entry.title,
        start=slot.start,
        end=slot.end,
        timezone=by.business.timezone,
        notes=entry.note,
        customer_name=entry.customer_name,
        customer_phone=entry.customer_phone,
        service_id=entry.service_id,
    )
    return booking.book(by=by, details=details, assignees=team)


def _concerns(member: Member, entry: WaitingEntry) -> bool:
    if entry.created_by_id == member.pk:
        return True
    if entry.appointment is not None:
        return entry.appointment.assignments.filter(member=member).exists()
    if entry.service is not None and not able(entry.service, [member]):
        return False
    return not entry.member_ids or member.pk in entry.member_ids


def _search(by: Member, entry: WaitingEntry, team: list[Member]) -> _Search | None:
    """What to ask availability; None if there is nothing to ask."""
    zone = by.business.timezone
    start = max(now(), local_day(entry.first_day, zone)[0])
    end = local_day(entry.last_day, zone)[1]
    appointment = entry.appointment
    if appointment is None:
        if entry.service and not entry.service.active:
            return None
        people = able(entry.service, team) if entry.service else team
        people = [m for m in people if not entry.member_ids or m.pk in entry.member_ids]
        length = timedelta(minutes=entry.minutes)
        terms = terms_of(entry.service)
        search = _Search(people[:MAX_MEMBERS], False, length, start, end, terms=terms)
    else:
        ids = set(appointment.assignments.values_list("member_id", flat=True))
        people = [member for member in team if member.pk in ids]
        if len(people) < len(ids):  # somebody has left
            return None
        search = _Search(
            people,
            together=True,
            duration=appointment.end - appointment.start,
            start=start,
            end=min(end, appointment.start),
            resources=resources_used(appointment),
            terms=terms_kept(appointment, appointment.service),
        )
    return search if search.members and search.start + search.duration <= search.end else None


def _first_fit(by: Member, entry: WaitingEntry, team: list[Member]) -> Fit | None:
    search = _search(by, entry, team)
    slot = _first_slot(by, search) if search else None
    if search is None or slot is None:
        return None
    team = [] if search.together else _team_at(search, slot)
    return Fit(entry, slot.start, slot.end, tuple(team))


def _first_slot(by: Member, search: _Search) -> Slot | None:
    for ahead in LOOK_AHEAD:
        try:
            return _slot(by, search, search.start, min(search.end, search.start + ahead))
        except TooMuch:
            continue
    return None


def _slot_at(by: Member, search: _Search | None, start: datetime) -> Slot | None:
    """The slot at exactly this time, if it is offered and within the entry's days."""
    if search is None or not search.start <= start <= search.end - search.duration:
        return None
    slot = _slot(by, search, start, start + search.duration)
    return slot if slot and slot.start == start else None


def _slot(by: Member, search: _Search, start: datetime, end: datetime) -> Slot | None:
    offer = find_slots(
        business=by.business,
        members=search.members,
        start=start,
        end=end,
        duration=search.duration,
        together=search.together,
        resources=search.resources,
        terms=search.terms,
        limit=1,
    )
    return offer.slots[0] if offer.slots else None
