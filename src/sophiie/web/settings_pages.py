"""Settings: profile, team, and all of linking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from sophiie.accounts.models import Member
from sophiie.calendar_link import connect
from sophiie.calendar_link.google_app import google_is_configured
from sophiie.calendar_link.models import (
    MIRRORING,
    RECORDING,
    CalendarLink,
    Covers,
    LinkState,
    Privacy,
)
from sophiie.calendar_link.problems import LinkProblem, misconfigured
from sophiie.calendar_link.unlink import unlink, unlink_and_remove
from sophiie.common.wall_time import in_zone
from sophiie.sync.status import health_of
from sophiie.web.requests import base_url, signed_in


@login_required
@require_GET
def profile(request: HttpRequest) -> HttpResponse:
    return render(request, "settings/profile.html")


@login_required
@require_GET
def team(request: HttpRequest) -> HttpResponse:
    """The members and whether their calendars are linked; for owners and admins."""
    member = signed_in(request)
    if not member.manages_business:
        raise PermissionDenied
    people = Member.objects.filter(business=member.business, is_active=True)
    links = CalendarLink.objects.filter(member__in=people).exclude(state=LinkState.UNLINKED)
    states = {link.member_id: link.state for link in links}
    members = [
        {"name": p.name, "email": p.email, "role": p.role, "link_state": states.get(p.id)}
        for p in people
    ]
    return render(request, "settings/team.html", {"members": members})


@login_required
@require_GET
def calendar_settings(request: HttpRequest) -> HttpResponse:
    """The Calendar tab in each of its states."""
    return _calendar_page(request)


def _calendar_page(request: HttpRequest, *, error: str = "", status: int = 200) -> HttpResponse:
    member = signed_in(request)
    link = connect.link_of(member)
    context: dict[str, Any] = {
        "link": _shown(link, member) if link else None,
        "permissions": _permissions(),
        "error": error,
        "simulator_url": _simulator_url(),
        "can_remove_events": bool(link and link.state in MIRRORING),
    }
    changing = bool(link and link.state in RECORDING and request.GET.get("change"))
    if link and (link.state == LinkState.CHOOSING or changing):
        try:
            calendars = async_to_sync(connect.calendars_of)(link)
        except LinkProblem as problem:
            return _problem_page(request, problem)
        context["calendars"] = [_row(calendar, request, link) for calendar in calendars]
        context["changing"] = changing
    return render(request, "settings/calendar.html", context, status=status)


@login_required
@require_POST
def google_connect(request: HttpRequest) -> HttpResponse:
    """Off to Google."""
    if not google_is_configured():
        return _problem_page(request, misconfigured(), retry=False)
    member = signed_in(request)
    if not request.session.session_key:
        request.session.create()
    address = connect.begin(
        member=member,
        session_key=request.session.session_key or "",
        redirect_uri=base_url(request) + reverse("google-callback"),
    )
    return HttpResponseRedirect(address)


@require_GET
def google_callback(request: HttpRequest) -> HttpResponse:
    """Back from Google. Always ends in a clean address, so that the code leaks nowhere."""
    if not request.user.is_authenticated:
        return redirect("account_login")  # without the query, which holds a code
    try:
        link = async_to_sync(connect.finish)(
            member=signed_in(request),
            session_key=request.session.session_key or "",
            answer=request.GET.dict(),
        )
    except LinkProblem as problem:
        return _problem_page(request, problem)
    if link.state != LinkState.CHOOSING:
        messages.success(
            request,
            _("Google is connected again. Calendar synchronization is active for “%(name)s”.")
            % {"name": link.calendar_name},
        )
    return redirect("settings-calendar")


@login_required
@require_POST
def calendar_choose(request: HttpRequest) -> HttpResponse:
    """Save: from here on the mirror runs."""
    link = connect.link_of(signed_in(request))
    if link is None or link.state == LinkState.UNLINKING:
        return redirect("settings-calendar")
    calendar_id = request.POST.get("calendar_id", "")
    if not calendar_id:
        return _calendar_page(
            request, error=_("Choose the calendar your appointments should go to."), status=422
        )
    try:
        link = async_to_sync(connect.choose_calendar)(
            link=link,
            calendar_id=calendar_id,
            busy_calendar_ids=request.POST.getlist("check_for_conflicts"),
        )
    except connect.CannotChoose as error:
        return _calendar_page(request, error=str(error), status=422)
    except LinkProblem as problem:
        return _problem_page(request, problem)
    messages.success(
        request,
        _("Calendar synchronization is active: your appointments now go to “%(name)s”.")
        % {"name": link.calendar_name},
    )
    return redirect("settings-calendar")


@login_required
@require_POST
def calendar_options(request: HttpRequest) -> HttpResponse:
    """Which appointments go to the calendar, and how much of them."""
    link = connect.link_of(signed_in(request))
    if link is None:
        return redirect("settings-calendar")
    covers, privacy = request.POST.get("covers", ""), request.POST.get("privacy", "")
    try:
        connect.change_options(link=link, covers=covers, privacy=privacy)
    except connect.CannotChoose as error:
        return _calendar_page(request, error=str(error), status=422)
    messages.success(request, _("Saved. Your calendar is brought in line now."))
    return redirect("settings-calendar")


@login_required
@require_POST
def calendar_cancel_linking(request: HttpRequest) -> HttpResponse:
    """Backs out before a calendar was chosen."""
    member = signed_in(request)
    link = connect.link_of(member)
    if link and link.state == LinkState.CHOOSING:
        async_to_sync(unlink)(member=member)
        messages.success(request, _("Linking was cancelled. Sophiie keeps no access to Google."))
    return redirect("settings-calendar")


@login_required
@require_POST
def google_unlink(request: HttpRequest) -> HttpResponse:
    """Ends the link; the events stay in Google, or the upcoming ones are removed first."""
    member = signed_in(request)
    if request.POST.get("events") == "remove" and unlink_and_remove(member=member):
        messages.success(
            request,
            _("Sophiie is removing your upcoming events and will then be disconnected."),
        )
        return redirect("settings-calendar")
    withdrawn = async_to_sync(unlink)(member=member)
    if withdrawn is None:
        return redirect("settings-calendar")
    if withdrawn:
        text = _(
            "Google Calendar is disconnected. Your events stay in Google and are no longer "
            "managed by Sophiie."
        )
    else:
        text = _(
            "Google Calendar is disconnected. Your events stay in Google and are no longer "
            "managed by Sophiie. Google could not be reached to withdraw the permission; Sophiie "
            "keeps trying, and you can also remove it in your Google account."
        )
    messages.success(request, text)
    return redirect("settings-calendar")


def _problem_page(
    request: HttpRequest, problem: LinkProblem, *, retry: bool = True
) -> HttpResponse:
    context = {"title": problem.title, "explanation": problem.explanation, "retry": retry}
    return render(request, "settings/link_problem.html", context, status=400)


@dataclass(frozen=True)
class ShownLink:
    """A link as its page shows it."""

    state: str
    google_email: str
    calendar_id: str
    calendar_name: str
    problem: str
    last_synced_at: Any
    pending: int
    failed: int
    last_error: str
    last_error_at: Any
    progress: dict[str, int]
    covers: list[dict[str, Any]]
    privacy: list[dict[str, Any]]


def _shown(link: CalendarLink, member: Member) -> ShownLink:
    health = health_of(link)
    last = link.last_synced_at
    return ShownLink(
        state=link.state,
        google_email=link.google_email,
        calendar_id=link.calendar_id,
        calendar_name=link.calendar_name,
        problem=link.problem,
        last_synced_at=in_zone(last, member.business.timezone) if last else None,
        pending=health.pending,
        failed=health.failed,
        last_error=health.last_error,
        last_error_at=(
            in_zone(health.last_error_at, member.business.timezone)
            if health.last_error_at
            else None
        ),
        progress={"done": health.backfill_done, "total": health.backfill_total},
        covers=_options(link.covers, _covers_words()),
        privacy=_options(link.privacy, _privacy_words()),
    )


def _options(chosen: str, words: dict[str, str]) -> list[dict[str, Any]]:
    return [{"value": v, "label": text, "chosen": v == chosen} for v, text in words.items()]


def _covers_words() -> dict[str, str]:
    return {
        Covers.MINE: _("Appointments assigned to me or made by me"),
        Covers.ASSIGNED: _("Only appointments assigned to me"),
        Covers.ALL: _("All appointments of the business"),
    }


def _privacy_words() -> dict[str, str]:
    return {
        Privacy.FULL: _("Everything: title, place, people, customer and notes"),
        Privacy.TITLE_PLACE: _("Title and place only"),
        Privacy.BUSY: _("Only that I am busy"),
    }


def _row(calendar: Any, request: HttpRequest, link: CalendarLink) -> dict[str, Any]:
    """One calendar of the choice; what was ticked before an error stays ticked."""
    access = {
        "owner": _("Yours"),
        "writer": _("You can change events"),
        "writerWithoutPrivateAccess": _("You can change events"),
        "reader": _("You can see events"),
        "freeBusyReader": _("You see only when it is busy"),
    }
    why_not = "" if calendar.writable else _("Google does not let you add events here.")
    return {
        "id": calendar.id,
        "name": calendar.name,
        "access_label": access.get(calendar.access_role, calendar.access_role),
        "writable": calendar.writable,
        "primary": calendar.primary,
        "why_not": why_not,
        "time_zone": calendar.time_zone,
        "selected": (
            calendar.id == request.POST.get("calendar_id")
            if request.method == "POST"
            else calendar.id == link.calendar_id
            or (not link.calendar_id and calendar.primary and calendar.writable)
        ),
        "check_for_conflicts": (
            calendar.id in request.POST.getlist("check_for_conflicts")
            if request.method == "POST"
            else calendar.id in link.busy_calendar_ids
        ),
    }


def _permissions() -> list[dict[str, str]]:
    return [
        {
            "title": _("View and edit events on all your calendars"),
            "why": _(
                "To add, change and remove the events of your appointments. Google offers no "
                "permission for a single calendar; Sophiie writes only to the one you choose, and "
                "only its own events."
            ),
        },
        {
            "title": _("See the list of Google calendars you’re subscribed to"),
            "why": _("To let you choose which calendar to use."),
        },
        {
            "title": _("See your primary Google Account email address"),
            "why": _("To show you which account is linked."),
        },
    ]


def _simulator_url() -> str:
    if not settings.DEMO:
        return ""
    return str(settings.GOOGLE_AUTH_URL).removesuffix("/o/oauth2/v2/auth") + "/simulator/"
