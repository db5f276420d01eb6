"""Fragments for the appointment form while somebody types: customers, and what a time would meet.

Without JavaScript the form says the same after *Save*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.appointments.booking import find
from sophiie.appointments.conflicts import conflicts_of
from sophiie.appointments.errors import UnknownAppointment
from sophiie.appointments.models import Appointment
from sophiie.appointments.rules import Details
from sophiie.appointments.selectors import latest_of
from sophiie.availability.proposals import MINUTE, free_instead, free_then, next_free
from sophiie.availability.services import terms_of
from sophiie.availability.slots import Slot
from sophiie.availability.why_not import cautions
from sophiie.common.wall_time import in_zone
from sophiie.customers.models import Customer
from sophiie.customers.phones import shown
from sophiie.customers.selectors import customers_of
from sophiie.resources.models import Resource
from sophiie.services.models import Service
from sophiie.services.selectors import able
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.appointments.service_choice import misfits
from sophiie.web.shared.requests import members_only, signed_in

MIN_LETTERS, MAX_OFFERED = 2, 8
MAX_NAMED = 3
WHEN = ("date", "start", "end", "timezone")
# What says which time has to be free.
KEPT_FREE = (*WHEN, "end_date", "travel_minutes")


@members_only
@require_GET
def customers(request: HttpRequest) -> HttpResponse:
    """Customers of the business with their latest job, as choices for the name field."""
    by = signed_in(request)
    text = request.GET.get("customer_name", "").replace("\x00", "").strip()[:100]
    known = customers_of(by.business_id, text).exclude(name="")
    found = list(known[:MAX_OFFERED]) if len(text) >= MIN_LETTERS else []
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
    """What the time in the form means, what is in its way, and what is free instead.

    Empty while the form is incomplete. Looks only at stored copies of calendars, so a booking may
    find more.
    """
    member = signed_in(request)
    shown = _appointment(member, request.GET.get("appointment", ""))
    form = AppointmentForm(request.GET, by=member, appointment=shown)
    form.is_valid()
    if any(name in form.errors for name in KEPT_FREE) or not hasattr(form, "details"):
        return render(request, "appointments/_time_check.html", {})
    team = [] if "assignees" in form.errors else form.chosen_assignees
    context = {
        "elsewhere": _in_zone_of_business(form.details, member),
        "misfits": misfits(form.chosen_service, team) if team else [],
        **_about_time(
            member,
            team,
            form.details,
            shown,
            form.chosen_service,
            form.chosen_resources or [],
        ),
    }
    return render(request, "appointments/_time_check.html", context)


def _about_time(
    member: Member,
    team: list[Member],
    details: Details,
    shown: Appointment | None,
    service: Service | None,
    resources: Sequence[Resource],
) -> dict[str, Any]:
    """Whether the team has this time, and what else there is; nothing about a time that stays."""
    start, end, zone = details.start, details.end, details.timezone
    conflicts = conflicts_of(
        team=team,
        start=start,
        end=end,
        timezone=zone,
        exclude=shown.pk if shown else None,
        only_looking=True,
        resources=resources,
    )
    is_kept = shown is not None and (shown.start, shown.end) == (start, end)
    if not team or (is_kept and not conflicts):
        return {"conflicts": conflicts}
    business, duration = member.business, end - start
    # The team has been chosen, however many the service takes.
    terms = replace(terms_of(service, travel_minutes=details.travel_minutes), people=1)
    time: Any = {"start": start, "end": end, "terms": terms}
    warned = [] if is_kept else cautions(members=team, **time)
    others = [m for m in active_members(business) if m not in team] if conflicts or warned else []
    if service:
        others = able(service, others)
    free_to_go = free_then(business=business, members=others, **time, resources=resources)
    find: Any = {
        "business": business,
        "members": team,
        "duration": duration,
        "terms": terms,
        "resources": resources,
    }
    after = start + MINUTE if conflicts or warned else end
    soonest = [next_free(**find, start=after)]
    if len(team) > 1:
        soonest.append(next_free(**find, start=after, together=False))
    return {
        "conflicts": conflicts,
        "cautions": warned,
        "free": None if conflicts or warned else _Named.of(team),
        "blocked": ",".join(sorted({str(it.member_id) for it in conflicts if it.member_id})),
        "free_then": free_to_go[:MAX_NAMED],
        "free_too": _Named.of(free_to_go[MAX_NAMED:]),
        "instead": [
            Proposal.of(slot, zone) for slot in free_instead(**find, start=start, timezone=zone)
        ]
        if conflicts
        else [],
        "soonest": [Proposal.of(slot, zone, team) for slot in soonest if slot],
    }


@dataclass(frozen=True)
class _Named:
    """People in a sentence."""

    names: str
    n: int

    @classmethod
    def of(cls, people: Sequence[Member]) -> _Named:
        return cls(get_text_list([one.name for one in people], _("and")), len(people))


@dataclass(frozen=True)
class Proposal:
    """A slot on the form's clocks, and for whom of a team that cannot have it together."""

    start: datetime
    end: datetime
    only: Member | None = None

    @classmethod
    def of(cls, slot: Slot, zone: str, team: Sequence[Member] = ()) -> Proposal:
        free = [member for member in team if member.pk in slot.member_ids]
        only = free[0] if len(team) > 1 and len(free) < len(team) else None
        return cls(in_zone(slot.start, zone), in_zone(slot.end, zone), only)


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
