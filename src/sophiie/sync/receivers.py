"""What `sync` does when it hears of a change, inside its transaction, or of a coming booking."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Business, Member
from sophiie.accounts.signals import (
    business_changed,
    member_deactivated,
    member_reactivated,
    member_readdressed,
)
from sophiie.appointments.models import Appointment
from sophiie.appointments.signals import (
    appointment_changed,
    appointments_changed,
    booking_ahead,
    clocks_changed,
    own_events_asked,
)
from sophiie.busy_time import snapshot
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.signals import (
    link_asks_google,
    link_changed,
    link_ending,
    link_mended,
    link_scope_changed,
    link_unlinking,
)
from sophiie.common import live
from sophiie.common.in_thread import in_thread
from sophiie.common.reasons import kept
from sophiie.sync import left_in_google
from sophiie.sync.inbound import calendars, channels
from sophiie.sync.inbound.detect_drift import erase_drift
from sophiie.sync.inbound.ours import own_events_of
from sophiie.sync.inbound.refresh import renew_old_copies
from sophiie.sync.outbox import record
from sophiie.sync.outbox.backfill import record_backfill, record_removal
from sophiie.sync.outbox.guest_review import ask_for_guest_review
from sophiie.sync.outbox.record_many import record_changes
from sophiie.sync.quota.buckets import Urgency, take
from sophiie.sync.quota.units import Use, note

STOPPING_SECONDS = 3.0


def connect() -> None:
    booking_ahead.connect(_on_booking_ahead, dispatch_uid="freshness")
    appointment_changed.connect(_on_appointment, dispatch_uid="mirror")
    appointments_changed.connect(_on_appointments, dispatch_uid="mirror")
    clocks_changed.connect(_on_clocks, dispatch_uid="mirror")
    own_events_asked.connect(_on_own_events, dispatch_uid="mirror")
    link_scope_changed.connect(_on_scope, dispatch_uid="mirror")
    link_unlinking.connect(_on_unlinking, dispatch_uid="mirror")
    link_mended.connect(_on_mended, dispatch_uid="mirror")
    link_changed.connect(_on_link, dispatch_uid="mirror")
    link_ending.connect(_on_ending, dispatch_uid="push")
    link_asks_google.connect(_on_call, dispatch_uid="quota")
    member_deactivated.connect(_on_member, dispatch_uid="guests")
    member_reactivated.connect(_on_member, dispatch_uid="guests")
    member_readdressed.connect(_on_member, dispatch_uid="guests")
    business_changed.connect(_on_business, dispatch_uid="guests")


def _on_booking_ahead(members: Collection[UUID], **_: Any) -> None:
    renew_old_copies(members)


def _on_own_events(appointment_ids: Collection[UUID], **_: Any) -> Mapping[UUID, set[str]]:
    return own_events_of(appointment_ids)


def _on_appointment(appointment: Appointment, frees_or_takes_time: bool, **_: Any) -> None:
    record.record_change(
        appointment, is_new=appointment.revision == 1, frees_or_takes_time=frees_or_takes_time
    )
    live.announce(appointment.business_id, appointment=appointment.id)


def _on_appointments(
    appointments: Sequence[Appointment], frees_or_takes_time: bool, is_new: bool, **_: Any
) -> None:
    record_changes(appointments, is_new=is_new, frees_or_takes_time=frees_or_takes_time)
    for appointment in appointments:
        live.announce(appointment.business_id, appointment=appointment.id)


def _on_clocks(zone: str, **_: Any) -> None:
    calendars.poll_everything_in(zone)


def _on_scope(link: CalendarLink, again: bool, found: Mapping[UUID, str], **_: Any) -> None:
    record_backfill(link, again=again, found=found)
    calendars.align(link)
    ask_for_guest_review(link.member.business_id)
    _on_link(link)


def _on_unlinking(link: CalendarLink, **_: Any) -> bool:
    _on_link(link)
    snapshot.set_counted_calendars(link.member_id, [])  # who leaves is no longer asked for time
    return record_removal(link)


async def _on_ending(link: CalendarLink, **_: Any) -> None:
    await channels.stop_channels(link.id, patience=STOPPING_SECONDS)


async def _on_call(link_id: UUID, **_: Any) -> None:
    await in_thread(_pay, link_id)


def _pay(link_id: UUID) -> None:
    take(link_id, Urgency.MADE)
    note(link_id, Use.LINKING)


def _on_mended(link: CalendarLink, **_: Any) -> None:
    record.resume(link)
    calendars.align(link)
    calendars.poll_soon(link)
    _on_link(link)


def _on_link(link: CalendarLink, **_: Any) -> None:
    if link.state in (LinkState.UNLINKED, LinkState.NEEDS_RECONNECT):
        left_in_google.poll_where_work_is_left(link)
    if link.state == LinkState.UNLINKED:  # the copies go with the tokens
        calendars.forget(link)
        erase_drift(link.id)
        ask_for_guest_review(link.member.business_id)
    elif link.state == LinkState.NEEDS_RECONNECT:
        snapshot.note_problem(link.member_id, kept(link, "problem"))
        ask_for_guest_review(link.member.business_id)
    live.announce(link.member.business_id, link=link.id)


def _on_member(member: Member, **_: Any) -> None:
    ask_for_guest_review(member.business_id)


def _on_business(business: Business, **_: Any) -> None:
    ask_for_guest_review(business.id)
