"""Settings, tab Working hours: the member's, colleagues' for owners and admins, the business's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.availability import editing
from sophiie.availability.editing import InvalidHours, NotAllowed, UnknownDay
from sophiie.availability.hours import spans_from_json
from sophiie.availability.models import SpecialDay
from sophiie.availability.plans import kept_week, rules_of
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.web.settings.hours.forms import HolidayForm, RulesForm, SpecialDaysForm, WeekForm
from sophiie.web.settings.hours.from_google import read_hours
from sophiie.web.shared.requests import members_only, signed_in
from sophiie.web.shared.submitted_data import keeps_submitted_data, submitted_data


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def own_hours(request: HttpRequest) -> HttpResponse:
    """The member's week, days off and other hours."""
    return _hours(request, signed_in(request))


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def hours_of(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """A colleague's hours, for owners and admins."""
    by = signed_in(request)
    team = active_members(by.business_id)
    member = team.select_related("business").filter(pk=member_id).first()
    if member is None:
        raise Http404
    if not editing.may_edit(by, member):
        raise PermissionDenied
    return _hours(request, member)


def _hours(request: HttpRequest, member: Member) -> HttpResponse:
    by, act = signed_in(request), request.POST.get("act", "")
    if act == "usual":
        editing.work_usual_hours(by=by, member=member)
        messages.success(request, _("The default hours apply again."))
        return redirect(_address(by, member))
    kept = kept_week(member)
    data = submitted_data(request)
    week_form = WeekForm(
        _part(data, "week"), member=member, kept=kept, enlarged=_part(data, "more")
    )
    days_form = SpecialDaysForm(_part(data, "days"))
    if act == "week" and _week_saved(by, member, week_form):
        messages.success(request, _("The working hours are saved."))
        return redirect(_address(by, member))
    if act == "days" and _days_added(by, member, days_form):
        messages.success(request, _("Added. Nothing else is offered on these days."))
        return redirect(_address(by, member) + "#days")
    context = {
        "member": member,
        "week_form": week_form,
        "days_form": days_form,
        "is_usual": kept is None,
        "is_own": member.pk == by.pk,
        "read_hours": read_hours(request, member),
        "special_days": _special_days(by, member),
        **_people(by, member),
    }
    refused = week_form.errors or days_form.errors
    return render(request, "settings/hours/hours.html", context, status=422 if refused else 200)


def _week_saved(by: Member, member: Member, form: WeekForm) -> bool:
    if not form.is_valid():
        return False
    try:
        editing.save_week(
            by=by, member=member, week=form.week, timezone=form.cleaned_data["timezone"]
        )
    except InvalidHours as error:
        form.refuse(error)
        return False
    return True


def _days_added(by: Member, member: Member | None, form: HolidayForm) -> bool:
    if not form.is_valid():
        return False
    try:
        editing.add_special_days(
            by=by,
            member=member,
            first_day=form.cleaned_data["first_day"],
            last_day=form.last,
            spans=form.other if isinstance(form, SpecialDaysForm) else (),
            name=form.cleaned_data["name"],
        )
    except InvalidHours as error:
        form.refuse(error)
        return False
    return True


@keeps_submitted_data
@require_http_methods(["GET", "POST"])
def business_hours(request: HttpRequest) -> HttpResponse:
    """Holidays, and the rules for every offered time."""
    by, act = signed_in(request), request.POST.get("act", "")
    if not editing.may_edit(by, None):
        raise PermissionDenied
    data = submitted_data(request)
    rules_form = RulesForm(_part(data, "rules"), kept=rules_of(by.business))
    days_form = HolidayForm(_part(data, "days"))
    if act == "rules" and rules_form.is_valid():
        editing.save_rules(by=by, rules=rules_form.rules)
        messages.success(request, _("The booking rules are saved."))
        return redirect("settings-hours-business")
    if act == "days" and _days_added(by, None, days_form):
        messages.success(request, _("Added. Nobody is offered on these days."))
        return redirect(reverse("settings-hours-business") + "#days")
    context = {
        "rules_form": rules_form,
        "days_form": days_form,
        "special_days": _special_days(by, None),
        **_people(by, None),
    }
    refused = rules_form.errors or days_form.errors
    return render(request, "settings/hours/business.html", context, status=422 if refused else 200)


@members_only
@require_POST
def days_remove(request: HttpRequest, day_id: UUID) -> HttpResponse:
    """Turns special days into ordinary ones."""
    by = signed_in(request)
    try:
        removed = editing.remove_special_days(by=by, day_id=day_id)
    except UnknownDay:
        raise Http404 from None
    except NotAllowed:
        raise PermissionDenied from None
    messages.success(request, _("Removed."))
    return redirect(_address(by, removed.member) + "#days")


def _part(data: QueryDict | None, act: str) -> QueryDict | None:
    """The data if this form of the page was the one that was sent."""
    return data if data and data.get("act") == act else None


def _address(by: Member, member: Member | None) -> str:
    if member is None:
        return reverse("settings-hours-business")
    if member.pk == by.pk:
        return reverse("settings-hours")
    return reverse("settings-hours-of", args=[member.pk])


def _people(by: Member, shown: Member | None) -> dict[str, Any]:
    """The people whose hours may be chosen: everybody, for owners and admins."""
    if not by.manages_business:
        return {"people": [], "shows_business": False}
    team = active_members(by.business_id)
    people = [
        {
            "name": member.name,
            "is_self": member.pk == by.pk,
            "url": _address(by, member),
            "is_shown": shown is not None and member.pk == shown.pk,
        }
        for member in team
    ]
    return {"people": people, "shows_business": True}


def _special_days(by: Member, member: Member | None) -> list[dict[str, Any]]:
    today = in_zone(now(), by.business.timezone).date()
    return [_row(day) for day in editing.special_days(by.business, member, today)]


def _row(day: SpecialDay) -> dict[str, Any]:
    return {
        "id": day.pk,
        "first_day": day.first_day,
        "last_day": day.last_day if day.last_day != day.first_day else None,
        "name": day.name,
        "spans": [str(span) for span in spans_from_json(day.spans)],
    }
