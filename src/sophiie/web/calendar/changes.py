"""What a person does in the calendar page itself: make, move, resize, hand over, take back.

Each takes JSON and answers with JSON: 201 or 200, else `message` and what can be done about it.
The full form stays the way for everything else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

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
from sophiie.appointments.rules import Details, assignees_of
from sophiie.common.wall_time import TimeDoesNotExist, TimeIsAmbiguous, instant_of
from sophiie.web.appointments.consent import Given, consent_to_ask_for
from sophiie.web.calendar.feed import for_signed_in
from sophiie.web.shared.requests import View

Body = dict[str, Any]


class NotUnderstood(Exception):
    """A request that our own page would not send; the message says what is wrong with it."""


@dataclass(frozen=True)
class Asked:
    """Who asks, and what for."""

    member: Member
    body: Body

    @property
    def consent(self) -> Given:
        """Which of the buttons of a refusal was pressed; see `consent_to_ask_for`."""
        given = self.body.get("consent")
        return {
            "allow_overlap": given in ("overlap", "both") and self.member.manages_business,
            "accept_unverified": given in ("unverified", "both"),
        }

    def text(self, name: str) -> str:
        value = self.body.get(name, "")
        if not _is_text(value):
            raise NotUnderstood(_("“%(name)s” must be text.") % {"name": name})
        return str(value)

    def names(self, name: str) -> list[str]:
        value = self.body.get(name, [])
        if not isinstance(value, list) or not all(_is_text(item) for item in value):
            raise NotUnderstood(_("“%(name)s” must be a list.") % {"name": name})
        return value

    def instant(self, name: str) -> datetime | None:
        """A wall time of the business's zone, or with an offset an instant; None if not given."""
        text = self.text(name)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise InvalidAppointment({name: _("Write the time as 14:30.")}) from None
        if not 2000 <= moment.year < 2100:
            raise InvalidAppointment({name: _("Use a date between the years 2000 and 2099.")})
        if moment.tzinfo:
            return moment.astimezone(UTC)
        fold = self.body.get("fold")
        return instant_of(
            moment, self.member.business.timezone, fold=int(fold) if fold in (0, 1) else None
        )


def _is_text(value: object) -> bool:
    """Whether it is text that can be kept: JSON can spell halves of characters."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


Act = Callable[..., HttpResponse]


def _answering(act: Act) -> View:
    """Turns every way in which the act can be refused into its answer."""

    @for_signed_in
    @require_POST
    def view(request: HttpRequest, appointment_id: UUID | None = None) -> HttpResponse:
        assert isinstance(request.user, Member)
        member = request.user
        try:
            about = [booking.find(member, appointment_id)] if appointment_id else []
            return act(Asked(member, _body(request)), *about)
        except NotUnderstood as error:
            return _refused(400, str(error))
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
            return _taken(member, conflict)
        except TooBusy:
            return _refused(503, _("Many people are booking at this moment. Try again."))

    return view


@_answering
def calendar_book(asked: Asked) -> HttpResponse:
    """A new appointment from the quick form: `title`, `start`, `end`, `assignees`."""
    start, end = asked.instant("start"), asked.instant("end")
    if start is None or end is None:
        raise InvalidAppointment({"start": _("Choose when it starts and ends.")})
    booked = booking.book(
        by=asked.member,
        details=Details(
            title=asked.text("title"),
            start=start,
            end=end,
            timezone=asked.member.business.timezone,
        ),
        assignees=assignees_of(asked.member.business, asked.names("assignees")),
        **asked.consent,
    )
    return JsonResponse({"id": str(booked.id), "revision": booked.revision}, status=201)


@_answering
def calendar_move(asked: Asked, before: Appointment) -> HttpResponse:
    """Another `start`, another `end` or both, other `assignees`; what is not named stays.

    A new start alone keeps the length. The answer says how to take it back.
    """
    start, end = asked.instant("start"), asked.instant("end")
    changes: dict[str, datetime] = {}
    if start is not None:
        changes["start"] = start
        changes["end"] = end or start + (before.end - before.start)
    elif end is not None:
        changes["end"] = end
    assignees = None
    if "assignees" in asked.body:
        assignees = _team(asked, before)
    moved = booking.change(
        by=asked.member,
        appointment_id=before.id,
        changes=changes,
        assignees=assignees,
        expected_revision=_revision(asked),
        **asked.consent,
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
        }
    )


@_answering
def calendar_delete(asked: Asked, made: Appointment) -> HttpResponse:
    """Takes back what the quick form just made."""
    booking.delete(by=asked.member, appointment_id=made.id, expected_revision=_revision(asked))
    return JsonResponse({"id": str(made.id)})


def _body(request: HttpRequest) -> Body:
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise NotUnderstood(_("That request was not understood")) from None
    if not isinstance(body, dict):
        raise NotUnderstood(_("That request was not understood"))
    return body


def _revision(asked: Asked) -> int | None:
    revision = asked.body.get("revision")
    if not isinstance(revision, int) or isinstance(revision, bool):
        raise NotUnderstood(_("“%(name)s” must be a number.") % {"name": "revision"})
    return revision


def _team(asked: Asked, before: Appointment) -> list[Member]:
    """The wanted assignees. Who is assigned already may stay, also when deactivated meanwhile."""
    assigned = {str(a.member_id): a.member for a in before.assignments.all()}
    wanted = list(dict.fromkeys(asked.names("assignees")))
    joining = [one for one in wanted if one not in assigned]
    new = assignees_of(asked.member.business, joining) if joining or not wanted else []
    by_id = {**assigned, **{str(member.id): member for member in new}}
    return [by_id[one] for one in wanted if one in by_id]


def _taken(member: Member, conflict: Conflict) -> HttpResponse:
    consent = consent_to_ask_for(member, conflict.obstacles)
    title = _("This time is taken")
    if consent == "unverified":
        title = _("Nobody can say whether this time is free")
    return _refused(
        409,
        title,
        obstacles=[_in_the_way(member, obstacle) for obstacle in conflict.obstacles],
        consent=consent,
    )


def _in_the_way(member: Member, obstacle: Obstacle) -> str:
    """One line for each thing in the way, in the time that the calendar shows."""
    shown = replace(obstacle, timezone=member.business.timezone)
    words = render_to_string("appointments/_obstacle.html", {"conflict": shown})
    return unescape(" ".join(strip_tags(words).split()))


def _choices(error: TimeIsAmbiguous) -> list[Body]:
    return [
        {"fold": fold, "label": text % {"offset": moment.strftime("%Z")}}
        for fold, (moment, text) in enumerate(
            zip(
                error.choices,
                (_("The first, %(offset)s"), _("The second, an hour later, %(offset)s")),
                strict=True,
            )
        )
    ]


def _refused(status: int, message: str, **more: Any) -> HttpResponse:
    return JsonResponse({"message": message, **more}, status=status)
