"""Undoing an act on a whole series, from the message that told of it or from the series' page."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sophiie.appointments.errors import AppointmentError
from sophiie.series.errors import SeriesError, UnknownSeries
from sophiie.series.models import Kind, SeriesAct
from sophiie.series.undoing import undo
from sophiie.web.appointments.series_change import in_plain_words
from sophiie.web.shared.requests import members_only, signed_in
from sophiie.web.shared.way_back import way_back

# Where one can press Undo. What leads elsewhere leads to the calendar.
PLACES = {"calendar", "appointment", "series", "day-sheet", "overview", "calendar-search"}


@members_only
@require_POST
def series_undo(request: HttpRequest, act_id: UUID) -> HttpResponse:
    """Undoes the act: of the whole series and of every visit, or of none."""
    member = signed_in(request)
    act = SeriesAct.objects.filter(pk=act_id, series__business=member.business_id).first()
    if act is None:
        raise Http404
    try:
        undo(by=member, act_id=act_id)
    except UnknownSeries:
        raise Http404 from None
    except (SeriesError, AppointmentError) as error:
        messages.error(request, _("It cannot be undone: %(why)s") % {"why": in_plain_words(error)})
        return redirect(_where(request))
    if act.kind == Kind.MADE:
        messages.success(request, _("Undone: none of these visits is booked any more."))
        return redirect(_away(request))
    messages.success(request, _("Undone: all visits are as they were before."))
    return redirect(_where(request))


def _where(request: HttpRequest) -> str:
    """The page on which the button was pressed."""
    address = request.POST.get("next", "")
    return address if _name_of(address) in PLACES else way_back(request).address


def _away(request: HttpRequest) -> str:
    """A page that is still there when the visits are not."""
    address = request.POST.get("next", "")
    gone = {"appointment", "series"}
    return address if _name_of(address) in PLACES - gone else way_back(request).address


def _name_of(address: str) -> str:
    """Which of our pages is at this address; "" for none."""
    if not address.startswith("/") or not url_has_allowed_host_and_scheme(address, None):
        return ""
    try:
        return resolve(urlsplit(address).path).url_name or ""
    except Resolver404:
        return ""
