"""Settings, tab Calendar: linking, choosing, unlinking."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from sophiie.calendar_link import choose, connect
from sophiie.calendar_link.google_app import google_is_configured
from sophiie.calendar_link.hours import is_for_hours
from sophiie.calendar_link.models import (
    MIRRORING,
    RECORDING,
    LinkState,
)
from sophiie.calendar_link.problems import LinkProblem, misconfigured
from sophiie.calendar_link.unlink import unlink, unlink_and_remove
from sophiie.calendar_link.waiting import waiting_for_google
from sophiie.web.settings.google_calendar.preflight import preflight_of_selected
from sophiie.web.settings.google_calendar.shown import permissions, row_of, shown, simulator_url
from sophiie.web.settings.hours.from_google import came_back
from sophiie.web.shared.requests import address_in_this_browser, members_only, signed_in

# The session key of the problem with the last attempt.
PROBLEM = "link_problem"


@members_only
@require_GET
def calendar_settings(request: HttpRequest) -> HttpResponse:
    """Shows the Calendar tab in whatever state the link is."""
    return _calendar_page(request)


def _calendar_page(
    request: HttpRequest, *, error: str = "", choosing: bool = False, status: int = 200
) -> HttpResponse:
    member = signed_in(request)
    link = connect.link_of(member)
    context: dict[str, Any] = {
        "link": shown(link, member) if link else None,
        "permissions": permissions(),
        "error": error,
        "simulator_url": simulator_url(),
        "can_remove_events": bool(link and link.state in MIRRORING),
    }
    choosing = choosing or bool(request.GET.get("change"))
    changing = bool(link and link.state in RECORDING and choosing)
    if link and (link.state == LinkState.CHOOSING or changing):
        try:
            with waiting_for_google():
                calendars = async_to_sync(choose.calendars_of)(link)
                rows = [row_of(calendar, request, link) for calendar in calendars]
                context["preflight"] = preflight_of_selected(link, member, calendars, rows)
        except LinkProblem as problem:
            slow = problem.kind == "too_many_wait"
            return _problem_page(request, _in_words(problem), status=503 if slow else 400)
        context["calendars"] = rows
        context["changing"] = changing
    return render(request, "settings/google_calendar/calendar.html", context, status=status)


@members_only
@require_POST
def google_connect(request: HttpRequest) -> HttpResponse:
    """Sends the person to Google."""
    request.session.pop(PROBLEM, None)
    if not google_is_configured():
        return _lead_to_problem(request, misconfigured(), retry=False)
    member = signed_in(request)
    if not request.session.session_key:
        request.session.create()
    address = connect.begin(
        member=member,
        session_key=request.session.session_key or "",
        redirect_uri=address_in_this_browser(request) + reverse("google-callback"),
    )
    return HttpResponseRedirect(address)


@require_GET
def google_callback(request: HttpRequest) -> HttpResponse:
    """Uses up Google's answer, and leads on to an address that can be loaded again."""
    if not request.user.is_authenticated:
        return redirect("account_login")  # without the query, which holds a code
    if is_for_hours(request.GET.dict()):
        return came_back(request)
    try:
        with waiting_for_google():
            link = async_to_sync(connect.finish)(
                member=signed_in(request),
                session_key=request.session.session_key or "",
                answer=request.GET.dict(),
            )
    except LinkProblem as problem:
        return _lead_to_problem(request, problem)
    if link.state != LinkState.CHOOSING:
        messages.success(
            request,
            _("Google is connected again. Calendar synchronization is active for “%(name)s”.")
            % {"name": link.calendar_name},
        )
    return redirect("settings-calendar")


@members_only
@require_POST
def calendar_choose(request: HttpRequest) -> HttpResponse:
    """*Save* starts the mirror. *Check this calendar* only shows what Save would do."""
    link = connect.link_of(signed_in(request))
    if link is None or link.state == LinkState.UNLINKING:
        return redirect("settings-calendar")
    if "check" in request.POST:
        return _calendar_page(request, choosing=True)
    calendar_id = request.POST.get("calendar_id", "")
    if not calendar_id:
        return _calendar_page(
            request,
            error=_("Choose the calendar your appointments should go to."),
            choosing=True,
            status=422,
        )
    try:
        with waiting_for_google():
            link = async_to_sync(choose.choose_calendar)(
                link=link,
                calendar_id=calendar_id,
                busy_calendar_ids=request.POST.getlist("check_for_conflicts"),
            )
    except choose.CannotChoose as error:
        return _calendar_page(request, error=str(error), choosing=True, status=422)
    except LinkProblem as problem:
        return _lead_to_problem(request, problem)
    messages.success(
        request,
        _("Calendar synchronization is active: your appointments now go to “%(name)s”.")
        % {"name": link.calendar_name},
    )
    return redirect("settings-calendar")


@members_only
@require_POST
def calendar_options(request: HttpRequest) -> HttpResponse:
    """Which appointments go to the calendar, and how much of them."""
    link = connect.link_of(signed_in(request))
    if link is None:
        return redirect("settings-calendar")
    covers, privacy = request.POST.get("covers", ""), request.POST.get("privacy", "")
    try:
        choose.change_options(link=link, covers=covers, privacy=privacy)
    except choose.CannotChoose as error:
        return _calendar_page(request, error=str(error), status=422)
    messages.success(request, _("Saved. Your calendar is brought in line now."))
    return redirect("settings-calendar")


@members_only
@require_POST
def calendar_cancel_linking(request: HttpRequest) -> HttpResponse:
    """Backs out before a calendar is chosen."""
    member = signed_in(request)
    link = connect.link_of(member)
    if link and link.state == LinkState.CHOOSING:
        with waiting_for_google(or_not_at_all=True):
            async_to_sync(unlink)(member=member)
        messages.success(request, _("Linking was cancelled. Sophiie keeps no access to Google."))
    return redirect("settings-calendar")


@members_only
@require_POST
def google_unlink(request: HttpRequest) -> HttpResponse:
    """Ends the link. The events stay in Google, or the upcoming ones are removed first."""
    member = signed_in(request)
    if request.POST.get("events") == "remove" and unlink_and_remove(member=member):
        messages.success(
            request,
            _("Sophiie is removing your upcoming events and will then be disconnected."),
        )
        return redirect("settings-calendar")
    link = connect.link_of(member)
    with waiting_for_google(or_not_at_all=True):
        withdrawn = async_to_sync(unlink)(member=member)
    if withdrawn is None:
        return redirect("settings-calendar")
    if withdrawn:
        text = _(
            "Google Calendar is disconnected. Your events stay in Google and are no longer "
            "managed by Sophiie."
        )
    elif link and link.grant_is_lost:
        text = _(
            "Google Calendar is disconnected. Your events stay in Google and are no longer "
            "managed by Sophiie. The permission you gave can no longer be read, so Sophiie "
            "cannot withdraw it: remove Sophiie in your Google account yourself "
            "(myaccount.google.com/connections)."
        )
    else:
        text = _(
            "Google Calendar is disconnected. Your events stay in Google and are no longer "
            "managed by Sophiie. Google could not be reached to withdraw the permission; Sophiie "
            "keeps trying, and you can also remove it in your Google account."
        )
    messages.success(request, text)
    return redirect("settings-calendar")


@members_only
@require_GET
def link_problem(request: HttpRequest) -> HttpResponse:
    """Says why linking failed, until the person tries again."""
    problem = request.session.get(PROBLEM)
    return _problem_page(request, problem) if problem else redirect("settings-calendar")


def _lead_to_problem(
    request: HttpRequest, problem: LinkProblem, *, retry: bool = True
) -> HttpResponse:
    request.session[PROBLEM] = _in_words(problem, retry=retry)
    return redirect("link-problem")


def _in_words(problem: LinkProblem, *, retry: bool = True) -> dict[str, Any]:
    return {"title": problem.title, "explanation": problem.explanation, "retry": retry}


def _problem_page(
    request: HttpRequest, problem: dict[str, Any], *, status: int = 400
) -> HttpResponse:
    return render(request, "settings/google_calendar/link_problem.html", problem, status=status)
