"""The calendar page and its search.

The page is a frame: `feed` says what it shows, `changes` does what people do in it. For a browser
without JavaScript the frame holds the list of a week.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_POST

from sophiie.accounts.models import Business, Member
from sophiie.appointments.models import Appointment
from sophiie.appointments.selectors import visible_to
from sophiie.calendar_link.connect import link_of
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.resources.selectors import resources_of
from sophiie.services.colours import Colour
from sophiie.services.selectors import services_of
from sophiie.web.calendar.agenda import week_of
from sophiie.web.calendar.closed_hours import work_days
from sophiie.web.calendar.people import Person, people_of
from sophiie.web.calendar.script_texts import words
from sophiie.web.shared.first_steps import put_away_first_steps
from sophiie.web.shared.requests import day_asked_for, members_only, signed_in
from sophiie.web.shared.way_back import way_back

VIEWS = ("month", "week", "workweek", "day", "team", "list")
DAYS_OF_A_WEEK = 7
# The page's script stores the last view here. A browser that has it needs no list from the server.
VIEW_COOKIE = "sophiie_view"
# What `page.js` imports: the browser loads all of it at once. The quick form comes later.
MODULES = [
    f"sophiie/calendar/{name}.js"
    for name in (
        *("acts", "date_jump", "entry", "events", "feed", "grid", "keys", "list", "looks"),
        *("month", "notices", "people_picker", "settled", "setup", "state", "times", "work_week"),
    )
]
MAX_FOUND = 40
MIN_SEARCH = 2
# English dates have the day before the month, as everywhere in the product.
LOCALES = {"en": "en-GB"}


@members_only
@require_GET
def appointments(request: HttpRequest) -> HttpResponse:
    """The address that somebody guesses: the calendar's list, with what else the address asks."""
    asked = request.GET.copy()
    asked["view"] = "list"
    return redirect(f"{reverse('calendar')}?{asked.urlencode()}")


@members_only
@require_GET
@gzip_page
def calendar(request: HttpRequest) -> HttpResponse:
    """The home page: the frame of the calendar, and the list of a week without JavaScript."""
    member = signed_in(request)
    today = in_zone(now(), member.business.timezone).date()
    asked = request.GET.get("date", "") or request.GET.get("week", "")
    shown = day_asked_for(asked) or today
    first = first_of_week(shown, member.business)
    listed = request.COOKIES.get(VIEW_COOKIE) not in VIEWS or "plain" in request.GET
    people = people_of(member.business)
    services = _services(member)
    service = _asked_for(request, services)
    worked = work_days(member.business, people)
    views = [name for name in VIEWS if name != "workweek" or len(worked) < DAYS_OF_A_WEEK]
    context: dict[str, Any] = {
        "setup": json.dumps(_setup(member, people, today, views, worked)),
        "week_start": first,
        "week_end": first + timedelta(days=6),
        "previous_url": _week_url(first - timedelta(days=7), service),
        "next_url": _week_url(first + timedelta(days=7), service),
        "today_url": _week_url(today, service) if service else reverse("calendar"),
        "plain_url": f"{_week_url(first, service)}&plain=1",
        "listed": listed,
        "modules": MODULES,
        "views": _labelled(views),
        "work_week": "workweek" in views,
        "people": [person for person in people if person.active],
        "services": [one for one in services if one["active"]],
        "all_services": services,
        "service": service,
        "resources": resources_of(member.business_id).filter(active=True),
        "linked": link_of(member) is not None,
        "just_deleted": _just_deleted(request, member),
    }
    if listed:
        context |= week_of(member, first, today, service=service)
    return render(request, "calendar/calendar.html", context)


@members_only
@require_POST
def first_steps_put_away(request: HttpRequest) -> HttpResponse:
    """Hides the first steps for good, although some are not done."""
    put_away_first_steps(signed_in(request))
    return redirect(way_back(request).address)


@members_only
@require_GET
def calendar_search(request: HttpRequest) -> HttpResponse:
    """Finds appointments by their texts: a page, of which the calendar takes the list."""
    member = signed_in(request)
    asked = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:200]
    found = list(_found(member, asked)) if len(asked) >= MIN_SEARCH else []
    context = {
        "asked": asked,
        "too_short": len(asked) < MIN_SEARCH,
        "found": found[:MAX_FOUND],
        "more": len(found) > MAX_FOUND,
    }
    return render(request, "calendar/search.html", context)


def _found(member: Member, asked: str) -> list[Appointment]:
    """Appointments that contain every word: first coming ones by nearness, then past ones."""
    appointments = visible_to(member)
    for word in asked.split()[:6]:
        appointments = appointments.filter(
            Q(title__icontains=word)
            | Q(customer_name__icontains=word)
            | Q(customer_phone__icontains=word)
            | Q(customer_email__icontains=word)
            | Q(location__icontains=word)
            | Q(notes__icontains=word)
        )
    moment = now()
    ahead = list(appointments.filter(end__gt=moment)[: MAX_FOUND + 1])
    if len(ahead) > MAX_FOUND:
        return ahead
    past = appointments.filter(end__lte=moment).order_by("-start", "-id")
    return [*ahead, *past[: MAX_FOUND + 1 - len(ahead)]]


def _services(member: Member) -> list[dict[str, Any]]:
    """What there is to choose, to look for, and the colours by which one may look at it."""
    return [
        {
            "id": service.pk,
            "name": service.name,
            "colour": Colour(service.colour).number,
            "active": service.active,
        }
        for service in services_of(member.business_id).prefetch_related(None)
    ]


def _asked_for(request: HttpRequest, services: list[dict[str, Any]]) -> UUID | None:
    """The service whose appointments alone are shown; one that is not there hides nothing, as
    people who are not there do not."""
    asked = request.GET.get("service", "")
    return next((one["id"] for one in services if str(one["id"]) == asked), None)


def _setup(
    member: Member, people: list[Person], today: date, views: list[str], worked: list[int]
) -> dict[str, Any]:
    """What the script has to know before its first request."""
    language = get_language() or settings.LANGUAGE_CODE
    nowhere = UUID(int=0)
    return {
        "urls": {
            "page": reverse("calendar"),
            "feed": reverse("calendar-feed"),
            "book": reverse("calendar-book"),
            "nextHour": reverse("calendar-next-hour"),
            "form": reverse("appointment-new"),
            "appointment": reverse("appointment", args=[nowhere]),
            "move": reverse("calendar-move", args=[nowhere]),
            "delete": reverse("calendar-delete", args=[nowhere]),
            "signIn": reverse("account_login"),
            "icons": static("sophiie/shared/icons.svg"),
        },
        "nowhere": str(nowhere),
        "cookie": VIEW_COOKIE,
        "views": views,
        "zone": member.business.timezone,
        "today": today.isoformat(),
        "locale": LOCALES.get(language, language),
        "firstDay": first_day(member.business),
        "workDays": worked,
        "weekNumbers": member.week_numbers,
        "twelveHours": member.reads_twelve_hours,
        "me": str(member.id),
        "people": [person.shown() for person in people],
        "words": words(),
    }


def first_day(business: Business) -> int:
    """The day on which weeks begin, as JavaScript counts: Sunday is 0."""
    return business.week_start % 7


def first_of_week(day: date, business: Business) -> date:
    """The day on which the week of this day begins."""
    return day - timedelta(days=(day.isoweekday() - business.week_start) % 7)


def _labelled(views: list[str]) -> list[dict[str, str]]:
    """The views with their names and keys."""
    labels = {
        "month": (_("Month"), "m"),
        "week": (_("Week"), "w"),
        "workweek": (_("Work week"), "k"),
        "day": (_("Day"), "d"),
        "team": (_("Team"), "e"),
        "list": (_("List"), "l"),
    }
    return [{"name": name, "label": labels[name][0], "key": labels[name][1]} for name in views]


def _just_deleted(request: HttpRequest, member: Member) -> Appointment | None:
    """The appointment whose deletion led here, so that it can be undone."""
    try:
        wanted = UUID(request.GET.get("deleted", ""))
    except ValueError:
        return None
    return (
        Appointment.objects.filter(pk=wanted, business=member.business)
        .exclude(deleted_at=None)
        .first()
    )


def _week_url(day: date, service: UUID | None) -> str:
    asked = {"week": day.isoformat()} | ({"service": service} if service else {})
    return f"{reverse('calendar')}?{urlencode(asked)}"
