"""Fragments for the appointment form while somebody types: customers, and what a time would meet.

Without JavaScript the form says the same after *Save*.
"""

from __future__ import annotations

from datetime import datetime, timedelta
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
from sophiie.appointments.selectors import customers_like
from sophiie.availability.slots import TooMuch, find_slots
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.shared.requests import members_only, signed_in

LEAST_LETTERS = 2
LOOK_AHEAD, MAX_FREE = timedelta(days=14), 4
WHEN = ("date", "start", "end", "timezone")


@members_only
@require_GET
def customers(request: HttpRequest) -> HttpResponse:
    """Customers of earlier appointments, as choices for the name field."""
    text = request.GET.get("customer_name", "").replace("\x00", "").strip()[:100]
    found = customers_like(signed_in(request), text) if len(text) >= LEAST_LETTERS else []
    return render(request, "appointments/_customers.html", {"customers": found})


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
        only_looking=True,
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
