"""The page of the waiting list, and what fits now for other pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.appointments.errors import (
    Conflict,
    InvalidAppointment,
    StaleRevision,
    TooBusy,
    UnknownAppointment,
)
from sophiie.common.wall_time import in_zone
from sophiie.waiting_list import entries
from sophiie.waiting_list.entries import Wish
from sophiie.waiting_list.errors import InvalidEntry, NotFreeAnyMore, UnknownEntry
from sophiie.waiting_list.fits import MAX_LOOKED_AT, Fit, fits_for, fits_of, take
from sophiie.waiting_list.models import WaitingEntry
from sophiie.web.appointments.returning import back_to_appointment
from sophiie.web.shared.requests import appointment_or_404, members_only, signed_in
from sophiie.web.waiting_list.forms import WaitingForm

# On a phone the jobs of the day stay within reach.
FITS_ELSEWHERE = 3


@members_only
@require_http_methods(["GET", "POST"])
def waiting_list(request: HttpRequest) -> HttpResponse:
    """Who waits, what fits each of them now, and a form to put somebody on the list."""
    by = signed_in(request)
    form = WaitingForm(request.POST if request.method == "POST" else None, by=by)
    if request.method == "POST" and form.is_valid():
        try:
            entry = entries.add(by=by, wish=form.wish)
        except InvalidEntry as refusal:
            form.show(refusal)
        else:
            messages.success(request, _("“%(title)s” is on the list.") % {"title": entry.title})
            return redirect("waiting-list")
    begin = _page(request)
    found = list(entries.waiting(by)[begin : begin + MAX_LOOKED_AT + 1])
    shown = found[:MAX_LOOKED_AT]
    fits = fits_of(by, shown)
    names = {member.pk: member.name for member in active_members(by.business_id)}
    context: dict[str, Any] = {
        "form": form,
        "rows": [_row(entry, fits.get(entry.pk), names, by) for entry in shown],
        "more": begin + MAX_LOOKED_AT if len(found) > MAX_LOOKED_AT else None,
    }
    status = 422 if form.errors else 200
    return render(request, "waiting_list/waiting_list.html", context, status=status)


@members_only
@require_GET
def waiting_fits(request: HttpRequest) -> HttpResponse:
    """What fits now and concerns the member: a part that other pages load.

    It stands above the jobs of the day, so it is short; the list has the rest.
    """
    by = signed_in(request)
    fits = fits_for(by)
    context: dict[str, Any] = {
        "fits": [_fit(fit, by) for fit in fits[:FITS_ELSEWHERE]],
        "more": max(0, len(fits) - FITS_ELSEWHERE),
    }
    return render(request, "waiting_list/_fits.html", context)


@members_only
@require_POST
def waiting_sooner(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Puts an appointment on the list that could be earlier."""
    by = signed_in(request)
    appointment_or_404(by, appointment_id)
    try:
        entries.add(by=by, wish=Wish(appointment_id=appointment_id))
    except InvalidEntry as refusal:
        messages.error(request, " ".join(refusal.errors.values()))
    else:
        messages.success(
            request, _("It is on the waiting list: you see there when something earlier opens.")
        )
    return back_to_appointment(request, appointment_id)


@members_only
@require_POST
def waiting_take(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Books or moves to the time that was shown, if it still fits."""
    by = signed_in(request)
    try:
        booked = take(by=by, entry_id=entry_id, start=_instant(request.POST.get("start", "")))
    except (UnknownEntry, UnknownAppointment):
        raise Http404 from None
    except (NotFreeAnyMore, Conflict, InvalidAppointment, StaleRevision, TooBusy) as refusal:
        messages.error(request, str(refusal))
        return redirect("waiting-list")
    words = _("“%(title)s” is booked.") % {"title": booked.title}
    messages.success(request, words)
    return redirect("appointment", booked.pk)


@members_only
@require_POST
def waiting_remove(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    try:
        entries.remove(by=signed_in(request), entry_id=entry_id)
    except UnknownEntry:
        raise Http404 from None
    messages.success(request, _("Removed from the waiting list."))
    return redirect("waiting-list")


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Http404 from None
    if moment.tzinfo is None or not 2000 <= moment.year < 2100:
        raise Http404
    return moment


def _page(request: HttpRequest) -> int:
    text = request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _row(
    entry: WaitingEntry, fit: Fit | None, names: dict[UUID, str], by: Member
) -> dict[str, Any]:
    with_whom = [names[one] for one in entry.member_ids if one in names]
    return {"entry": entry, "with_whom": with_whom, "fit": _fit(fit, by) if fit else None}


def _fit(fit: Fit, by: Member) -> dict[str, Any]:
    zone = by.business.timezone
    return {
        "entry": fit.entry,
        "value": fit.start.isoformat(),
        "start": in_zone(fit.start, zone),
        "end": in_zone(fit.end, zone),
        "members": [one.name for one in fit.members],
    }
