"""When the visits of a series are: instants, from a rule and the wall time of the first visit.

Pure. 09:00 stays 09:00 whatever the clocks do. A time that they skip or double is a question, and
nobody guesses the answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from django.utils.translation import gettext as _

from sophiie.appointments.rules import LATEST, LONGEST
from sophiie.common.wall_time import TimeDoesNotExist, TimeIsAmbiguous, in_zone, instant_of
from sophiie.series.errors import ClocksAsk, InvalidSeries, Question
from sophiie.series.rule import MAX_VISITS, Rule

DAY = timedelta(days=1)


class Skipped(StrEnum):
    """What becomes of a visit whose time the clocks skip."""

    LEAVE_OUT = "leave_out"
    EARLIER = "earlier"
    LATER = "later"


class Doubled(StrEnum):
    """Which of the two is meant when the clocks show a time twice."""

    FIRST = "first"
    SECOND = "second"


@dataclass(frozen=True)
class ClockAnswers:
    """What was answered; None: not asked yet."""

    skipped: Skipped | None = None
    doubled: Doubled | None = None


NOT_ASKED = ClockAnswers()


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When a series is: the wall time of its first visit, how long each takes, and the rule."""

    rule: Rule
    first: datetime  # naive: what the clocks of the zone show
    zone: str
    length: timedelta
    left_out: frozenset[date] = frozenset()
    answers: ClockAnswers = NOT_ASKED


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One visit as planned. Numbers count from 1."""

    number: int
    day: date
    start: datetime
    end: datetime


def plan(timing: Timing, *, through: date | None = None, number: int = 1) -> list[Planned]:
    """The visits in order, the first with this number; of an open-ended rule those up to the day
    `through`. Left-out days do not count as visits, so that ten times stay ten.

    Raises `InvalidSeries`, and `ClocksAsk` with all that has to be answered.
    """
    _check_length(timing.length)
    visits, questions = _plan(timing, through, number)
    if questions:
        raise ClocksAsk(questions)
    count = timing.rule.count
    if count is not None and len(visits) < count:
        raise _refused(_("This rule does not happen so often before the year 2100."))
    if not visits:
        raise _refused(_("This rule leads to no visit."))
    if any(after.start < before.end for before, after in pairwise(visits)):
        raise _refused(_("A visit must end before the next one begins."))
    return visits


def _plan(
    timing: Timing, through: date | None, number: int
) -> tuple[list[Planned], list[Question]]:
    visits: list[Planned] = []
    questions: list[Question] = []
    count = timing.rule.count
    for day in _days(timing, through):
        if count is not None and len(visits) + len(questions) >= count:
            break
        if len(visits) + len(questions) >= MAX_VISITS:
            if timing.rule.is_open_ended:
                break
            raise _refused(_("A series has at most %(most)s visits.") % {"most": MAX_VISITS})
        try:
            start = _start(timing, day)
        except (TimeDoesNotExist, TimeIsAmbiguous) as error:
            questions.append(_question(timing, day, error))
            continue
        if start is None:
            continue
        end = end_of(start, timing.length, timing.zone)
        if end >= LATEST:
            break
        visits.append(Planned(number=number + len(visits), day=day, start=start, end=end))
    return visits, questions


def _days(timing: Timing, through: date | None) -> Iterator[date]:
    for day in timing.rule.days(timing.first.date()):
        if through is not None and timing.rule.is_open_ended and day > through:
            return
        if day not in timing.left_out:
            yield day


def start_on(timing: Timing, day: date) -> datetime | None:
    """The instant of a visit on this day; None if it is left out because its time does not exist.

    Raises `ClocksAsk`.
    """
    try:
        return _start(timing, day)
    except (TimeDoesNotExist, TimeIsAmbiguous) as error:
        raise ClocksAsk([_question(timing, day, error)]) from None


def _start(timing: Timing, day: date) -> datetime | None:
    wall = datetime.combine(day, timing.first.time())
    answers = timing.answers
    fold = None if answers.doubled is None else int(answers.doubled == Doubled.SECOND)
    try:
        return instant_of(wall, timing.zone, fold=fold)
    except TimeDoesNotExist as error:
        if answers.skipped is None:
            raise
        if answers.skipped == Skipped.LEAVE_OUT:
            return None
        earlier, later = _beside_gap(error)
        return earlier if answers.skipped == Skipped.EARLIER else later


def _beside_gap(error: TimeDoesNotExist) -> tuple[datetime, datetime]:
    """The instants at which it would be by the clocks after the change, and by those before."""
    wall, by = error.wall, _width(error)
    return (
        instant_of(wall - by, error.zone, fold=0),
        instant_of(wall + by, error.zone, fold=0),
    )


def _width(error: TimeDoesNotExist) -> timedelta:
    before = datetime.combine(error.wall.date(), error.before)
    after = datetime.combine(error.wall.date(), error.after)
    return (after - before) % DAY or DAY


def _question(timing: Timing, day: date, error: TimeDoesNotExist | TimeIsAmbiguous) -> Question:
    doubled = isinstance(error, TimeIsAmbiguous)
    if isinstance(error, TimeIsAmbiguous):
        choices = error.choices
    else:
        earlier, later = _beside_gap(error)
        choices = (in_zone(earlier, timing.zone), in_zone(later, timing.zone))
    return Question(day, error.wall, doubled, choices, str(error))


def end_of(start: datetime, length: timedelta, zone: str) -> datetime:
    """When a visit ends: days are days of the calendar, hours are hours."""
    days, rest = divmod(length, DAY)
    if not days:
        return start + rest
    wall = in_zone(start, zone).replace(tzinfo=None) + days * DAY
    try:
        return instant_of(wall, zone, fold=0) + rest
    except TimeDoesNotExist as error:
        return _beside_gap(error)[1] + rest


def _check_length(length: timedelta) -> None:
    if length <= timedelta():
        raise InvalidSeries({"end": _("The end must be after the start.")})
    if length > LONGEST:
        words = _("An appointment can last %(n)s days at most.") % {"n": LONGEST.days}
        raise InvalidSeries({"end": words})


def _refused(words: str) -> InvalidSeries:
    return InvalidSeries({"rule": words})
