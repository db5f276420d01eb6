"""The page of a series: the rule, every visit with its state, and what waits for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from sophiie.accounts.models import Member
from sophiie.appointments.errors import AppointmentError, Obstacle
from sophiie.appointments.models import Appointment
from sophiie.appointments.selectors import visible_to
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.series.errors import SeriesError, UnknownSeries
from sophiie.series.holding import confirm_series
from sophiie.series.models import Series, SeriesAct, Visit
from sophiie.series.not_booked import Waiting, waiting_visits
from sophiie.series.selectors import find_series
from sophiie.series.words import days_in_words
from sophiie.sync.reports.event_status import statuses_of
from sophiie.web.appointments.series_change import in_plain_words
from sophiie.web.appointments.series_mark import number_of, rule_in_words
from sophiie.web.shared.badges import Badge, most_urgent
from sophiie.web.shared.requests import members_only, signed_in
from sophiie.web.shared.way_back import way_back


@dataclass(frozen=True)
class Row:
    """A visit in the list."""

    appointment: Appointment
    number_of: str
    changed_alone: bool
    is_past: bool
    badge: Badge | None


@members_only
@require_GET
def series(request: HttpRequest, series_id: UUID) -> HttpResponse:
    """All visits of a series."""
    member = signed_in(request)
    shown = series_or_404(member, series_id)
    rows = _rows(shown, member)
    ahead = [row for row in rows if not row.is_past and row.appointment.is_on]
    context: dict[str, Any] = {
        "series": shown,
        "back": way_back(request),
        "rows": rows,
        "title": rows[-1].appointment.title if rows else _("Series"),
        "words": rule_in_words(shown),
        "next": ahead[0] if ahead else None,
        "ahead": len(ahead),
        "held": any(row.appointment.is_hold for row in rows),
        "waiting": [_shown(one, shown.timezone) for one in waiting_visits(shown)],
        "left_out": days_in_words([date.fromisoformat(day) for day in shown.left_out]),
        "later": Series.objects.filter(previous=shown).first(),
        "act": last_act(shown),
    }
    return render(request, "series/series.html", context)


@dataclass(frozen=True)
class Waits:
    """A visit that could not be booked, on the clocks of the series. `times`: the nearest free
    one, or those that the clocks ask about."""

    day: date
    start: datetime | None
    obstacles: list[Obstacle]
    times: list[datetime]


def _shown(waiting: Waiting, zone: str) -> Waits:
    free = waiting.start if not waiting.obstacles else waiting.nearest
    times = [in_zone(one, zone) for one in (*waiting.choices, free) if one]
    start = in_zone(waiting.start, zone) if waiting.start else None
    return Waits(waiting.day, start, waiting.obstacles, times)


def series_or_404(member: Member, series_id: UUID) -> Series:
    try:
        return find_series(member, series_id)
    except UnknownSeries:
        raise Http404 from None


def _rows(shown: Series, member: Member) -> list[Row]:
    visits = {
        visit.appointment_id: visit
        for visit in Visit.objects.filter(series=shown).select_related("series")
    }
    appointments = list(visible_to(member).filter(pk__in=list(visits)))
    statuses = statuses_of(list(visits), to=member)
    moment = now()
    rows = [
        Row(
            appointment=appointment,
            number_of=number_of(visits[appointment.id].number, visits[appointment.id].of),
            changed_alone=visits[appointment.id].changed_alone,
            is_past=appointment.end <= moment,
            badge=most_urgent(statuses.get(appointment.id, [])),
        )
        for appointment in appointments
    ]
    return sorted(rows, key=lambda row: visits[row.appointment.id].number)


def last_act(shown: Series) -> SeriesAct | None:
    """The latest act on the series, as long as it was not undone."""
    act = SeriesAct.objects.filter(series=shown).select_related("by").order_by("-at", "-id").first()
    return act if act and act.undone_at is None else None


@members_only
@require_POST
def series_confirm(request: HttpRequest, series_id: UUID) -> HttpResponse:
    """Books a series whose times were only held: all of them or none."""
    member = signed_in(request)
    series_or_404(member, series_id)
    try:
        confirm_series(
            by=member,
            series_id=series_id,
            unverified=bool(request.POST.get("accept_unverified")),
        )
        messages.success(request, _("All visits are booked."))
    except (SeriesError, AppointmentError) as error:
        messages.error(request, in_plain_words(error))
    return redirect("series", series_id)
