"""What an empty product says of itself: the steps to the first appointment in Google.

Shown on the calendar until they are done or put away; then they cost nothing any more.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.web.requests import signed_in


@dataclass(frozen=True)
class Step:
    """One step: `act` is the button that leads there."""

    title: str
    text: str
    act: str
    url: str
    is_done: bool


@dataclass(frozen=True)
class FirstSteps:
    steps: list[Step]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def next(self) -> Step | None:
        return next((step for step in self.steps if not step.is_done), None)


def first_steps(member: Member) -> FirstSteps | None:
    """The steps of this member, None when all are done or they were put away."""
    if member.first_steps_done_at:
        return None
    found = FirstSteps([_link_step(member), _appointment_step(member)])
    if found.next is None:
        _remember(member)
        return None
    return found


def _link_step(member: Member) -> Step:
    links = CalendarLink.objects.filter(member=member)
    return Step(
        title=_("Link Google Calendar"),
        text=_("Then every appointment appears there by itself. It takes a minute."),
        act=_("Link my calendar"),
        url=reverse("settings-calendar"),
        is_done=links.exclude(state__in=(LinkState.CHOOSING, LinkState.UNLINKED)).exists(),
    )


def _appointment_step(member: Member) -> Step:
    return Step(
        title=_("Make the first appointment"),
        text=_("Title, day and time are enough."),
        act=_("Make an appointment"),
        url=reverse("appointment-new"),
        is_done=Appointment.objects.filter(business=member.business_id).exists(),
    )


def _remember(member: Member) -> None:
    Member.objects.filter(pk=member.pk, first_steps_done_at=None).update(first_steps_done_at=now())


@login_required
@require_POST
def put_away(request: HttpRequest) -> HttpResponse:
    """The person knows the way."""
    _remember(signed_in(request))
    return redirect("calendar")
