"""The overview of owners and admins: who is linked, what waits, what needs somebody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Member
from sophiie.appointments.selectors import still_ahead_of
from sophiie.calendar_link.models import LinkState
from sophiie.common.clock import now
from sophiie.common.reasons import kept, words
from sophiie.common.wall_time import in_zone
from sophiie.sync.models import DriftKind, MirroredEvent
from sophiie.sync.reports.business_queue import drifted_events, failed_events, queue_of
from sophiie.sync.reports.team import TeamLink, links_of_team
from sophiie.sync.reports.units import cost_of, days_of_business, hours_of_project, limits
from sophiie.sync.reports.workers import workers_alive
from sophiie.web.shared.colleagues import since
from sophiie.web.shared.requests import members_only, signed_in

# The width of a bar with its gap, and the height of a chart, in units of the drawing.
BAR, CHART = 10, 48


@members_only
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Eleven queries, however large the team. Members who may not see it get a friendly refusal."""
    member = signed_in(request)
    if not member.manages_business:
        return render(request, "overview/not_allowed.html", status=403)
    people: list[Member] = list(Member.objects.filter(business=member.business_id, erased_at=None))
    links = links_of_team(member.business_id)
    zone = member.business.timezone
    queue = queue_of(member.business_id)
    gone = [person for person in people if not person.is_active]
    ahead = still_ahead_of(gone, now())
    shown = [_person(member, p, links.get(p.pk)) for p in people if p.is_active]
    day, minute = limits()
    context: dict[str, Any] = {
        "people": shown,
        "linked": sum(_is_well(links.get(p.pk)) for p in people if p.is_active),
        "queue": queue,
        "waiting_since": since(queue.oldest, zone) if queue.oldest else "",
        "failed": [_event(row) for row in failed_events(member.business_id)],
        "drifted": [_event(row) for row in drifted_events(member.business_id)],
        "left_behind": [
            {"member": person, "ahead": ahead[person.pk]} for person in gone if person.pk in ahead
        ],
        "worker_is_away": not workers_alive(),
        "limits": [part for part in (day, minute) if part.is_near],
        "calls": _calls(days_of_business(member.business_id)),
        "hours": _bars([(in_zone(hour, zone), share) for hour, share in hours_of_project()]),
        "shares": {"day": day.share * 100, "minute": minute.share * 100},
    }
    context["all_is_well"] = not any(
        context[name] for name in ("failed", "drifted", "left_behind", "worker_is_away", "limits")
    ) and not any(person["is_broken"] for person in shown)
    return render(request, "overview/overview.html", context)


def _is_well(link: TeamLink | None) -> bool:
    return link is not None and link.state in (LinkState.ACTIVE, LinkState.BACKFILLING)


def _calls(days: list[tuple[date, int]]) -> dict[str, Any]:
    """What the last days cost."""
    units = [number for _, number in days]
    return {
        "today": units[-1],
        "most": max(units),
        "all": sum(units),
        "number": len(days),
        "cost": cost_of(sum(units)),
        "chart": _bars(days),
    }


def _bars(values: Sequence[tuple[date, float]]) -> dict[str, Any]:
    """A small chart: a bar for each value, the highest as high as the chart."""
    most = max(value for _, value in values)
    heights = [round(value / most * CHART) if most else 0 for _, value in values]
    return {
        "width": BAR * len(values),
        "bars": [
            {"at": at, "value": value, "x": BAR * n, "y": CHART - height, "height": height}
            for n, ((at, value), height) in enumerate(zip(values, heights, strict=True))
        ],
    }


def _person(by: Member, member: Member, link: TeamLink | None) -> dict[str, Any]:
    zone = by.business.timezone
    is_broken = link is not None and link.state == LinkState.NEEDS_RECONNECT
    return {
        "name": member.name,
        "email": member.email,
        "is_self": member.pk == by.pk,
        "link": link,
        "is_broken": is_broken,
        "since": since(link.broken_since, zone) if link and link.broken_since else "",
        "last_synced_at": (
            in_zone(link.last_synced_at, zone) if link and link.last_synced_at else None
        ),
    }


def _event(row: MirroredEvent) -> dict[str, Any]:
    appointment = row.appointment
    if row.drift_kind == DriftKind.DELETED:
        what = _("Deleted in Google")
    elif row.drift_kind == DriftKind.STILL_THERE:
        what = _("Still in Google")
    elif row.drift_kind:
        what = _("Changed in Google")
    else:
        what = words(kept(row, "error"))
    return {
        "appointment_id": appointment.pk,
        "title": appointment.title,
        "is_deleted": appointment.deleted_at is not None,
        "local_start": appointment.local_start,
        "whose": row.link.member.name,
        "what": what,
    }
