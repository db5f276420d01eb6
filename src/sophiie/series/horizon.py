"""How far ahead the visits of a series without an end exist: twelve months."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dateutil.relativedelta import relativedelta

from sophiie.common.wall_time import in_zone
from sophiie.series.planning import Timing

MONTHS_AHEAD = 12


def horizon(timing: Timing, moment: datetime) -> date:
    """The day up to which an open-ended series is planned, from now or from its first visit."""
    today = in_zone(moment, timing.zone).date()
    return a_year_after(max(today, timing.first.date()))


def a_year_after(day: date) -> date:
    """The last day of the twelve months that begin with this one."""
    return day + relativedelta(months=MONTHS_AHEAD) - timedelta(days=1)
