"""Puts people on the waiting list and takes them off. Every member of the business may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.appointments.booking import find as find_appointment
from sophiie.appointments.errors import UnknownAppointment
from sophiie.appointments.models import TITLE_LENGTH, Appointment, Status
from sophiie.appointments.rules import EARLIEST, LATEST
from sophiie.common.blank import is_blank
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.services.errors import UnknownService
from sophiie.services.models import Service
from sophiie.services.selectors import find as find_service
from sophiie.waiting_list.errors import InvalidEntry, UnknownEntry
from sophiie.waiting_list.models import NAME_LENGTH, NOTE_LENGTH, PHONE_LENGTH, WaitingEntry

LONGEST_WAIT = timedelta(days=92)
MOST_MINUTES = 24 * 60
MAX_ENTRIES = 500


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is said of an entry. A service says title and minutes where they are not given. Without
    days: from today, until the appointment's day or for as long as anybody may wait."""

    appointment_id: UUID | None = None
    service_id: UUID | None = None
    title: str = ""
    customer_name: str = ""
    customer_phone: str = ""
    minutes: int | None = None
    member_ids: Sequence[UUID] = ()
    first_day: date | None = None
    last_day: date | None = None
    note: str = ""


def today_of(member: Member) -> date:
    return in_zone(now(), member.business.timezone).date()


def add(*, by: Member, wish: Wish) -> WaitingEntry:
    """Raises `InvalidEntry`."""
    appointment = _appointment(by, wish.appointment_id)
    service = None
    errors = {}
    if appointment is None:
        service = _service(by, wish.service_id)
        wish = _filled(wish, service)
        errors = _errors_of_new(by, wish)
    errors |= _errors_of_texts(wish)
    first = wish.first_day or today_of(by)
    last = wish.last_day or _usual_end(appointment, first)
    errors |= _errors_of_days(by, first, last, appointment)
    if WaitingEntry.objects.filter(business=by.business_id).count() >= MAX_ENTRIES:
        errors["title"] = _("At most %(n)s can wait at once.") % {"n": MAX_ENTRIES}
    if errors:
        raise InvalidEntry(errors)
    entry = WaitingEntry(
        business_id=by.business_id,
        appointment=appointment,
        service=service,
        title="" if appointment else wish.title.strip(),
        customer_name="" if appointment else wish.customer_name.strip(),
        customer_phone="" if appointment else wish.customer_phone.strip(),
        minutes=0 if appointment else wish.minutes or 0,
        member_ids=[] if appointment else list(dict.fromkeys(wish.member_ids)),
        first_day=first,
        last_day=last,
        note=wish.note.strip(),
        created_by=by,
        created_at=now(),
    )
    try:
        with transaction.atomic():
            if appointment:  # one that waited for days that have passed
                earlier = WaitingEntry.objects.filter(appointment=appointment)
                earlier.filter(last_day__lt=today_of(by)).delete()
            entry.save(force_insert=True)
    except IntegrityError:
        raise InvalidEntry(
            {"appointment_id": _("This appointment is on the waiting list already.")}
        ) from None
    return entry


def remove(*, by: Member, entry_id: UUID) -> None:
    """Takes somebody off the list. Raises `UnknownEntry`."""
    find(by, entry_id).delete()


def find(by: Member, entry_id: UUID) -> WaitingEntry:
    """The entry, if the business of `by` has it; else raises `UnknownEntry`."""
    found = _all_of(by).filter(pk=entry_id).first()
    if found is None:
        raise UnknownEntry
    return found


def waiting(by: Member) -> QuerySet[WaitingEntry]:
    """Who still waits, in the order in which they came: not for days that have passed, and not to
    move an appointment that is off or has begun."""
    moment = now()
    can_move = Q(appointment=None) | Q(
        appointment__deleted_at=None,
        appointment__start__gt=moment,
        appointment__status=Status.SCHEDULED,
    )
    return _all_of(by).filter(can_move, last_day__gte=today_of(by)).order_by("created_at", "id")


def _all_of(by: Member) -> QuerySet[WaitingEntry]:
    found = WaitingEntry.objects.filter(business=by.business_id)
    return found.select_related("appointment__service", "service").prefetch_related(
        "service__doers"
    )


def _appointment(by: Member, appointment_id: UUID | None) -> Appointment | None:
    if appointment_id is None:
        return None
    try:
        found = find_appointment(by, appointment_id)
    except UnknownAppointment:
        words = _("There is no appointment with this id.")
        raise InvalidEntry({"appointment_id": words}) from None
    if found.status != Status.SCHEDULED or found.has_begun:
        words = _("Only a booked appointment that has not begun can move earlier.")
        raise InvalidEntry({"appointment_id": words})
    return found


def _service(by: Member, service_id: UUID | None) -> Service | None:
    if service_id is None:
        return None
    try:
        found = find_service(by.business_id, service_id)
    except UnknownService:
        raise InvalidEntry({"service_id": _("There is no service with this id.")}) from None
    if not found.active:
        raise InvalidEntry({"service_id": _("This service is not offered any more.")})
    return found


def _filled(wish: Wish, service: Service | None) -> Wish:
    if service is None:
        return wish
    title = service.title if is_blank(wish.title) else wish.title
    minutes = service.duration_minutes if wish.minutes is None else wish.minutes
    return replace(wish, title=title, minutes=minutes)


def _errors_of_new(by: Member, wish: Wish) -> dict[str, str]:
    errors = {}
    if is_blank(wish.title):
        errors["title"] = _("Say what the appointment is for.")
    if is_blank(wish.customer_name) and is_blank(wish.customer_phone):
        errors["customer_name"] = _("Give a name or a phone number.")
    if wish.minutes is None or not 1 <= wish.minutes <= MOST_MINUTES:
        errors["duration_minutes"] = _("Give a length from 1 minute to 24 hours.")
    known = set(active_members(by.business_id).values_list("pk", flat=True))
    if not set(wish.member_ids) <= known:
        errors["assignees"] = _("Choose people from the list.")
    return errors


def _errors_of_texts(wish: Wish) -> dict[str, str]:
    errors = {}
    for name, length in (
        ("title", TITLE_LENGTH),
        ("customer_name", NAME_LENGTH),
        ("customer_phone", PHONE_LENGTH),
        ("note", NOTE_LENGTH),
    ):
        text = getattr(wish, name)
        if len(text) > length:
            errors[name] = _("At most %(n)s characters.") % {"n": length}
        elif "\x00" in text:
            errors[name] = _("This text contains a character that cannot be stored.")
    return errors


def _usual_end(appointment: Appointment | None, first: date) -> date:
    latest = first + min(LONGEST_WAIT, date.max - first)
    return min(latest, appointment.local_start.date()) if appointment else latest


def _errors_of_days(
    by: Member, first: date, last: date, appointment: Appointment | None
) -> dict[str, str]:
    for name, day in (("first_day", first), ("last_day", last)):
        if not EARLIEST.date() <= day < LATEST.date():
            return {name: _("Use a date between the years 2000 and 2099.")}
    if last < first:
        return {"last_day": _("The last day must not be before the first.")}
    if last < today_of(by):
        return {"last_day": _("This day has passed.")}
    if last - first > LONGEST_WAIT:
        return {"last_day": _("At most %(n)s days after the first.") % {"n": LONGEST_WAIT.days}}
    if appointment and first > appointment.local_start.date():
        return {"first_day": _("The appointment is earlier than that.")}
    return {}
