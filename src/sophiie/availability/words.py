"""Times and lengths as people say them, in the clocks of a zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils.dateformat import format as as_text
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from sophiie.common.shown_clock import all_day, clock
from sophiie.common.wall_time import in_zone, whole_days


def length(time: timedelta) -> str:
    """A length in the largest unit that divides it: "2 hours", "90 minutes"."""
    minutes = int(time.total_seconds()) // 60
    if not minutes % (24 * 60):
        n = minutes // (24 * 60)
        return ngettext("%(n)s day", "%(n)s days", n) % {"n": n}
    if not minutes % 60:
        n = minutes // 60
        return ngettext("%(n)s hour", "%(n)s hours", n) % {"n": n}
    return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}


def day_words(day: date) -> str:
    return as_text(day, pgettext("date as Django writes it", "l j F Y"))


def at(moment: datetime, zone: str) -> str:
    wall = in_zone(moment, zone)
    return _("%(time)s on %(day)s") % {
        "time": clock(wall),
        "day": day_words(wall.date()),
    }


def times(start: datetime, end: datetime, zone: str) -> str:
    """From when to when; the day only once if both are on it."""
    if days := whole_days(start, end, zone):
        return all_day(*days)
    first, last = in_zone(start, zone), in_zone(end, zone)
    if first.date() == last.date():
        return _("%(time)s on %(day)s") % {
            "time": f"{clock(first)}–{clock(last)}",
            "day": day_words(first.date()),
        }
    return _("from %(first)s to %(last)s") % {"first": at(start, zone), "last": at(end, zone)}
