"""A rule in plain words: every 2 weeks on Tuesday and Thursday, 10 times."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.utils.dateformat import format as as_text
from django.utils.dates import WEEKDAYS
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from sophiie.series.rule import LAST, Frequency, Rule, ShortMonths


def in_words(rule: Rule) -> str:
    """What the rule says, without a time of day."""
    words = _how_often(rule)
    if rule.count is not None:
        times = ngettext("%(n)s time", "%(n)s times", rule.count) % {"n": rule.count}
        return f"{words}, {times}"
    if rule.until is not None:
        until = as_text(rule.until, pgettext("date as Django writes it", "j F Y"))
        return f"{words}, " + _("until %(day)s") % {"day": until}
    return words


def _how_often(rule: Rule) -> str:
    often = _every(rule.interval, rule.frequency)
    if rule.frequency == Frequency.DAILY:
        return often
    if rule.frequency == Frequency.WEEKLY:
        days = get_text_list([str(WEEKDAYS[day]) for day in rule.weekdays], _("and"))
    else:
        days = _of_month(rule)
    return _("%(often)s on %(days)s") % {"often": often, "days": days}


def _every(n: int, frequency: Frequency) -> str:
    if n == 1:
        once = {
            Frequency.DAILY: _("every day"),
            Frequency.WEEKLY: _("every week"),
            Frequency.MONTHLY: _("every month"),
        }
        return once[frequency]
    more = {
        Frequency.DAILY: ngettext("every %(n)s day", "every %(n)s days", n),
        Frequency.WEEKLY: ngettext("every %(n)s week", "every %(n)s weeks", n),
        Frequency.MONTHLY: ngettext("every %(n)s month", "every %(n)s months", n),
    }
    return more[frequency] % {"n": n}


def _of_month(rule: Rule) -> str:
    if rule.nth is not None and rule.weekday is not None:
        weekday = str(WEEKDAYS[rule.weekday])
        if rule.nth == LAST:
            return _("the last %(weekday)s") % {"weekday": weekday}
        ordinals = [
            pgettext("Tuesday of a month", "the first"),
            pgettext("Tuesday of a month", "the second"),
            pgettext("Tuesday of a month", "the third"),
            pgettext("Tuesday of a month", "the fourth"),
        ]
        words = pgettext("the second Tuesday", "%(nth)s %(weekday)s")
        return words % {"nth": ordinals[rule.nth - 1], "weekday": weekday}
    if rule.day == 31 and rule.short_months == ShortMonths.LAST_DAY:
        return _("the last day")
    day = pgettext("day of each month", "day %(n)s") % {"n": rule.day}
    if rule.day is not None and rule.day > 28:
        if rule.short_months == ShortMonths.LAST_DAY:
            return _("%(day)s (in shorter months on the last day)") % {"day": day}
        return _("%(day)s (not in shorter months)") % {"day": day}
    return day


def days_in_words(days: Collection[date]) -> str:
    """The days that are left out, in order."""
    form = pgettext("date as Django writes it", "j F Y")
    return get_text_list([as_text(day, form) for day in sorted(days)], _("and"))
