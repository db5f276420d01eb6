"""Settings: profile and team."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import (
    CalendarLink,
    LinkState,
)
from sophiie.web.requests import signed_in


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
