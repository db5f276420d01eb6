"""Asks the person when so much is gone at once that it looks like an error.

Nobody believes a calendar that is suddenly empty: no drift is noted and no time becomes free. Where
Google itself says that our events were deleted, no drift is noted either, but everything else in
the calendar is known. The question stays until the events are back, or the person says that they
were deleted on purpose.
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
    """A question to the person: `gone` of `all_of_them` have vanished, of our own events or of
    those that keep the member busy.

    `list_is_whole`: Google itself says that they were deleted, so only the purpose is in question.
    Otherwise the list may lack anything.
    """

    gone: int
    all_of_them: int
    own: bool
    list_is_whole: bool = False

    @property
    def reason(self) -> Reason:
        sentence = APPOINTMENTS_GONE if self.own else BUSY_TIME_GONE
        return sentence.with_values(gone=self.gone, all=self.all_of_them)


def find_doubt(gone: int, all_of_them: int, *, meant: int, own: bool = True) -> Doubt | None:
    """A doubt if more than half are gone, unless the person said it of so many (`meant`)."""
    if gone < MANY_GONE or gone * 2 <= all_of_them or gone <= meant:
        return None
    return Doubt(gone, all_of_them, own)


def ask_the_person(watched: WatchedCalendar, doubt: Doubt, moment: datetime) -> None:
    """Notes the question. One that is open keeps its date and loses any answer to a smaller one."""
    watched.missing, watched.missing_is_meant = doubt.gone, False
    watched.missing_since = watched.missing_since or moment
    keep(watched, "error", doubt.reason)


def ask_no_more(watched: WatchedCalendar) -> None:
    watched.missing, watched.missing_since, watched.missing_is_meant = 0, None, False
    keep(watched, "error", NO_REASON)


def say_it_is_meant(link: CalendarLink) -> bool:
    """The person's answer: what is missing was deleted on purpose. False if nothing was asked.

    The next poll believes it, but only of as many events as the question named.
    """
    asked = WatchedCalendar.objects.filter(link=link, missing__gt=0)
    return bool(asked.update(missing_is_meant=True, next_read_at=now()))
