"""The page of the appointment form: the form, and beside it what one needs of the appointment."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.clashes import clashes_of
from sophiie.appointments.errors import (
    Obstacle,
)
from sophiie.appointments.models import Appointment
from sophiie.common.wall_time import in_zone
from sophiie.sync.reports.event_status import statuses_of
from sophiie.web.appointments.consent import consent_to_ask_for, what_is_overlaid
from sophiie.web.appointments.form_defaults import lengths
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.appointments.history import attempts_shown, history_of
from sophiie.web.appointments.in_the_way import Refused
from sophiie.web.appointments.repeat_form import RepeatForm
from sophiie.web.appointments.repeat_said import Said, saying
from sophiie.web.appointments.series_change import (
    Outlook,
    scope_in,
)
from sophiie.web.appointments.sheet import in_need, sheet_of
from sophiie.web.shared.badges import drift_panels, visible_badges
from sophiie.web.shared.requests import signed_in
from sophiie.web.shared.shown_times import twelve_hours
from sophiie.web.shared.way_back import way_back


def form_page(
    request: HttpRequest,
    form: AppointmentForm,
    shown: Appointment | None,
    *,
    conflicts: list[Obstacle] | None = None,
    conflict_form: str = "appointment-form",
    stale: bool = False,
    status: int = 200,
    repeat: RepeatForm | None = None,
    refused: Refused | None = None,
    outlook: Outlook | None = None,
    said: Said | None = None,
) -> HttpResponse:
    member = signed_in(request)
    if repeat is None and shown is None:
        repeat = RepeatForm(request.POST or None, business=member.business)
    zone = member.business.timezone
    day = in_zone(shown.start, zone).date() if shown else None
    context: dict[str, Any] = {
        "form": form,
        "back": way_back(request, day=day),
        "zone_is_own": form["timezone"].value() == zone and not form["timezone"].errors,
        "appointment": shown,
        "conflicts": conflicts or [],
        "consent": consent_to_ask_for(member, conflicts or []),
        "over": what_is_overlaid(conflicts or []),
        "conflict_form": conflict_form,
        "lengths": lengths(),
        "twelve_hours": twelve_hours(),
        "stale": stale,
        "repeat": repeat,
        "said": said or _said(form, repeat, outlook),
        "refused": outlook.refused if outlook else refused,
        "each_words": _("Change it like this") if outlook else _("Book it like this"),
        "outlook": outlook,
        "include_changed": bool(request.POST.get("include_changed")),
        "scope": outlook.scope if outlook else scope_in(request.POST or request.GET),
        "badges": [],
        "history": [],
        "attempts": [],
    }
    if shown:
        is_editing = form.is_bound or request.method == "POST"
        context |= {"is_editing": is_editing, **_beside_the_form(shown, member)}
    return render(request, "appointments/form.html", context, status=status)


def _said(form: AppointmentForm, repeat: RepeatForm | None, outlook: Outlook | None) -> Said:
    """What stands below *Repeat*."""
    if outlook:
        return Said(asked=list(outlook.asked))
    if repeat is None or repeat.series or not (repeat.is_bound and repeat.asks):
        return Said()
    return saying(form, repeat)


def _beside_the_form(shown: Appointment, member: Member) -> dict[str, Any]:
    """The sheet, the state in Google, the history."""
    statuses = statuses_of([shown.id], to=member).get(shown.id, [])
    badges = visible_badges(statuses, member)
    states = {badge.state for badge in badges}
    left_out = any(badge.left_out for badge in badges)
    known = shown.customer_name or shown.customer_phone or shown.customer_email
    return {
        "sheet": sheet_of(shown, member),
        "clashes": clashes_of([shown]).get(shown.id, []),
        "badges": badges,
        "google_first": in_need(badges),
        "needs_retry": bool(states & {"failed", "pending"}) or left_out,
        "drifts": drift_panels(shown, statuses, member),
        "history": history_of(shown),
        "attempts": attempts_shown(shown),
        "may_erase_customer": bool(known) and member.manages_business,
    }


def too_busy(
    request: HttpRequest, form: AppointmentForm, shown: Appointment | None
) -> HttpResponse:
    messages.error(request, _("Many people are booking at this moment. Save again."))
    return form_page(request, form, shown, status=503)
