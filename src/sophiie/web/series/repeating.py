"""*Repeat…* on the sheet: an existing appointment becomes the first visit of a series."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sophiie.accounts.models import Member
from sophiie.appointments.errors import AppointmentError, UnknownAppointment
from sophiie.appointments.models import Appointment
from sophiie.series.booking import Booked
from sophiie.series.errors import ClocksAsk, InvalidSeries, VisitsInTheWay
from sophiie.series.repeating import Repetition, repeat_appointment, why_not_repeat
from sophiie.series.rule import Frequency
from sophiie.web.appointments.in_the_way import about, answers_in, refused, with_days_left_out
from sophiie.web.appointments.repeat_booking import NotBooked, say_booked
from sophiie.web.appointments.repeat_form import RepeatForm
from sophiie.web.appointments.repeat_said import Said, questions_of, said_of
from sophiie.web.appointments.returning import back_to_appointment
from sophiie.web.appointments.series_change import visit_of
from sophiie.web.shared.requests import appointment_or_404, members_only, signed_in
from sophiie.web.shared.way_back import way_back


@members_only
@require_http_methods(["GET", "POST"])
def appointment_repeat(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Asks how it repeats, and books the other visits."""
    member = signed_in(request)
    shown = appointment_or_404(member, appointment_id)
    problem = why_not_repeat(shown)
    if visit_of(shown) is not None:
        problem = _("This appointment is a visit of a series already: change the series instead.")
    if problem:
        messages.error(request, problem)
        return back_to_appointment(request, appointment_id)
    if request.method == "GET":
        repeat = RepeatForm(business=member.business)
        repeat.initial["repeat"] = Frequency.WEEKLY.value
        return _page(request, shown, repeat, NotBooked(200))
    sent = with_days_left_out(request.POST)
    repeat = RepeatForm(sent, business=member.business)
    try:
        booked = _booked(member, shown, repeat, sent)
    except NotBooked as refusal:
        return _page(request, shown, repeat, refusal)
    except UnknownAppointment:
        raise Http404 from None
    except AppointmentError as error:
        messages.error(request, str(error))
        return back_to_appointment(request, appointment_id)
    say_booked(request, shown.title, booked)
    return back_to_appointment(request, appointment_id)


def _booked(member: Member, shown: Appointment, repeat: RepeatForm, sent: QueryDict) -> Booked:
    """Raises `NotBooked`: the form says why, or the list of visits in the way."""
    if not repeat.is_valid():
        raise NotBooked(422)
    if not repeat.asks:
        repeat.add_error("repeat", _("Choose how it repeats."))
        raise NotBooked(422)
    try:
        timing = repeat.timing(shown.start, shown.end, shown.timezone)
        key = about(timing)
        return repeat_appointment(
            by=member,
            appointment_id=shown.id,
            how=Repetition(rule=timing.rule, left_out=timing.left_out, clocks=timing.answers),
            answers=answers_in(sent, member, key),
        )
    except ClocksAsk:
        repeat.add_error("repeat", _("The clocks change: say below which time is meant."))
        raise NotBooked(422, said=Said(asked=questions_of(timing))) from None
    except InvalidSeries as refusal:
        repeat.show(refusal)
        raise NotBooked(422) from None
    except VisitsInTheWay as error:
        counts = timing.rule.count is not None
        listed = refused(
            error, about=key, zone=timing.zone, member=member, sent=sent, counts=counts
        )
        raise NotBooked(409, refused=listed) from None


def _page(
    request: HttpRequest, shown: Appointment, repeat: RepeatForm, refusal: NotBooked
) -> HttpResponse:
    context: dict[str, Any] = {
        "appointment": shown,
        "back": way_back(request, day=shown.local_start.date()),
        "repeat": repeat,
        "said": refusal.said or said_of(request.POST, signed_in(request)),
        "refused": refusal.refused,
        "each_words": _("Book it like this"),
        "conflict_form": "appointment-form",
    }
    return render(request, "series/repeating.html", context, status=refusal.status)
