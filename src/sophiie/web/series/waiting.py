"""Answers to visits that could not be booked when a series went on: booked elsewhere, or left
out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sophiie.appointments.errors import AppointmentError
from sophiie.common.wall_time import TimeDoesNotExist, TimeIsAmbiguous, instant_of
from sophiie.series.errors import InvalidSeries, SeriesError
from sophiie.series.fitting import Way
from sophiie.series.models import Series
from sophiie.series.not_booked import book_not_booked, leave_out_not_booked
from sophiie.web.appointments.series_change import in_plain_words
from sophiie.web.series.views import series_or_404
from sophiie.web.shared.requests import day_asked_for, members_only, signed_in
from sophiie.web.shared.shown_times import weekday_moment_of_year


@members_only
@require_POST
def series_book_waiting(request: HttpRequest, series_id: UUID) -> HttpResponse:
    """Books the visit that waits for an answer, at the proposed time or at the one typed."""
    member = signed_in(request)
    shown = series_or_404(member, series_id)
    day = day_asked_for(request.POST.get("day", ""))
    if day is None:
        return redirect("series", series_id)
    try:
        visit = book_not_booked(
            by=member, series_id=series_id, day=day, way=_time_chosen(request.POST, shown, day)
        )
        when = weekday_moment_of_year(visit.appointment.local_start)
        messages.success(request, _("The visit is booked on %(when)s.") % {"when": when})
    except (SeriesError, AppointmentError, TimeDoesNotExist, TimeIsAmbiguous) as error:
        messages.error(request, in_plain_words(error))
    return redirect("series", series_id)


def _time_chosen(sent: QueryDict, series: Series, day: date) -> Way | datetime:
    """The instant that a button names, or what was typed on the clocks of the series; without
    either the time at which the visit was planned.

    Raises `InvalidSeries`, and `TimeDoesNotExist` or `TimeIsAmbiguous`.
    """
    if named := sent.get("start"):
        try:
            moment = datetime.fromisoformat(named)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise InvalidSeries({"start": _("This is not a time.")})
    typed_day, typed = sent.get("date", ""), sent.get("time", "")
    if not (typed_day or typed):
        return Way.REFUSE
    on = day_asked_for(typed_day) if typed_day else day
    try:
        at = time.fromisoformat(typed)
    except ValueError:
        at = None
    if on is None or at is None or at.tzinfo is not None:
        raise InvalidSeries({"start": _("Give a day and a time.")})
    return instant_of(datetime.combine(on, at), series.timezone)


@members_only
@require_POST
def series_leave_out(request: HttpRequest, series_id: UUID) -> HttpResponse:
    """Leaves out a day whose visit could not be booked."""
    member = signed_in(request)
    series_or_404(member, series_id)
    day = day_asked_for(request.POST.get("day", ""))
    if day is not None:
        try:
            leave_out_not_booked(by=member, series_id=series_id, day=day)
        except (SeriesError, AppointmentError) as error:
            messages.error(request, in_plain_words(error))
    return redirect("series", series_id)
