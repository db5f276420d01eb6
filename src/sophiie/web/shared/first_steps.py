"""The steps to the first appointment in Google, which a new business sees on the calendar.

Once all are done or put away they cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.availability.models import WorkingHours
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now


@dataclass(frozen=True)
class Step:
    """One step; `act` is the button that leads there."""

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
    """The member's steps; None if all are done or they were put away."""
    if member.first_steps_done_at:
        return None
    found = FirstSteps(_steps(*_done(member)))
    if found.next is None:
        put_away_first_steps(member)
        return None
    return found


def _done(member: Member) -> tuple[bool, bool, bool]:
    """Whether there are hours, a link and an appointment, in one query."""
    links = CalendarLink.objects.filter(member=OuterRef("pk"))
    asked: tuple[bool, bool, bool] = (
        Member.objects.filter(pk=member.pk)
        .annotate(
            hours=Exists(WorkingHours.objects.filter(member=OuterRef("pk"))),
            link=Exists(links.exclude(state__in=(LinkState.CHOOSING, LinkState.UNLINKED))),
            appointment=Exists(Appointment.objects.filter(business=OuterRef("business"))),
        )
        .values_list("hours", "link", "appointment")
        .get()
    )
    return asked


def _steps(has_hours: bool, has_link: bool, has_appointment: bool) -> list[Step]:
    return [
        Step(
            title=_("Say when you work"),
            text=_("Only times within your hours are offered. Preset: Monday to Friday, 9 to 5."),
            act=_("Set my hours"),
            url=reverse("settings-hours"),
            is_done=has_hours,
        ),
        Step(
            title=_("Link Google Calendar"),
            text=_("Then every appointment appears there by itself. It takes a minute."),
            act=_("Link my calendar"),
            url=reverse("settings-calendar"),
            is_done=has_link,
        ),
        Step(
            title=_("Make the first appointment"),
            text=_("Title, day and time are enough."),
            act=_("Make an appointment"),
            url=reverse("appointment-new"),
            is_done=has_appointment,
        ),
    ]


def put_away_first_steps(member: Member) -> None:
    """Hides the steps from this member for good."""
    Member.objects.filter(pk=member.pk, first_steps_done_at=None).update(first_steps_done_at=now())
