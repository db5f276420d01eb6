"""What a person does in the calendar page itself: book, move, resize, hand over, take back.

Each view takes JSON and answers with JSON: 201 or 200, or else `message` and what can be done
about it. Everything else goes through the full form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from html import unescape
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.errors import (
    Conflict,
    InvalidAppointment,
    Obstacle,
    StaleRevision,
    TooBusy,
    UnknownAppointment,
)
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_named
from sophiie.appointments.rules import assignees_of
from sophiie.common.wall_time import TimeDoesNotExist, TimeIsAmbiguous
from sophiie.series.selectors import place_of
from sophiie.web.appointments.consent import consent_to_ask_for, what_is_overlaid
from sophiie.web.calendar.feed import for_signed_in
from sophiie.web.calendar.schemas import Change, NewAppointment, Withdrawal, reason_of
from sophiie.web.shared.requests import signed_in


def _explains_refusals(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Turns every way in which the change can be refused into an answer."""

    @wraps(view)
    def explained(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ValidationError as error:
            return _refused(400, reason_of(error))
        except UnknownAppointment:
            return _refused(404, _("This appointment is not there any more."))
        except InvalidAppointment as error:
            return _refused(422, " ".join(error.errors.values()), errors=error.errors)
        except TimeDoesNotExist as error:
            return _refused(422, str(error), errors={"start": str(error)})
        except TimeIsAmbiguous as error:
            return _refused(422, str(error), which=_choices(error))
        except StaleRevision:
            return _refused(
                409,
                _("Somebody changed this appointment meanwhile; here it is as it is now."),
                stale=True,
            )
        except Conflict as conflict:
            return _taken(signed_in(request), conflict, moves="appointment_id" in kwargs)
        except TooBusy:
            return _refused(503, _("Many people are booking at this moment. Try again."))

    return explained


@for_signed_in
@require_POST
@_explains_refusals
def calendar_book(request: HttpRequest) -> HttpResponse:
    """Books what the quick form says."""
    member = signed_in(request)
    asked = NewAppointment.model_validate_json(request.body)
    booked = booking.book(
        by=member,
        details=asked.details(member),
        assignees=assignees_of(member.business, asked.assignees),
        customer_id=asked.customer_id,
        resources=resources_named(member.business, asked.resource_ids),
        **asked.consent_of(member),
    )
    return JsonResponse({"id": str(booked.id), "revision": booked.revision}, status=201)


@for_signed_in
@require_POST
@_explains_refusals
def calendar_move(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Moves, resizes or hands over. The answer contains what undoes it."""
    member = signed_in(request)
    before = booking.find(member, appointment_id)
    asked = Change.model_validate_json(request.body)
    moved = booking.change(
        by=member,
        appointment_id=before.id,
        changes=_new_times(asked, member, before),
        assignees=None if asked.assignees is None else _team(member, asked.assignees, before),
        expected_revision=asked.revision,
        **asked.consent_of(member),
    )
    return JsonResponse(
        {
            "id": str(moved.id),
            "revision": moved.revision,
            "before": {
                "start": before.start.isoformat(),
                "end": before.end.isoformat(),
                "assignees": [str(a.member_id) for a in before.assignments.all()],
            },
            **_of_series(moved),
        }
    )


def _of_series(moved: Appointment) -> dict[str, str]:
    """Where the following visits can be moved like this one; nothing for what does not repeat."""
    if place_of(moved.id) is None:
        return {}
    return {"following": reverse("series-following", args=[moved.id])}


@for_signed_in
@require_POST
@_explains_refusals
def calendar_delete(request: HttpRequest, appointment_id: UUID) -> HttpResponse:
    """Takes back what the quick form has just made."""
    member = signed_in(request)
    made = booking.find(member, appointment_id)
    asked = Withdrawal.model_validate_json(request.body)
    booking.delete(by=member, appointment_id=made.id, expected_revision=asked.revision)
    return JsonResponse({"id": str(made.id)})


def _new_times(asked: Change, member: Member, before: Appointment) -> dict[str, datetime]:
    """A new start alone keeps the length."""
    start, end = asked.instants(member)
    if start is not None:
        return {"start": start, "end": end or start + (before.end - before.start)}
    return {} if end is None else {"end": end}


def _team(member: Member, asked: list[str], before: Appointment) -> list[Member]:
    """The wanted assignees. Present assignees may stay, even if deactivated meanwhile."""
    assigned = {str(a.member_id): a.member for a in before.assignments.all()}
    wanted = list(dict.fromkeys(asked))
    joining = [one for one in wanted if one not in assigned]
    new = assignees_of(member.business, joining) if joining or not wanted else []
    by_id = {**assigned, **{str(member.id): member for member in new}}
    return [by_id[one] for one in wanted if one in by_id]


def _taken(member: Member, conflict: Conflict, *, moves: bool) -> HttpResponse:
    consent = consent_to_ask_for(member, conflict.obstacles)
    title = _("This time is taken")
    if consent == "unverified":
        title = _("It is not known whether this time is free")
    return _refused(
        409,
        title,
        obstacles=[_in_the_way(member, obstacle) for obstacle in conflict.obstacles],
        consent=consent,
        anyway=_anyway(consent, conflict.obstacles, moves=moves),
    )


def _anyway(consent: str, obstacles: list[Obstacle], *, moves: bool) -> str:
    """The button's words: they say over what, and only to those who may."""
    if consent == "unverified":
        if moves:
            return _("Move although the calendar could not be read")
        return _("Book although the calendar could not be read")
    words = _("Move anyway, over %(what)s") if moves else _("Book anyway, over %(what)s")
    return words % {"what": what_is_overlaid(obstacles)} if consent else ""


def _in_the_way(member: Member, obstacle: Obstacle) -> str:
    """One obstacle in one line, in the time that the calendar shows."""
    shown = replace(obstacle, timezone=member.business.timezone)
    words = render_to_string("appointments/_obstacle.html", {"conflict": shown})
    return unescape(" ".join(strip_tags(words).split()))


def _choices(error: TimeIsAmbiguous) -> list[dict[str, Any]]:
    first, second = (moment.strftime("%Z") for moment in error.choices)
    return [
        {"fold": 0, "label": _("The first, %(offset)s") % {"offset": first}},
        {"fold": 1, "label": _("The second, an hour later, %(offset)s") % {"offset": second}},
    ]


def _refused(status: int, message: str, **more: Any) -> HttpResponse:
    return JsonResponse({"message": message, **more}, status=status)
