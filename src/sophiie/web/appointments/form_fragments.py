"""Fragments for the appointment form while somebody types: customers, and what a time would meet.

Without JavaScript the form says the same after *Save*.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Member
from sophiie.appointments.booking import find
from sophiie.appointments.conflicts import conflicts_of
from sophiie.appointments.errors import UnknownAppointment
from sophiie.appointments.models import Appointment
from sophiie.appointments.rules import Details
from sophiie.appointments.selectors import latest_of
from sophiie.availability.slots import TooMuch, find_slots
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.customers.models import Customer
from sophiie.customers.phones import shown
from sophiie.customers.selectors import customers_of
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.shared.requests import members_only, signed_in

LEAST_LETTERS, MAX_OFFERED = 2, 8
LOOK_AHEAD, MAX_FREE = timedelta(days=14), 4
WHEN = ("date", "start", "end", "timezone")


@members_only
@require_GET
def customers(request: HttpRequest) -> HttpResponse:
    """Customers of the business with their latest job, as choices for the name field."""
    by = signed_in(request)
    text = request.GET.get("customer_name", "").replace("\x00", "").strip()[:100]
    known = customers_of(by.business_id, text).exclude(name="")
    found = list(known[:MAX_OFFERED]) if len(text) >= LEAST_LETTERS else []
    latest = latest_of(customer.id for customer in found)
    zone = by.business.timezone
    offered = [Offered.of(customer, latest.get(customer.id), zone) for customer in found]
    return render(request, "appointments/_customers.html", {"customers": offered})


@dataclass(frozen=True)
class Offered:
    """A customer to choose, with what is filled in then, and the latest job."""

    id: UUID
    name: str
    phone: str
    email: str
    place: str
    job: str = ""
    day: date | None = None

    @classmethod
    def of(cls, customer: Customer, latest: Appointment | None, zone: str) -> Offered:
        known = (customer.id, customer.name, shown(customer.phone), customer.email)
        if latest is None:
            return cls(*known, customer.address)
        day = in_zone(latest.start, zone).date()
        return cls(*known, latest.location or customer.address, latest.title, day)


@members_only
@require_GET
def time_check(request: HttpRequest) -> HttpResponse:
    """What the time in the form means, what is in its way, and which times are free instead.

    Empty while the form is incomplete. Looks only at stored copies of calendars, so a booking may
    find more.
    """
    member = signed_in(request)
    shown = _appointment(member, request.GET.get("appointment", ""))
    form = AppointmentForm(request.GET, by=member, appointment=shown)
    form.is_valid()
    if any(name in form.errors for name in (*WHEN, "end_date")) or not hasattr(form, "details"):
        return render(request, "appointments/_time_check.html", {})
    details = form.details
    team = [] if "assignees" in form.errors else form.chosen_assignees
    conflicts = conflicts_of(
        team=team,
        start=details.start,
        end=details.end,
        timezone=details.timezone,
        exclude=shown.pk if shown else None,
    )
    context = {
        "elsewhere": _in_zone_of_business(details, member),
        "conflicts": conflicts,
        "free": _free_instead(member, team, details) if conflicts else [],
    }
    return render(request, "appointments/_time_check.html", context)


def _free_instead(
    member: Member, team: list[Member], details: Details
) -> list[tuple[datetime, datetime]]:
    """The next times at which the whole team is free, on the form's clocks."""
    start = max(details.start, now())
    try:
        offer = find_slots(
            business=member.business,
            members=team,
            start=start,
            end=start + LOOK_AHEAD,
            duration=details.end - details.start,
            together=True,
            limit=MAX_FREE,
        )
    except TooMuch:
        return []
    zone = details.timezone
    return [(in_zone(slot.start, zone), in_zone(slot.end, zone)) for slot in offer.slots]


def _appointment(member: Member, text: str) -> Appointment | None:
    try:
        return find(member, UUID(text))
    except (ValueError, UnknownAppointment):
        return None


def _in_zone_of_business(details: Details, member: Member) -> tuple[datetime, datetime] | None:
    """The same time on the business's clocks, if they show another one."""
    zone = member.business.timezone
    ours = in_zone(details.start, zone)
    if ours.replace(tzinfo=None) == in_zone(details.start, details.timezone).replace(tzinfo=None):
        return None
    return ours, in_zone(details.end, zone)
