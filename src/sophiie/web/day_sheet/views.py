"""The pages of the day sheet."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.web.day_sheet.visits import my_day, my_days, team_day
from sophiie.web.shared.requests import day_asked_for, members_only, signed_in

# Today and the next seven.
DAYS_AHEAD = 8


@members_only
@require_GET
def day_sheet(request: HttpRequest) -> HttpResponse:
    """My day or the team's, in order: `date` (today), `team`."""
    member = signed_in(request)
    today = in_zone(now(), member.business.timezone).date()
    day = day_asked_for(request.GET.get("date", "")) or today
    whole_team = "team" in request.GET
    context: dict[str, Any] = {
        "day": day,
        "is_today": day == today,
        "whole_team": whole_team,
        "here": _url(day, whole_team=whole_team),
        "sheets": team_day(member, day) if whole_team else [my_day(member, day)],
        "previous_url": _url(day - timedelta(days=1), whole_team=whole_team),
        "next_url": _url(day + timedelta(days=1), whole_team=whole_team),
        "today_url": _url(today, whole_team=whole_team),
        "mine_url": _url(day, whole_team=False),
        "team_url": _url(day, whole_team=True),
    }
    context["is_empty"] = not any(sheet.visits for sheet in context["sheets"])
    return render(request, "day_sheet/day_sheet.html", context)


@members_only
@require_GET
def ahead(request: HttpRequest) -> HttpResponse:
    """The member's next eight days on a page that needs nothing else: `keep_ahead.js` keeps it in
    the browser, and the service worker shows it when Sophiie cannot be reached."""
    member = signed_in(request)
    moment = in_zone(now(), member.business.timezone)
    sheets = my_days(member, moment.date(), count=DAYS_AHEAD)
    return render(request, "day_sheet/ahead.html", {"moment": moment, "sheets": sheets})


def _url(day: date, *, whole_team: bool) -> str:
    asked = {"date": day.isoformat(), **({"team": "1"} if whole_team else {})}
    return f"{reverse('day-sheet')}?{urlencode(asked)}"
