"""Saving the form of an appointment that repeats: for this visit, the following, or all.

For more than this visit the page first shows what would change. Nothing changes before somebody
presses the button of that preview, or answers the list of visits in the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_used
from sophiie.appointments.rules import Details
from sophiie.common.wall_time import in_zone
from sophiie.resources.models import Resource
from sophiie.series.booking import Booked
from sophiie.series.changing import Preview, change_series, preview_change
from sophiie.series.drafts import SeriesChange
from sophiie.series.errors import ClocksAsk, InvalidSeries, VisitsInTheWay
from sophiie.series.fitting import Answers
from sophiie.series.models import Series, Visit
from sophiie.series.planning import ClockAnswers
from sophiie.series.retiming import AS_BEFORE, NewTime
from sophiie.series.scope import Scope
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.appointments.in_the_way import BUTTON, Refused, answers_in, refused
from sophiie.web.appointments.repeat_form import RepeatForm
from sophiie.web.appointments.repeat_said import Asked, asked_in

RHYTHM = {
    *("repeat", "repeat_every", "repeat_on", "repeat_by", "repeat_short", "repeat_ends"),
    *("repeat_count", "repeat_until"),
}
_TIMES = {"start", "end", "timezone"}


@dataclass(frozen=True)
class Outlook:
    """A change that was not made yet: what it would do, the visits in the way, and what the clocks
    ask."""

    scope: Scope
    status: int
    only_times: bool = False
    preview: Preview | None = None
    refused: Refused | None = None
    asked: tuple[Asked, ...] = ()

    @property
    def n(self) -> int:
        """How many visits would be other than they are."""
        if self.preview is None:
            return 0
        found = self.preview
        others = 0 if self.only_times else len(found.changed)
        return max(others, len(found.moved)) + len(found.added) + len(found.cancelled)


def scope_in(sent: QueryDict) -> Scope:
    """For which visits the form was saved."""
    try:
        return Scope(sent.get("scope", ""))
    except ValueError:
        return Scope.THIS


def visit_of(appointment: Appointment) -> Visit | None:
    """The visit as which the appointment stands in its series, if it is in one."""
    return Visit.objects.filter(appointment=appointment.pk).select_related("series").first()


def repeat_form_of(visit: Visit, sent: QueryDict | None, member: Member) -> RepeatForm:
    """The rule in the form of a visit. A page without its fields changes nothing about it."""
    told = sent if sent is not None and "repeat" in sent else None
    return RepeatForm(told, business=member.business, series=visit.series)


def changes_rhythm(repeat: RepeatForm) -> bool:
    return repeat.is_bound and bool({*RHYTHM, "leave_out"} & set(repeat.changed_data))


def change_visits(
    *,
    by: Member,
    visit: Visit,
    scope: Scope,
    form: AppointmentForm,
    repeat: RepeatForm,
    shown: Appointment,
    sent: QueryDict,
) -> Booked | Outlook:
    """Changes the visits if that was confirmed, or else says what would change. Raises as
    `booking.change`; what is wrong with the rule is put into the forms."""
    try:
        change = change_of(visit.series, shown, form, repeat)
    except InvalidSeries as refusal:
        repeat.show(refusal)
        return Outlook(scope=scope, status=422)
    asked = WantedChange(by=by, visit=visit, scope=scope, change=change, sent=sent)
    try:
        return asked.made() if asked.is_confirmed else asked.outlook(200)
    except ClocksAsk as ask:
        repeat.add_error("repeat", _("The clocks change: say below which time is meant."))
        return Outlook(scope=scope, status=422, asked=tuple(asked_in(ask.questions)))
    except InvalidSeries as refusal:
        if refusal.errors.get("scope"):
            form.add_error(None, refusal.errors["scope"])
        else:
            repeat.show(refusal)
        return Outlook(scope=scope, status=422)


@dataclass(frozen=True)
class WantedChange:
    """A change of several visits, as a page asks for it."""

    by: Member
    visit: Visit
    scope: Scope
    change: SeriesChange
    sent: QueryDict

    @property
    def is_confirmed(self) -> bool:
        said = self.sent
        return BUTTON in said or said.get("confirmed") == self.scope or self._takes_unread

    @property
    def _takes_unread(self) -> bool:
        return bool(self.sent.get("accept_unverified"))

    @property
    def _about(self) -> str:
        time = self.change.time
        rule = time.rule.as_text() if time.rule else ""
        return "|".join(map(str, (self.scope, time.start, time.length, rule)))

    def _how(self) -> dict[str, Any]:
        answers: Answers = answers_in(self.sent, self.by, self._about)
        return {
            "by": self.by,
            "series_id": self.visit.series_id,
            "scope": self.scope,
            "appointment_id": self.visit.appointment_id,
            "change": self.change,
            "answers": answers,
            "include_changed": bool(self.sent.get("include_changed")),
        }

    def made(self) -> Booked | Outlook:
        try:
            return change_series(**self._how())
        except VisitsInTheWay:
            return self.outlook(409)

    def outlook(self, status: int) -> Outlook:
        preview = preview_change(**self._how())
        listed = None
        if preview.in_the_way:
            of = max(len(preview.changed) + len(preview.added), len(preview.in_the_way))
            listed = refused(
                VisitsInTheWay(preview.in_the_way, of),
                about=self._about,
                zone=self.visit.series.timezone,
                member=self.by,
                sent=self.sent,
                counts=False,
            )
        return Outlook(
            scope=self.scope,
            status=409 if listed else status,
            only_times=not self.change.details
            and self.change.assignees is None
            and self.change.resources is None,
            preview=preview,
            refused=listed,
        )


def change_of(
    series: Series, shown: Appointment, form: AppointmentForm, repeat: RepeatForm
) -> SeriesChange:
    """What differs in the form from the appointment that it showed. Raises `InvalidSeries`."""
    before, after = Details.of(shown), form.details
    if after.timezone != before.timezone:
        words = _("The time zone can be changed for a single visit only.")
        raise InvalidSeries({"repeat": words})
    details = {
        name: value
        for name, value in after.as_dict().items()
        if name not in _TIMES and value != getattr(before, name)
    }
    team = form.chosen_assignees
    same = {member.id for member in team} == {a.member_id for a in shown.assignments.all()}
    return SeriesChange(
        details=details,
        assignees=None if same else team,
        customer_id=_customer(shown, form),
        resources=_resources(shown, form),
        time=_new_time(series, before, after, repeat),
    )


def _customer(shown: Appointment, form: AppointmentForm) -> UUID | None:
    chosen: UUID | None = form.cleaned_data.get("customer_id")
    return chosen if chosen != shown.customer_id else None


def _resources(shown: Appointment, form: AppointmentForm) -> list[Resource] | None:
    chosen = form.chosen_resources
    if chosen is None or set(chosen) == set(resources_used(shown)):
        return None
    return chosen


def _new_time(series: Series, before: Details, after: Details, repeat: RepeatForm) -> NewTime:
    start = None
    if after.start != before.start:
        start = wall_of(series, after.start)
    length = after.end - after.start
    rule = left_out = None
    if changes_rhythm(repeat):
        first = start.date() if start else wall_of(series, before.start).date()
        if RHYTHM & set(repeat.changed_data):
            rule = repeat.rule(first)
            _check_end(rule.until, first)
        if "leave_out" in repeat.changed_data:
            left_out = repeat.days_left_out(series.parsed, series.first.date())
            if rule is not None:
                left_out |= repeat.days_left_out(rule, first)
    answers = repeat.clock_answers() if repeat.is_bound else ClockAnswers()
    new = NewTime(
        rule=rule,
        start=start,
        length=length if length != before.end - before.start else None,
        left_out=left_out,
        answers=answers if answers.skipped or answers.doubled else None,
    )
    return new if new.is_any else AS_BEFORE


def _check_end(until: date | None, first: date) -> None:
    if until is not None and until < first:
        raise InvalidSeries({"repeat_until": _("The last day is before this visit.")})


def wall_of(series: Series, moment: datetime) -> datetime:
    """What the clocks of the series show then."""
    return in_zone(moment, series.timezone).replace(tzinfo=None)


def in_plain_words(error: Exception) -> str:
    """What is wrong, without the names of fields that only the API has."""
    if isinstance(error, InvalidSeries):
        return " ".join(error.errors.values())
    return str(error)
