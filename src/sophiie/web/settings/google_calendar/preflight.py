"""What *Save* would do with a calendar, shown on the choice page before it is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from asgiref.sync import async_to_sync
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Member
from sophiie.calendar_link import choose, connect
from sophiie.calendar_link.models import RECORDING, CalendarLink, LinkState
from sophiie.calendar_link.problems import LinkProblem
from sophiie.calendar_link.waiting import waiting_for_google
from sophiie.common.clock import now
from sophiie.common.zone_rules import zone as rules_of
from sophiie.sync.actions.preflight import Preflight, preflight
from sophiie.web.shared.requests import members_only, signed_in


@dataclass(frozen=True)
class ShownPreflight:
    """A pre-flight as the page shows it.

    `old_name` is the calendar from which appointments would move, "" if there is none. `zones` are
    the calendar's and the member's, None if their clocks show the same.
    """

    found: Preflight
    name: str
    is_chosen_already: bool
    old_name: str
    zones: tuple[str, str] | None


@members_only
@require_GET
def calendar_preflight(request: HttpRequest) -> HttpResponse:
    """The fragment for one calendar of the member's own Google account."""
    member = signed_in(request)
    link = connect.link_of(member)
    if link is None or not may_choose(link):
        raise Http404
    wanted = request.GET.get("calendar_id", "")
    try:
        with waiting_for_google():
            calendars = async_to_sync(choose.calendars_of)(link)
            chosen = next((c for c in calendars if c.id == wanted and c.writable), None)
            if chosen is None:
                raise Http404
            context = {"preflight": _shown(link, member, chosen)}
    except LinkProblem:
        return render(request, "settings/google_calendar/_preflight.html", {"unknown": True})
    return render(request, "settings/google_calendar/_preflight.html", context)


def may_choose(link: CalendarLink) -> bool:
    """Whether the link may choose a calendar, or change the chosen one."""
    return link.state == LinkState.CHOOSING or link.state in RECORDING


def preflight_of_selected(
    link: CalendarLink, member: Member, calendars: Sequence[Any], rows: Sequence[dict[str, Any]]
) -> ShownPreflight | None:
    """For the calendar whose radio button is set; None if none is."""
    for calendar, row in zip(calendars, rows, strict=True):
        if row["selected"] and row["writable"]:
            return _shown(link, member, calendar)
    return None


def _shown(link: CalendarLink, member: Member, calendar: Any) -> ShownPreflight:
    has_one = link.state in RECORDING
    theirs, own = calendar.time_zone, member.business.timezone
    return ShownPreflight(
        found=async_to_sync(preflight)(link, calendar.id),
        name=calendar.name,
        is_chosen_already=has_one and calendar.id == link.calendar_id,
        old_name=link.calendar_name if has_one and calendar.id != link.calendar_id else "",
        zones=(theirs, own) if theirs and not _same_clocks(theirs, own) else None,
    )


def _same_clocks(one: str, other: str) -> bool:
    """Whether two zones show the same time all year: Sydney and Melbourne do."""
    try:
        zones = rules_of(one), rules_of(other)
    except (ZoneInfoNotFoundError, ValueError):
        return one == other
    weeks = [now() + timedelta(weeks=number) for number in range(53)]
    first, second = ([week.astimezone(zone).utcoffset() for week in weeks] for zone in zones)
    return first == second
