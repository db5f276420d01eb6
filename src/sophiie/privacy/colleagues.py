"""Where colleagues have a member: in their events, as a guest, and by name in histories."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from sophiie.accounts.models import Member
from sophiie.appointments.models import AppointmentChange, Assignment
from sophiie.calendar_link.models import LinkState, Privacy
from sophiie.common.ending import stop_if_asked
from sophiie.sync.models import MirroredEvent

# The fields of a history entry that hold lists of names.
_NAMES = ("assignees", "booked_anyway", "unverified")
_GUESTS = ("guests", "shown_guests", "sent_guests")


def shown_with(member_id: UUID) -> list[UUID]:
    """The appointments whose events in colleagues' calendars name the member, or have the member as
    a guest."""
    assigned = Assignment.objects.filter(member=member_id).values("appointment")
    events = MirroredEvent.objects.filter(appointment__in=assigned, wanted=True)
    events = events.filter(Q(link__privacy=Privacy.FULL) | _has_guests())
    events = events.exclude(link__state=LinkState.UNLINKED).exclude(link__member=member_id)
    return sorted(events.values_list("appointment_id", flat=True).distinct())


def forget_unknown_guests(business_id: UUID) -> None:
    """Removes addresses that belong to no member any more from the rows that nobody works on:
    events that ended links left in Google cannot be changed there."""
    events = MirroredEvent.objects.filter(
        _has_guests(), link__member__business=business_id, link__state=LinkState.UNLINKED
    )
    members = Member.objects.filter(business=business_id, erased_at=None)
    known = {email.casefold() for email in members.values_list("email", flat=True)}
    for event in events.iterator(chunk_size=500):
        for name in _GUESTS:
            setattr(event, name, [g for g in getattr(event, name) if g.casefold() in known])
        event.save(update_fields=_GUESTS)


def _has_guests() -> Q:
    return ~Q(guests=[], shown_guests=[], sent_guests=[])


def forget_in_history(member: Member, names: Collection[str], words: str) -> None:
    """Puts other words in place of a member's names. If a colleague has the same name, it stays
    wherever it may be the colleague's."""
    shared = _colleagues_called(member, names)
    own = set(names) - {name for called in shared.values() for name in called}
    theirs = AppointmentChange.objects.filter(appointment__business=member.business_id)
    _replace(theirs, own, words)
    if shared:
        assigned = Assignment.objects.filter(member=member).values("appointment")
        namesakes = Assignment.objects.filter(member__in=list(shared)).values("appointment")
        surely = theirs.filter(appointment__in=assigned).exclude(appointment__in=namesakes)
        _replace(surely, set(names) - own, words)


def _colleagues_called(member: Member, names: Collection[str]) -> dict[UUID, set[str]]:
    """The colleagues who have, or had, one of these names."""
    found = {}
    others = Member.objects.filter(business=member.business_id, erased_at=None)
    for other in others.exclude(pk=member.pk):
        if common := {other.name, *other.former_names} & set(names):
            found[other.pk] = common
    return found


def _replace(changes: QuerySet[AppointmentChange], names: Collection[str], words: str) -> None:
    mentioning = Q(pk__in=[])
    for name in names:
        mentioning |= Q(text__contains=json.dumps(name, ensure_ascii=False))
    for change in changes.alias(text=Cast("fields", TextField())).filter(mentioning).iterator():
        stop_if_asked()
        change.fields = {
            field: _renamed(pair, names, words) if field in _NAMES else pair
            for field, pair in change.fields.items()
        }
        change.save(update_fields=["fields"])


def _renamed(pair: Any, names: Collection[str], words: str) -> Any:
    return [
        [words if name in names else name for name in people]
        if isinstance(people, list)
        else people
        for people in pair
    ]
