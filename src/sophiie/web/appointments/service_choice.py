"""The service in the appointment form: what there is to choose, and what a choice fills in.

It fills title, notes, length and people as long as they are what Sophiie proposed itself: what a
person typed stays. The page's script applies it at once; without a script the form comes back
filled, and *Save* fills what was left empty.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Member
from sophiie.appointments.booking import find
from sophiie.appointments.errors import UnknownAppointment
from sophiie.appointments.models import Appointment
from sophiie.availability.services import team_for
from sophiie.availability.words import length
from sophiie.common.shown_clock import clock
from sophiie.common.wall_time import TimeDoesNotExist, instant_of
from sophiie.services.models import Service
from sophiie.services.rules import LIMITS
from sophiie.services.selectors import able
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.shared.requests import members_only, signed_in

# What the form proposes by itself.
USUAL = timedelta(hours=1)
DAY = timedelta(days=1)
MAX_FILLED = 20_000
MAX_MINUTES = LIMITS["duration_minutes"][1]


@members_only
@require_GET
def service_fields(request: HttpRequest) -> HttpResponse:
    """The fragment for the script: the values of the chosen service, and what to know of it."""
    by = signed_in(request)
    form = AppointmentForm(request.GET, by=by, appointment=_shown(by, request.GET))
    values = values_for(form, by)
    context: dict[str, Any] = {}
    if form.chosen_service:
        context = {
            "service": form.chosen_service,
            "fills": json.dumps({"values": values, "was": _sent(request.GET, values)}),
            "lengths": _lengths(form.chosen_service),
        }
    return render(request, "appointments/_service.html", context)


def filled_form(by: Member, sent: QueryDict, shown: Appointment | None) -> AppointmentForm:
    """The form with what was sent, and what the chosen service fills in; nothing is saved yet."""
    values = values_for(AppointmentForm(sent, by=by, appointment=shown), by)
    form = AppointmentForm(None, by=by, appointment=shown)
    for name in form.fields:
        if name in sent:
            several = name == "assignees"
            form.initial[name] = sent.getlist(name) if several else sent.get(name)
    form.initial.update(values)
    return form


def with_blanks_filled(by: Member, sent: QueryDict) -> QueryDict:
    """What was sent for a new appointment; what was left empty is as the service says."""
    if not sent.get("service"):
        return sent
    values = values_for(AppointmentForm(sent, by=by), by)
    again = sent.copy()
    for name, value in values.items():
        if name == "assignees" and not sent.getlist(name):
            again.setlist(name, value)
        elif name in ("title", "end") and not sent.get(name, "").strip():
            again[name] = value
    return again


def values_for(form: AppointmentForm, by: Member) -> dict[str, Any]:
    """What the chosen service fills into the form, as texts, by field."""
    form.is_valid()
    service = form.chosen_service
    if service is None:
        return {}
    choice = _Choice(form, by, service)
    values = {
        name: value
        for name, value in (
            ("title", choice.text("title", service.title)),
            ("notes", choice.text("notes", service.default_notes)),
            ("end", choice.end()),
            ("assignees", choice.people()),
        )
        if value is not None
    }
    known = {**choice.before, **values, "minutes": service.duration_minutes}
    return {**values, "service_filled": json.dumps(known)}


@dataclass(frozen=True)
class _Choice:
    form: AppointmentForm
    by: Member
    service: Service

    @property
    def before(self) -> dict[str, Any]:
        """What a service chosen before has filled in, as far as the page still says it."""
        try:
            found = json.loads(self.form.data.get("service_filled", "")[:MAX_FILLED])
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def _minutes_before(self) -> timedelta | None:
        minutes = self.before.get("minutes")
        if isinstance(minutes, int) and 0 < minutes <= MAX_MINUTES:
            return timedelta(minutes=minutes)
        return None

    def text(self, name: str, said: str) -> str | None:
        now = str(self.form.data.get(name, "")).strip().replace("\r\n", "\n")
        if now and now != str(self.before.get(name, "")).strip():
            return None
        return said if said != now else None

    def end(self) -> str | None:
        """The end of the service's length, if it is on the same day."""
        start = self._wall("start")
        if start is None or "end_date" in self.form.fields:
            return None
        length = self._wall("end", after=start)
        proposed = {self._minutes_before}
        if self.form.appointment is None:
            proposed.add(USUAL)
        if length is not None and length - start not in proposed:
            return None
        end = start + timedelta(minutes=self.service.duration_minutes)
        midnight = start.replace(hour=0, minute=0) + DAY
        return clock(end.time()) if end <= midnight else None

    def _wall(self, name: str, *, after: datetime | None = None) -> datetime | None:
        day, time = (self.form.cleaned_data.get(field) for field in ("date", name))
        if day is None or time is None:
            return None
        wall = datetime.combine(day, time)
        return wall + DAY if after and wall <= after else wall

    def people(self) -> list[str] | None:
        """Who should do it: nobody in the place of those whom a person has chosen."""
        chosen = self._chosen()
        before = self.before.get("assignees")
        proposed: list[Any] = [[], sorted(map(str, before)) if isinstance(before, list) else []]
        if self.form.appointment is None:
            proposed.append([str(self.by.pk)])
        if sorted(set(chosen)) not in proposed:
            return None
        start = self._instant()
        if start is None:
            return None
        team = team_for(
            self.service,
            first=[self.by],
            start=start,
            end=start + timedelta(minutes=self.service.duration_minutes),
            travel_minutes=self.form.cleaned_data.get("travel_minutes") or 0,
        )
        names = [str(member.pk) for member in team]
        return names if set(names) != set(chosen) else None

    def _chosen(self) -> list[str]:
        data = self.form.data
        return data.getlist("assignees") if isinstance(data, QueryDict) else []

    def _instant(self) -> datetime | None:
        wall, zone = self._wall("start"), self.form.cleaned_data.get("timezone")
        if wall is None or zone is None or not 2000 <= wall.year < 2099:
            return None
        try:
            return instant_of(wall, zone, fold=0)
        except TimeDoesNotExist:
            return None


def _sent(sent: QueryDict, values: dict[str, Any]) -> dict[str, Any]:
    """What stood in the fields that are filled in: the script leaves what was typed meanwhile."""
    return {
        name: sent.getlist(name) if name == "assignees" else sent.get(name, "") for name in values
    }


def _shown(by: Member, sent: QueryDict) -> Appointment | None:
    try:
        return find(by, UUID(sent.get("appointment", "")))
    except (ValueError, UnknownAppointment):
        return None


def _lengths(service: Service) -> list[tuple[int, str]]:
    """The lengths to choose from, if there is a choice."""
    if len(service.durations) < 2:
        return []
    return [(minutes, length(timedelta(minutes=minutes))) for minutes in service.durations]


def misfits(service: Service | None, team: Sequence[Member]) -> list[str]:
    """What somebody should know who books this team for the service. None of it is refused."""
    if service is None:
        return []
    said = []
    doers = able(service, team)
    if others := [member.name for member in team if member not in doers]:
        said.append(
            ngettext(
                "%(who)s does not usually do “%(name)s”.",
                "%(who)s do not usually do “%(name)s”.",
                len(others),
            )
            % {"who": get_text_list(others, _("and")), "name": service.name}
        )
    if len(team) < service.people:
        said.append(
            _("“%(name)s” takes %(people)s people.")
            % {"name": service.name, "people": service.people}
        )
    return said
