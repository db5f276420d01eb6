"""Cancelling or deleting an appointment that repeats: this visit, the following, or all ahead.

The page shows for each choice what would happen to which visits, before anything happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.errors import AppointmentError, UnknownAppointment
from sophiie.appointments.models import Appointment
from sophiie.common.wall_time import in_zone
from sophiie.series.cancelling import Ended, cancel_series, preview_cancel
from sophiie.series.errors import InvalidSeries, SeriesError, UnknownSeries
from sophiie.series.models import Visit
from sophiie.series.scope import Scope
from sophiie.web.appointments.series_change import in_plain_words, scope_in, visit_of
from sophiie.web.appointments.series_mark import number_of, rule_in_words
from sophiie.web.shared.requests import appointment_or_404, members_only, signed_in
from sophiie.web.shared.undo import with_undo
from sophiie.web.shared.way_back import keep_way_back, way_back, with_note

ACTS = ("cancel", "delete")


@dataclass(frozen=True)
class Choice:
    """One of the three, and what it would do."""

    scope: str
    label: str
    visits: list[Visit]
    kept: list[Visit]
    past: int


@members_only
@require_http_methods(["GET", "POST"])
def series_end(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Asks for which visits, and does it."""
    member = signed_in(request)
    shown = appointment_or_404(member, appointment_id)
    visit = visit_of(shown)
    act = request.POST.get("act") or request.GET.get("act", "cancel")
    if visit is None:
        return redirect("appointment", appointment_id)
    if act not in ACTS:
        raise Http404
    if request.method == "POST":
        return _end(request, member, visit, shown, deletes=act == "delete")
    choices = _choices(member, visit, shown)
    context: dict[str, Any] = {
        "appointment": shown,
        "visit": visit,
        "number_of": number_of(visit.number, visit.of),
        "words": rule_in_words(visit.series),
        "deletes": act == "delete",
        "act": act,
        "choices": choices,
        "any_kept": any(choice.kept for choice in choices),
        "scope": scope_in(request.GET).value,
        "back": way_back(request, day=in_zone(shown.start, member.business.timezone).date()),
    }
    return render(request, "series/ending.html", context)


def _choices(member: Member, visit: Visit, shown: Appointment) -> list[Choice]:
    visit.appointment = shown
    found = [Choice("this", _("This visit only"), [visit], [], 0)]
    for scope, label in (
        (Scope.FOLLOWING, _("This and the following visits")),
        (Scope.ALL, _("All visits that are ahead")),
    ):
        try:
            would = preview_cancel(
                by=member,
                series_id=visit.series_id,
                scope=scope,
                appointment_id=visit.appointment_id,
            )
        except (InvalidSeries, UnknownSeries):
            continue
        if not (would.cancelled or would.kept):
            continue
        found.append(Choice(scope.value, label, would.cancelled, would.kept, would.past))
    return found


def _end(
    request: HttpRequest, member: Member, visit: Visit, shown: Appointment, *, deletes: bool
) -> HttpResponse:
    scope = scope_in(request.POST)
    back = way_back(request, day=in_zone(shown.start, member.business.timezone).date())
    try:
        if scope == Scope.THIS:
            return _one_ended(request, member, shown, back_to=back.address, deletes=deletes)
        how: dict[str, Any] = {
            "by": member,
            "series_id": visit.series_id,
            "scope": scope,
            "appointment_id": visit.appointment_id,
            "include_changed": bool(request.POST.get("include_changed")),
        }
        if not preview_cancel(**how).cancelled:
            raise InvalidSeries({"scope": _("No visit of this series is ahead.")})
        ended = cancel_series(**how, deletes=deletes)
    except (UnknownAppointment, UnknownSeries):
        raise Http404 from None
    except (SeriesError, AppointmentError) as error:
        messages.error(request, in_plain_words(error))
        keep_way_back(request)
        return redirect("appointment", shown.id)
    _say_ended(request, ended, deletes=deletes)
    return redirect(back.address)


def _one_ended(
    request: HttpRequest, member: Member, shown: Appointment, *, back_to: str, deletes: bool
) -> HttpResponse:
    if deletes:
        booking.delete(by=member, appointment_id=shown.id)
        on_calendar = way_back(request).is_calendar
        return redirect(with_note(back_to, deleted=shown.id) if on_calendar else back_to)
    booking.cancel(by=member, appointment_id=shown.id)
    messages.success(request, _("The appointment is cancelled."))
    keep_way_back(request)
    return redirect("appointment", shown.id)


def _say_ended(request: HttpRequest, ended: Ended, *, deletes: bool) -> None:
    n = len(ended.cancelled)
    words = (
        ngettext("%(n)s visit is deleted.", "%(n)s visits are deleted.", n)
        if deletes
        else ngettext("%(n)s visit is cancelled.", "%(n)s visits are cancelled.", n)
    )
    tags = with_undo(ended.act.id) if ended.act else ""
    messages.success(request, words % {"n": n}, extra_tags=tags)
