"""The job sheet: what one needs of an appointment between two jobs or with a caller on the line.

It stands before the form on the appointment's page; on a desk the calendar shows it at the entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.clashes import clashes_of
from sophiie.appointments.errors import Conflict, TooBusy, UnknownAppointment
from sophiie.appointments.models import Appointment, Status
from sophiie.appointments.resources import resources_used
from sophiie.availability.words import length
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.series.repeating import why_not_repeat
from sophiie.sync.reports.event_status import statuses_of
from sophiie.web.appointments.returning import back_to_appointment
from sophiie.web.appointments.series_mark import SeriesMark, mark_of
from sophiie.web.shared import reach
from sophiie.web.shared.badges import Badge, most_urgent
from sophiie.web.shared.requests import appointment_or_404, members_only, signed_in
from sophiie.web.shared.way_back import way_back

IN_NEED = ("failed", "drift", "paused")
CAN_BECOME = {Status.COMPLETED, Status.NO_SHOW, Status.SCHEDULED}
HOURS_AS_SUCH = timedelta(hours=6)  # "in 5 hours", but "tomorrow"


@dataclass(frozen=True)
class Sheet:
    """What the page shows of an appointment beside its own fields."""

    near: str
    elsewhere: tuple[datetime, datetime] | None
    call: str
    geo: str
    apple_map: str
    way: str
    resources: list[str]
    series: SeriesMark | None = None
    can_repeat: bool = False


def sheet_of(appointment: Appointment, member: Member) -> Sheet:
    number, mark = reach.number_to_call(appointment.customer_phone), mark_of(appointment)
    return Sheet(
        near=how_near(appointment),
        elsewhere=_here(appointment, member.business.timezone),
        call=number,
        geo=reach.geo(appointment.location),
        apple_map=reach.apple_map(appointment.location),
        way=length(timedelta(minutes=appointment.travel_minutes)),
        resources=[resource.name for resource in resources_used(appointment)],
        series=mark,
        can_repeat=mark is None and not why_not_repeat(appointment),
    )


@members_only
def appointment_sheet(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """The sheet alone, for the popover in the calendar. Changes nothing, however it is asked."""
    return popover(request, appointment_id)


@members_only
@require_POST
def appointment_status(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """*Done*, *Did not show up*, or neither."""
    member = signed_in(request)
    wanted = request.POST.get("status", "")
    if wanted not in CAN_BECOME:
        raise Http404
    problem = ""
    shown = appointment_or_404(member, appointment_id)
    if shown.current_status not in CAN_BECOME:
        problem = _("Only a booked appointment can be marked as done.")
    elif wanted != Status.SCHEDULED and not shown.has_begun:
        problem = _("It has not begun yet: how it went can be said once it has.")
    else:
        try:
            booking.change(by=member, appointment_id=appointment_id, changes={}, status=wanted)
        except UnknownAppointment:
            raise Http404 from None
        except (Conflict, TooBusy) as error:  # somebody cancelled it at this moment
            problem = str(error)
    if is_popover(request):
        return popover(request, appointment_id, problem=problem)
    if problem:
        messages.error(request, problem)
    if "stay" in request.POST:  # on the day sheet
        return redirect(f"{way_back(request).address}#visit-{appointment_id}")
    return back_to_appointment(request, appointment_id)


def is_popover(request: HttpRequest) -> bool:
    """Whether the calendar's popover sent the form."""
    return "HX-Request" in request.headers


def popover(request: HttpRequest, appointment_id: UUID, *, problem: str = "") -> HttpResponse:
    member = signed_in(request)
    shown = appointment_or_404(member, appointment_id)
    badge = most_urgent(statuses_of([shown.id], to=member).get(shown.id, []))
    context: dict[str, Any] = {
        "appointment": shown,
        "sheet": sheet_of(shown, member),
        "back": way_back(request),
        "clashes": clashes_of([shown]).get(shown.id, []),
        "badge": badge,
        "badge_in_need": badge if badge and badge.state in IN_NEED else None,
        "in_popover": True,
        "problem": problem,
    }
    return render(request, "appointments/_popover.html", context)


def in_need(badges: Sequence[Badge]) -> bool:
    """Whether the state in Google needs somebody, so that it stands first."""
    return any(badge.state in ("failed", "paused") or badge.left_out for badge in badges)


def how_near(appointment: Appointment) -> str:
    """In 2 hours, tomorrow, 3 days ago; "" when a date says it better."""
    moment, start, end = now(), appointment.start, appointment.end
    if start <= moment < end:
        return _("now")
    if moment < start:
        return _ahead(start - moment, _days_between(moment, start, appointment.timezone))
    return _past(moment - end, _days_between(end, moment, appointment.timezone))


def _days_between(first: datetime, second: datetime, zone: str) -> int:
    return (in_zone(second, zone).date() - in_zone(first, zone).date()).days


def _ahead(wait: timedelta, days: int) -> str:
    minutes = max(1, round(wait / timedelta(minutes=1)))
    if minutes < 60:
        return ngettext("in %(n)s minute", "in %(n)s minutes", minutes) % {"n": minutes}
    if wait < HOURS_AS_SUCH or days == 0:
        hours = round(wait / timedelta(hours=1))
        return ngettext("in %(n)s hour", "in %(n)s hours", hours) % {"n": hours}
    if days == 1:
        return _("tomorrow")
    return ngettext("in %(n)s day", "in %(n)s days", days) % {"n": days} if days <= 14 else ""


def _past(since: timedelta, days: int) -> str:
    minutes = max(1, round(since / timedelta(minutes=1)))
    if minutes < 60:
        return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}
    if days == 0:
        hours = round(since / timedelta(hours=1))
        return ngettext("%(n)s hour ago", "%(n)s hours ago", hours) % {"n": hours}
    if days == 1:
        return _("yesterday")
    return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days} if days <= 14 else ""


def _here(appointment: Appointment, zone: str) -> tuple[datetime, datetime] | None:
    """The same time on the business's clocks, if they show another one."""
    start, end = in_zone(appointment.start, zone), in_zone(appointment.end, zone)
    if start.replace(tzinfo=None) == appointment.local_start.replace(tzinfo=None):
        return None
    return start, end
