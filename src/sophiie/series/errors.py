"""Why a series cannot be as it was asked for.

SeriesError
 ├─ InvalidSeries     values that cannot be, by field
 ├─ UnknownSeries     no such series in this business
 ├─ ClocksAsk         the clocks skip or double some of its times; somebody has to choose
 ├─ VisitsInTheWay    some visits cannot be booked as they are planned
 ├─ NotWaiting        a day that could not be booked was answered meanwhile
 └─ CannotUndo        something was changed since
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.utils.dateformat import format as as_text
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from sophiie.appointments.errors import Conflict, Obstacle
from sophiie.common.shown_clock import clock

if TYPE_CHECKING:
    from sophiie.appointments.models import Appointment
    from sophiie.series.needs import Needs, Placed


class SeriesError(Exception):
    pass


class InvalidSeries(SeriesError):
    """`errors` holds one message for each field, under the API's names."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))


class UnknownSeries(SeriesError):
    """This business has no such series, or the series has no such visit."""


@dataclass(frozen=True)
class Question:
    """A time of the series that clocks do not show once: which one is meant? `choices` are the two
    instants of a doubled time, or the times nearest to a skipped one, the earlier first."""

    day: date
    wall: datetime
    doubled: bool
    choices: tuple[datetime, datetime]
    text: str


class ClocksAsk(SeriesError):
    """The clocks skip or double some of its times; nobody guesses what is meant."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = list(questions)
        super().__init__(" ".join(question.text for question in questions))

    @property
    def ask_skipped(self) -> bool:
        return any(not question.doubled for question in self.questions)

    @property
    def ask_doubled(self) -> bool:
        return any(question.doubled for question in self.questions)


@dataclass(frozen=True, kw_only=True)
class InTheWay:
    """A visit that cannot be booked as planned: why, and the nearest time that is free. What it
    `needs` decides which times are."""

    number: int
    day: date
    start: datetime
    end: datetime
    timezone: str
    obstacles: list[Obstacle]
    nearest: datetime | None = None
    needs: Needs | None = field(default=None, repr=False, compare=False)


class VisitsInTheWay(SeriesError):
    """Somebody is not free at some of the visits; nothing was booked or changed. The others would
    be `placed`, and no time is proposed beside them."""

    def __init__(self, visits: Sequence[InTheWay], of: int, placed: Sequence[Placed] = ()) -> None:
        self.visits, self.of, self.placed = list(visits), of, list(placed)
        words = ngettext(
            "%(n)s of %(of)s visits is not possible at its time.",
            "%(n)s of %(of)s visits are not possible at their times.",
            len(self.visits),
        )
        why = str(Conflict(self.visits[0].obstacles)) if self.visits else ""
        super().__init__(f"{words % {'n': len(self.visits), 'of': of}} {why}".strip())


class NotWaiting(SeriesError):
    """The day does not wait for an answer (any more); `booked` is what somebody booked for it."""

    def __init__(self, booked: Appointment | None = None) -> None:
        self.booked = booked
        if booked is None:
            words = _("No visit waits for an answer on this day: somebody may have given it.")
        else:
            words = _("Somebody has booked this visit already, on %(day)s at %(time)s.") % {
                "day": as_text(booked.local_start, pgettext("date as Django writes it", "j F Y")),
                "time": clock(booked.local_start),
            }
        super().__init__(words)


class CannotUndo(SeriesError):
    """Too late: a visit was changed since."""

    def __init__(self) -> None:
        super().__init__(_("This cannot be undone: a visit was changed since."))
