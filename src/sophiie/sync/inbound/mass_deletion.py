"""When so much is gone at once that it looks like an error, the person is asked.

A calendar that is suddenly empty is believed by nobody: nothing is noted as deleted and nothing
becomes free. The question stays until the events are there again, or the person says that it is
meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.reasons import NO_REASON, Reason, keep
from sophiie.sync.messages import APPOINTMENTS_GONE, BUSY_TIME_GONE
from sophiie.sync.models import WatchedCalendar

MANY_GONE = 5


@dataclass(frozen=True)
class Doubt:
    """A reading that is not believed: `gone` of `all_of_them` are not there any more, of our own
    events or of those that keep the member busy."""

    gone: int
    all_of_them: int
    own: bool

    @property
    def reason(self) -> Reason:
        sentence = APPOINTMENTS_GONE if self.own else BUSY_TIME_GONE
        return sentence.with_values(gone=self.gone, all=self.all_of_them)


def doubt(gone: int, all_of_them: int, *, meant: int, own: bool = True) -> Doubt | None:
    """Whether so much is gone that it is not believed; the person said it of `meant` of them."""
    if gone < MANY_GONE or gone * 2 <= all_of_them or gone <= meant:
        return None
    return Doubt(gone, all_of_them, own)


def ask_the_person(watched: WatchedCalendar, doubted: Doubt, moment: datetime) -> None:
    """Notes the question; one that is open already keeps its date, and loses an answer that was
    given to less."""
    watched.missing, watched.missing_is_meant = doubted.gone, False
    watched.missing_since = watched.missing_since or moment
    keep(watched, "error", doubted.reason)


def ask_no_more(watched: WatchedCalendar) -> None:
    watched.missing, watched.missing_since, watched.missing_is_meant = 0, None, False
    keep(watched, "error", NO_REASON)


def say_it_is_meant(link: CalendarLink) -> bool:
    """The person's answer: what is missing was deleted on purpose. False if nothing is asked.

    It is believed by the next reading, and of no more than the person was told of.
    """
    asked = WatchedCalendar.objects.filter(link=link, missing__gt=0)
    return bool(asked.update(missing_is_meant=True, next_read_at=now()))
