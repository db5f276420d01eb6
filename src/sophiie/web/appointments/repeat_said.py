"""What the form says of a repetition while one types: the rule in a sentence, its days, and what
the clocks ask.

Looks only at stored copies of calendars, so *Save* may find more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from sophiie.accounts.models import Member
from sophiie.appointments.conflicts import conflicts_at
from sophiie.common.wall_time import in_zone
from sophiie.series.booking import planned_visits
from sophiie.series.errors import ClocksAsk, InvalidSeries, Question
from sophiie.series.planning import NOT_ASKED, ClockAnswers, Planned, Timing
from sophiie.series.words import days_in_words, in_words
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.appointments.repeat_form import RepeatForm, clock_choices
from sophiie.web.shared.requests import members_only, signed_in
from sophiie.web.shared.shown_times import weekday_of_year

# So many days left out are named one by one.
MAX_NAMED = 4
MAX_TOLD = 3


@dataclass(frozen=True)
class Asked:
    """A question of the clocks: the name of its field, its texts, and the answers to choose from,
    each with its words and whether it is chosen."""

    name: str
    texts: list[str]
    choices: list[tuple[str, str, bool]]


@dataclass(frozen=True)
class Said:
    """`days`: when the visits begin. `taken`: those at whose time somebody is not free."""

    words: str = ""
    problem: str = ""
    days: list[tuple[datetime, bool]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return sum(is_taken for _day, is_taken in self.days)


@members_only
@require_GET
def repeat_said(request: HttpRequest) -> HttpResponse:
    """The fragment below *Repeat*; empty while the form is incomplete or does not repeat."""
    member = signed_in(request)
    said = said_of(request.GET, member)
    return render(request, "appointments/_repeat_said.html", {"said": said})


def said_of(sent: QueryDict, member: Member) -> Said:
    repeat = RepeatForm(sent, business=member.business)
    if not repeat.asks:
        return Said()
    form = AppointmentForm(sent, by=member)
    form.is_valid()
    return saying(form, repeat)


def saying(form: AppointmentForm, repeat: RepeatForm) -> Said:
    """What there is to say of two forms that were checked."""
    if not repeat.is_valid() or not hasattr(form, "details"):
        return Said(problem=_first_error(repeat))
    details, fold = form.details, form.cleaned_data.get("fold") or ""
    try:
        timing = repeat.timing(details.start, details.end, details.timezone, fold=fold)
    except InvalidSeries as refusal:
        return Said(problem=str(next(iter(refusal.errors.values()))))
    asked = questions_of(timing)
    try:
        visits = planned_visits(timing)
    except ClocksAsk:
        return Said(words=sentence(timing, []), asked=asked)
    except InvalidSeries as refusal:
        return Said(problem=str(next(iter(refusal.errors.values()))), asked=asked)
    team = [] if "assignees" in form.errors else form.chosen_assignees
    return Said(
        words=sentence(timing, visits), days=_with_taken(visits, team, timing.zone), asked=asked
    )


def _first_error(repeat: RepeatForm) -> str:
    return str(next((said[0] for said in repeat.errors.values()), ""))


def _with_taken(
    visits: Sequence[Planned], team: list[Member], zone: str
) -> list[tuple[datetime, bool]]:
    periods = [(visit.start, visit.end) for visit in visits]
    found: list[Any] = [[] for _visit in visits]
    if team:
        found = list(conflicts_at(team=team, periods=periods, timezone=zone, only_looking=True))
    return [
        (in_zone(visit.start, zone), bool(obstacles))
        for visit, obstacles in zip(visits, found, strict=True)
    ]


def questions_of(timing: Timing) -> list[Asked]:
    """What the clocks ask of this series, with what was answered already."""
    try:
        planned_visits(replace(timing, answers=NOT_ASKED))
    except ClocksAsk as ask:
        return asked_in(ask.questions, timing.answers)
    except InvalidSeries:
        pass
    return []


def asked_in(questions: Sequence[Question], answers: ClockAnswers = NOT_ASKED) -> list[Asked]:
    """The questions of each kind as one, with the answer that was given to it."""
    return [
        *_asked("clocks_skipped", [q for q in questions if not q.doubled], answers),
        *_asked("clocks_doubled", [q for q in questions if q.doubled], answers),
    ]


def _asked(name: str, questions: list[Question], answers: ClockAnswers) -> list[Asked]:
    if not questions:
        return []
    given = answers.skipped if name == "clocks_skipped" else answers.doubled
    return [
        Asked(
            name,
            [question.text for question in questions[:MAX_TOLD]],
            [(value, words, value == given) for value, words in clock_choices(questions[0])],
        )
    ]


def sentence(timing: Timing, visits: Sequence[Planned]) -> str:
    """Every 2 weeks on Tuesday, 10 times; the first on Tue 1 Dec 2026, the last on …."""
    words = in_words(timing.rule)
    parts = [words[:1].upper() + words[1:]]
    if timing.left_out:
        parts.append(_without(timing))
    said = ", ".join(parts)
    if not visits:
        return said + "."
    first, last = (in_zone(one.start, timing.zone) for one in (visits[0], visits[-1]))
    ends = {"first": weekday_of_year(first), "last": weekday_of_year(last), "n": len(visits)}
    if timing.rule.is_open_ended:
        more = ngettext(
            "the first on %(first)s. It has no end: %(n)s visit is made at once, until %(last)s, "
            "and more as time goes on.",
            "the first on %(first)s. It has no end: %(n)s visits are made at once, until %(last)s, "
            "and more as time goes on.",
            len(visits),
        )
        return f"{said}; {more % ends}"
    if len(visits) == 1:
        more = _("only on %(first)s")
    elif timing.rule.until is not None:
        more = _("%(n)s visits, the first on %(first)s, the last on %(last)s")
    else:
        more = _("the first on %(first)s, the last on %(last)s")
    return f"{said}; {more % ends}."


def _without(timing: Timing) -> str:
    if len(timing.left_out) > MAX_NAMED:
        words = ngettext("without %(n)s day", "without %(n)s days", len(timing.left_out))
        return words % {"n": len(timing.left_out)}
    return _("without %(days)s") % {"days": days_in_words(timing.left_out)}
