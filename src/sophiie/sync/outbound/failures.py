"""What a failure means: why, in words for the person, and when it is worth another attempt."""

from __future__ import annotations

import random
from datetime import timedelta

from sophiie.common.clock import now
from sophiie.common.reasons import Reason
from sophiie.google.errors import (
    AccessLost,
    CalendarLost,
    DayUsedUp,
    GoogleError,
    Misconfigured,
    RateLimited,
    Stale,
    Unreachable,
    UsageLimited,
)
from sophiie.sync.due import until_the_quotas_next_day
from sophiie.sync.messages import (
    CRASHED,
    DAY_USED_UP,
    LINK_BROKEN,
    MISCONFIGURED,
    REFUSED_BY_GOOGLE,
    SLOW_DOWN,
    UNREACHABLE,
    USAGE_LIMIT,
    answer_of,
)

MAX_PAUSE = timedelta(minutes=5)
USAGE_LIMIT_PAUSE = timedelta(hours=1)
# What Google refused today, for a reason unknown to us, it may accept tomorrow.
REFUSAL_PAUSE = timedelta(days=1)


def meaning(failure: Exception, attempts: int) -> tuple[Reason, timedelta | None]:
    """Why, for the person, and how long to wait before trying again (None: give up)."""
    match failure:
        case UsageLimited():
            return USAGE_LIMIT, USAGE_LIMIT_PAUSE
        case DayUsedUp():
            return DAY_USED_UP, until_the_quotas_next_day(now())
        case RateLimited():
            return SLOW_DOWN, _pause(attempts, failure.retry_after)
        case Unreachable() | Stale():
            return UNREACHABLE, _pause(attempts, failure.retry_after)
        case Misconfigured():
            return MISCONFIGURED, MAX_PAUSE
        case AccessLost() | CalendarLost():
            # The link changes its state; until it is mended nothing is tried.
            return LINK_BROKEN, timedelta()
        case GoogleError():
            return REFUSED_BY_GOOGLE.with_values(answer=answer_of(failure)), None
        case _:
            return CRASHED, _pause(attempts, None)


def _pause(attempts: int, retry_after: float | None) -> timedelta:
    """Truncated exponential backoff with jitter, or what Google asked for if that is longer."""
    seconds = min(2.0 ** min(attempts - 1, 16), MAX_PAUSE.total_seconds())
    seconds *= random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, protects nothing
    return timedelta(seconds=max(seconds, min(retry_after or 0.0, 3600.0)))
