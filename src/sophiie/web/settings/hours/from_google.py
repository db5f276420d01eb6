"""*Take my hours from Google*: read on wish, shown, and saved only by a button of its own."""

from __future__ import annotations

from datetime import time
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sophiie.accounts.models import Member
from sophiie.availability import editing
from sophiie.availability.editing import InvalidHours
from sophiie.availability.hours import Span, Week, week_as_json, week_from_json
from sophiie.calendar_link.google_app import google_is_configured
from sophiie.calendar_link.hours import (
    CannotReadHours,
    HoursInGoogle,
    begin_for_hours,
    finish_for_hours,
)
from sophiie.calendar_link.problems import LinkProblem
from sophiie.calendar_link.waiting import waiting_for_google
from sophiie.common.wall_time import is_zone
from sophiie.web.settings.hours.forms import DAY_NAMES
from sophiie.web.shared.requests import address_in_this_browser, members_only, signed_in

# The session key of what was read and not decided yet.
READ = "hours_in_google"


@members_only
@require_POST
def hours_ask_google(request: HttpRequest) -> HttpResponse:
    """Sends the person to Google."""
    request.session.pop(READ, None)
    if not google_is_configured():
        messages.error(request, _("Google is not set up here, so nothing can be read from it."))
        return redirect("settings-hours")
    if not request.session.session_key:
        request.session.create()
    address = begin_for_hours(
        member=signed_in(request),
        session_key=request.session.session_key or "",
        redirect_uri=address_in_this_browser(request) + reverse("google-callback"),
    )
    return HttpResponseRedirect(address)


def came_back(request: HttpRequest) -> HttpResponse:
    """Google's answer: keeps what was read in the session, until the person decides."""
    try:
        with waiting_for_google():
            found = async_to_sync(finish_for_hours)(
                member=signed_in(request),
                session_key=request.session.session_key or "",
                answer=request.GET.dict(),
            )
    except CannotReadHours as refusal:
        messages.error(request, str(refusal))
    except LinkProblem as problem:
        messages.error(request, problem.title)
    else:
        _keep(request, found)
    return redirect("settings-hours")


def _keep(request: HttpRequest, found: HoursInGoogle) -> None:
    if found.hours is None:
        messages.error(
            request,
            _(
                "The Google account %(account)s offers no working hours: Google has them only for "
                "accounts of Google Workspace that have switched them on."
            )
            % {"account": found.account},
        )
        return
    days: list[list[Span]] = [[] for _day in range(7)]
    for day, start, end in found.hours.periods:
        days[day].append(Span(_time(start), _time(end)))
    week: Week = tuple(tuple(sorted(spans)) for spans in days)
    request.session[READ] = {
        "account": found.account,
        "timezone": found.hours.time_zone if is_zone(found.hours.time_zone) else "",
        "week": week_as_json(week),
    }


def _time(minutes: int) -> time:
    """The end of the day is midnight."""
    hours, minute = divmod(minutes, 60)
    return time(hours % 24, minute)


def read_hours(request: HttpRequest, member: Member) -> dict[str, Any] | None:
    """What was read and waits for a decision, for the page; only on one's own."""
    kept = request.session.get(READ)
    if not kept or member.pk != signed_in(request).pk:
        return None
    week = week_from_json(kept["week"])
    return {
        "account": kept["account"],
        "timezone": kept["timezone"],
        "days": [
            {"name": str(name), "spans": ", ".join(str(span) for span in spans)}
            for name, spans in zip(DAY_NAMES, week, strict=True)
        ],
    }


@members_only
@require_POST
def hours_take_googles(request: HttpRequest) -> HttpResponse:
    """Saves what was shown, or with `act=leave` forgets it."""
    by = signed_in(request)
    kept = request.session.pop(READ, None)
    if kept is None or request.POST.get("act") == "leave":
        return redirect("settings-hours")
    zone = "" if kept["timezone"] == by.business.timezone else kept["timezone"]
    try:
        editing.save_week(by=by, member=by, week=week_from_json(kept["week"]), timezone=zone)
    except InvalidHours as error:
        messages.error(request, _("These hours cannot be saved: %(why)s") % {"why": error})
    else:
        messages.success(request, _("The working hours are saved."))
    return redirect("settings-hours")
