"""How dates and times are written for the reader: in their language, on their clock.

All moments are already in the right zone; nothing here converts.
"""

from __future__ import annotations

from datetime import date, datetime

from django.utils.dateformat import format as as_text
from django.utils.dateformat import time_format
from django.utils.translation import pgettext

from sophiie.common.shown_clock import clock as clock
from sophiie.common.shown_clock import clock_of as clock_of
from sophiie.common.shown_clock import twelve_hours as twelve_hours


def clock_to_the_second(moment: datetime) -> str:
    if not twelve_hours():
        return time_format(moment, "H:i:s")
    return time_format(moment, "g:i:s") + (" am" if moment.hour < 12 else " pm")


def day(moment: date) -> str:
    """26 Nov 2026."""
    return as_text(moment, pgettext("date as Django writes it", "j M Y"))


def long_day(moment: date) -> str:
    """26 November 2026."""
    return as_text(moment, pgettext("date as Django writes it", "j F Y"))


def long_day_of_this_year(moment: date) -> str:
    """26 November."""
    return as_text(moment, pgettext("date as Django writes it", "j F"))


def short_day(moment: date) -> str:
    """26 Nov."""
    return as_text(moment, pgettext("date as Django writes it", "j M"))


def weekday(moment: date) -> str:
    """Thu 26 Nov."""
    return as_text(moment, pgettext("date as Django writes it", "D j M"))


def long_weekday(moment: date) -> str:
    """Thursday, 26 November 2026."""
    return as_text(moment, pgettext("date as Django writes it", "l, j F Y"))


def weekday_of_year(moment: date) -> str:
    """Thu 26 Nov 2026."""
    return as_text(moment, pgettext("date as Django writes it", "D j M Y"))


def moment(when: datetime) -> str:
    """26 Nov 2026, 14:30."""
    return f"{day(when)}, {clock(when)}"


def short_moment(when: datetime) -> str:
    """26 Nov, 14:30."""
    return f"{short_day(when)}, {clock(when)}"


def weekday_moment(when: datetime) -> str:
    """Thu 26 Nov, 14:30."""
    return f"{weekday(when)}, {clock(when)}"


def weekday_moment_of_year(when: datetime) -> str:
    """Thu 26 Nov 2026, 14:30."""
    return f"{weekday_of_year(when)}, {clock(when)}"
