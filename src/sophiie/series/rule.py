"""The rule of a series: which days. A subset of RFC 5545's recurrence rules, in both directions.

Pure. Days are days of the series' own zone; `planning.py` makes instants of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from dateutil import rrule
from dateutil.rrule import rrulebase
from django.utils.translation import gettext as _

from sophiie.common.wall_time import in_zone
from sophiie.series.errors import InvalidSeries

MAX_VISITS = 366
MAX_INTERVAL = 99
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
LAST = -1
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL", "WKST"}


class Frequency(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class ShortMonths(StrEnum):
    """What happens in a month that has no 31st, or no 29 February: no visit, or its last day."""

    SKIP = "skip"
    LAST_DAY = "last_day"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Every `interval` days, weeks on `weekdays` (0 is Monday), or months.

    A month's day is its `day` or its `nth` `weekday` (1 to 4, or -1 for the last). It ends after
    `count` visits, with `until` (a day that counts), or not at all.
    """

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    day: int | None = None
    nth: int | None = None
    weekday: int | None = None
    count: int | None = None
    until: date | None = None
    short_months: ShortMonths = ShortMonths.SKIP
    week_start: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "weekdays", tuple(sorted(set(self.weekdays))))
        if errors := _errors_of(self):
            raise InvalidSeries({"rule": " ".join(errors)})

    @property
    def is_open_ended(self) -> bool:
        return self.count is None and self.until is None

    def days(self, first: date) -> Iterator[date]:
        """The days of the rule from `first` on, without regard to `count`; `until` counts."""
        last = min(self.until or LAST_DAY, LAST_DAY)
        for moment in self._endless(first, last):
            yield moment.date()

    def _endless(self, first: date, last: date) -> rrulebase:
        how: dict[str, Any] = {
            "dtstart": datetime.combine(first, time()),
            "until": datetime.combine(last, time()),
            "interval": self.interval,
            "wkst": self.week_start,
        }
        if self.frequency == Frequency.DAILY:
            return rrule.rrule(rrule.DAILY, **how)
        if self.frequency == Frequency.WEEKLY:
            return rrule.rrule(rrule.WEEKLY, byweekday=self.weekdays, **how)
        if self.nth is not None and self.weekday is not None:
            return rrule.rrule(
                rrule.MONTHLY, byweekday=rrule.weekday(self.weekday, self.nth), **how
            )
        assert self.day is not None
        if self.day > 28 and self.short_months == ShortMonths.LAST_DAY:
            # Of the days from the 28th to the one that is meant, the last that the month has.
            days = range(28, self.day + 1)
            return rrule.rrule(rrule.MONTHLY, bymonthday=tuple(days), bysetpos=LAST, **how)
        return rrule.rrule(rrule.MONTHLY, bymonthday=self.day, **how)

    def ending(self, *, count: int | None = None, until: date | None = None) -> Rule:
        """The same days with another end."""
        return replace(self, count=count, until=until)

    def moved(self, before: date, after: date) -> Rule:
        """The rule by which a visit of the day `before` falls on `after`, and the others follow."""
        if before == after or self.frequency == Frequency.DAILY:
            return self
        if self.frequency == Frequency.WEEKLY:
            by = after.toordinal() - before.toordinal()
            # With the week itself, or a visit would fall into a week that is not its turn.
            return replace(
                self,
                weekdays=tuple((day + by) % 7 for day in self.weekdays),
                week_start=(self.week_start + by) % 7 if self.interval > 1 else self.week_start,
            )
        if self.nth is None:
            return replace(self, day=after.day)
        return replace(self, nth=nth_of(after), weekday=after.weekday())

    def as_text(self) -> str:
        """The rule as RFC 5545 writes it. How short months are handled is no part of that."""
        parts = [f"FREQ={self.frequency.value.upper()}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.weekdays:
            parts.append("BYDAY=" + ",".join(_DAYS[day] for day in self.weekdays))
        if self.nth is not None and self.weekday is not None:
            parts.append(f"BYDAY={self.nth}{_DAYS[self.weekday]}")
        if self.day is not None:
            parts.append(f"BYMONTHDAY={self.day}")
        if self.week_start:
            parts.append(f"WKST={_DAYS[self.week_start]}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        if self.until is not None:
            parts.append(f"UNTIL={self.until:%Y%m%d}")
        return ";".join(parts)


def nth_of(day: date) -> int:
    """Which of its weekday it is in its month; a fifth is the last."""
    nth = (day.day - 1) // 7 + 1
    return LAST if nth == 5 else nth


def _errors_of(rule: Rule) -> list[str]:
    errors = []
    if not 1 <= rule.interval <= MAX_INTERVAL:
        errors.append(_("INTERVAL is 1 to %(most)s.") % {"most": MAX_INTERVAL})
    if rule.count is not None and not 1 <= rule.count <= MAX_VISITS:
        errors.append(_("COUNT is 1 to %(most)s.") % {"most": MAX_VISITS})
    if rule.count is not None and rule.until is not None:
        errors.append(_("A rule ends with COUNT or with UNTIL, not with both."))
    if not all(0 <= day <= 6 for day in (*rule.weekdays, rule.week_start, rule.weekday or 0)):
        errors.append(_("A weekday is one of MO, TU, WE, TH, FR, SA and SU."))
    is_monthly = rule.frequency == Frequency.MONTHLY
    if (rule.frequency == Frequency.WEEKLY) != bool(rule.weekdays):
        errors.append(_("Weekdays belong to a weekly rule, and it needs at least one."))
    by_weekday = rule.nth is not None and rule.weekday is not None
    if is_monthly == ((rule.day is not None) == by_weekday) or (
        (rule.nth is None) != (rule.weekday is None)
    ):
        errors.append(_("A monthly rule, and no other, needs one day of the month."))
    if rule.day is not None and not 1 <= rule.day <= 31:
        errors.append(_("BYMONTHDAY is 1 to 31, or -1 for the last day."))
    if rule.nth is not None and rule.nth not in (1, 2, 3, 4, LAST):
        errors.append(
            _("Months have a first to a fourth of each weekday, and a last one: use -1 for it.")
        )
    return errors


def read(
    text: str,
    *,
    first: datetime,
    zone: str,
    short_months: ShortMonths = ShortMonths.SKIP,
) -> Rule:
    """The rule that an RRULE means for a series whose first visit begins at `first` on the clocks
    of `zone`. What it does not say, such as the weekday, is that of the first visit.

    Raises `InvalidSeries` for what is no RRULE and for what is not in our subset of it.
    """
    parts = _parts(text)
    try:
        frequency = Frequency(parts["FREQ"].lower())
    except (KeyError, ValueError):
        raise _refused(_("FREQ is DAILY, WEEKLY or MONTHLY.")) from None
    plain: dict[str, Any] = {
        "frequency": frequency,
        "interval": _number(parts, "INTERVAL", 1),
        "count": _number(parts, "COUNT", None),
        "until": _until(parts["UNTIL"], first, zone) if "UNTIL" in parts else None,
        "week_start": _weekday(parts.get("WKST", "MO")),
        "short_months": short_months,
    }
    by_day = parts["BYDAY"].split(",") if "BYDAY" in parts else []
    if frequency == Frequency.WEEKLY and "BYMONTHDAY" not in parts:
        days = tuple(map(_weekday, by_day)) or (first.weekday(),)
        return Rule(**plain, weekdays=days)
    if frequency == Frequency.MONTHLY:
        return Rule(**plain | _of_month(parts, by_day, first))
    if by_day or "BYMONTHDAY" in parts:
        raise _refused(
            _("Give BYDAY with FREQ=WEEKLY or MONTHLY, and BYMONTHDAY with FREQ=MONTHLY.")
        )
    return Rule(**plain)


def _parts(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            raise _refused(_("Write it like FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=10."))
        if name not in _PARTS:
            known = ", ".join(sorted(_PARTS))
            words = _("%(name)s is not supported. These are: %(known)s.")
            raise _refused(words % {"name": name[:40], "known": known})
        parts[name] = value
    return parts


def _of_month(parts: dict[str, str], by_day: list[str], first: datetime) -> dict[str, Any]:
    if by_day and "BYMONTHDAY" in parts:
        raise _refused(_("Give BYDAY or BYMONTHDAY, not both."))
    if not by_day:
        day = _number(parts, "BYMONTHDAY", first.day)
        # The last day of each month is the 31st that short months move.
        return {"day": 31, "short_months": ShortMonths.LAST_DAY} if day == LAST else {"day": day}
    if len(by_day) > 1:
        raise _refused(_("A month has one BYDAY, such as 2TU or -1FR."))
    nth, weekday = by_day[0][:-2].removeprefix("+"), by_day[0][-2:]
    if nth not in ("1", "2", "3", "4", "-1"):
        raise _refused(_("A month has one BYDAY, such as 2TU or -1FR."))
    return {"nth": int(nth), "weekday": _weekday(weekday)}


def _number(parts: dict[str, str], name: str, otherwise: int | None) -> int | None:
    if name not in parts:
        return otherwise
    digits = parts[name].removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6):
        raise _refused(_("%(name)s is one whole number.") % {"name": name})
    return int(parts[name])


def _weekday(name: str) -> int:
    if name not in _DAYS:
        raise _refused(_("A weekday is one of MO, TU, WE, TH, FR, SA and SU."))
    return _DAYS.index(name)


def _until(text: str, first: datetime, zone: str) -> date:
    """The last day that counts. An instant ends the series before the first visit after it."""
    try:
        if len(text) == 8:
            return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day
        if text.endswith("Z"):
            moment = datetime.strptime(text, "%Y%m%dT%H%M%S%z")
            local = in_zone(moment, zone).replace(tzinfo=None)
        else:
            local = datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - of its clocks
        return local.date() - timedelta(days=local.time() < first.time())
    except (ValueError, OverflowError):
        raise _refused(_("UNTIL is a day, such as 20261231.")) from None


def _refused(words: str) -> InvalidSeries:
    return InvalidSeries({"rule": words})
