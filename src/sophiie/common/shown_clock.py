"""How the time of day and whole days are written: on a clock of 24 or of 12 hours.

The choice belongs to the request, like Django's language; the API and the commands have 24 hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time

from django.utils.dateformat import format as as_text
from django.utils.dateformat import time_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

_twelve_hours: ContextVar[bool] = ContextVar("twelve_hours", default=False)


@contextmanager
def clock_of(*, twelve_hours: bool) -> Iterator[None]:
    """Inside this, times are written on this clock."""
    token = _twelve_hours.set(twelve_hours)
    try:
        yield
    finally:
        _twelve_hours.reset(token)


def twelve_hours() -> bool:
    """Whether to write 2:30 pm instead of 14:30."""
    return _twelve_hours.get()


def clock(moment: datetime | time) -> str:
    """14:30, or 2:30 pm."""
    if not twelve_hours():
        return time_format(moment, "H:i")
    # The same letters in every language of the product that uses this clock.
    return time_format(moment, "g:i") + (" am" if moment.hour < 12 else " pm")


def all_day(first: date, last: date) -> str:
    """all day, Wed 2 to Fri 4 December."""
    day = pgettext("date as Django writes it", "D j F")
    short = pgettext("date as Django writes it", "D j")
    if first == last:
        return _("all day, %(day)s") % {"day": as_text(first, day)}
    same_month = (first.year, first.month) == (last.year, last.month)
    return _("all day, %(first)s to %(last)s") % {
        "first": as_text(first, short if same_month else day),
        "last": as_text(last, day),
    }
