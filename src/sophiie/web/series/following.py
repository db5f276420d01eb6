"""After a single visit was moved in the calendar: the following move as well, if that is wanted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sophiie.appointments.errors import AppointmentError, TooBusy
from sophiie.appointments.models import Appointment
from sophiie.common.wall_time import in_zone
from sophiie.series.drafts import SeriesChange
from sophiie.series.errors import ClocksAsk, InvalidSeries, UnknownSeries
from sophiie.series.models import Visit
from sophiie.series.retiming import NewTime
from sophiie.series.scope import Scope
from sophiie.web.appointments.repeat_booking import say_changed
from sophiie.web.appointments.series_change import (
    Outlook,
    WantedChange,
    in_plain_words,
    visit_of,
    wall_of,
)
from sophiie.web.appointments.series_mark import number_of
from sophiie.web.shared.requests import appointment_or_404, members_only, signed_in
from sophiie.web.shared.way_back import way_back


@members_only
@require_http_methods(["GET", "POST"])
def series_following(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Shows what moving the following visits like this one would change, and does it."""
    member = signed_in(request)
    shown = appointment_or_404(member, appointment_id)
    visit = visit_of(shown)
    if visit is None:
        return redirect("appointment", appointment_id)
    wanted = WantedChange(
        by=member,
        visit=visit,
        scope=Scope.FOLLOWING,
        change=SeriesChange(time=_like(visit, shown)),
        sent=request.POST,
    )
    try:
        confirmed = request.method == "POST" and wanted.is_confirmed
        found = wanted.made() if confirmed else wanted.outlook(200)
    except UnknownSeries:
        raise Http404 from None
    except (InvalidSeries, ClocksAsk, TooBusy, AppointmentError) as error:
        messages.error(request, in_plain_words(error))
        return redirect("appointment", appointment_id)
    if not isinstance(found, Outlook):
        say_changed(request, found)
        return redirect(_back(request, shown))
    context: dict[str, Any] = {
        "appointment": shown,
        "number_of": number_of(visit.number, visit.of),
        "outlook": found,
        "refused": found.refused,
        "each_words": _("Change it like this"),
        "include_changed": bool(request.POST.get("include_changed")),
        "conflict_form": "following-form",
        "back": _back(request, shown),
    }
    return render(request, "series/following.html", context, status=found.status)


def _like(visit: Visit, shown: Appointment) -> NewTime:
    return NewTime(start=wall_of(visit.series, shown.start), length=shown.end - shown.start)


def _back(request: HttpRequest, shown: Appointment) -> str:
    zone = shown.business.timezone
    return way_back(request, day=in_zone(shown.start, zone).date()).address
