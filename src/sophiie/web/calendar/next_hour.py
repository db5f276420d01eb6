"""The hour at which the quick form begins when nobody chose one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.availability.proposals import next_working_hour
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone, start_of_day
from sophiie.web.calendar.feed import for_signed_in
from sophiie.web.shared.requests import day_asked_for, signed_in


@for_signed_in
@require_GET
def calendar_next_hour(request: HttpRequest) -> HttpResponse:
    """The next free working hour of the member `who` from the day `from` on, as a wall time; ""
    when there is none in sight."""
    member = signed_in(request)
    whose = _colleague(member, request.GET.get("who", ""))
    zone = member.business.timezone
    day = day_asked_for(request.GET.get("from", ""))
    start = max(now(), start_of_day(day, zone)) if day else now()
    found = next_working_hour(business=member.business, member=whose, start=start)
    wall = in_zone(found, zone).replace(tzinfo=None).isoformat() if found else ""
    return JsonResponse({"start": wall})


def _colleague(member: Member, text: str) -> Member:
    team = {str(one.pk): one for one in active_members(member.business_id)}
    return team.get(text, member)
