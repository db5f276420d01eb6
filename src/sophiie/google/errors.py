"""What Google's answers mean: the meaning, not the status, decides what happens next.

    GoogleError
     ├─ Unreachable        no answer, an unusable one, or 5xx: a write may have happened; try again
     ├─ RateLimited        too many calls in this minute; wait a little and try again
     ├─ UsageLimited       the account's calendar takes no writes for hours; park them
     ├─ DayUsedUp          the project's calls of this day are used up; go on when the next begins
     ├─ AccessLost         the grant is dead or too small; only the person can mend it
     ├─ CalendarLost       the calendar is gone or may not be written; only the person can mend it
     ├─ AlreadyExists      an event with this id exists or existed
     ├─ EventGone          the event (or its calendar) is not there
     ├─ SyncTokenExpired   that token no longer yields changes; list everything anew
     ├─ Forbidden          this one object must not be changed
     ├─ Stale              it changed since we read it, or is being changed; try again
     ├─ Misconfigured      our OAuth client or project is at fault, not the person
     └─ Refused            Google does not accept the content: a bug of ours, or a limit of theirs

Sources: developers.google.com/workspace/calendar/api/guides/errors and the OAuth 2.0 pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class GoogleError(Exception):
    """An answer that is not the one hoped for. `reason` is Google's own word for it."""

    def __init__(
        self, message: str, *, status: int = 0, reason: str = "", retry_after: float | None = None
    ) -> None:
        self.status, self.reason, self.retry_after = status, reason, retry_after
        super().__init__(message)


class Unreachable(GoogleError):
    pass


class RateLimited(GoogleError):
    pass


class UsageLimited(GoogleError):
    pass


class DayUsedUp(GoogleError):
    pass


class AccessLost(GoogleError):
    pass


class CalendarLost(GoogleError):
    pass


class AlreadyExists(GoogleError):
    pass


class EventGone(GoogleError):
    pass


class SyncTokenExpired(GoogleError):
    pass


class Forbidden(GoogleError):
    pass


class Stale(GoogleError):
    pass


class Misconfigured(GoogleError):
    pass


class Refused(GoogleError):
    pass


# A reason is looked up before the status, because 403 alone says nothing.
_BY_REASON: dict[str, type[GoogleError]] = {
    "rateLimitExceeded": RateLimited,
    "userRateLimitExceeded": RateLimited,
    "RATE_LIMIT_EXCEEDED": RateLimited,
    "quotaExceeded": UsageLimited,
    "dailyLimitExceeded": DayUsedUp,
    "authError": AccessLost,
    "insufficientPermissions": AccessLost,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": AccessLost,
    "notACalendarUser": AccessLost,
    "requiredAccessLevel": CalendarLost,
    "accessNotConfigured": Misconfigured,
    "SERVICE_DISABLED": Misconfigured,
    # 410 as well, but another matter than an event that is gone. Source: the guides to
    # synchronisation and to errors.
    "fullSyncRequired": SyncTokenExpired,
    "updatedMinTooLongAgo": SyncTokenExpired,
    # 409 as well, but a clash of two calls at the same moment: nothing exists that should not.
    "conflict": Stale,
    "backendError": Unreachable,
    "internalError": Unreachable,
}
_BY_STATUS: dict[int, type[GoogleError]] = {
    401: AccessLost,
    403: Forbidden,
    404: EventGone,
    408: Unreachable,
    409: AlreadyExists,
    410: EventGone,
    412: Stale,
    429: RateLimited,
}
# The domain of every limit on use, also of those whose reason is new to us.
_LIMITS = "usageLimits"
_LATER = (RateLimited, UsageLimited, DayUsedUp)
_OF_A_DAY = ("daily", "per day", "perday")
# RFC 6749 5.2 and Google's additions.
_BY_OAUTH_ERROR: dict[str, type[GoogleError]] = {
    "invalid_grant": AccessLost,
    "admin_policy_enforced": AccessLost,
    "invalid_client": Misconfigured,
    "deleted_client": Misconfigured,
    "unauthorized_client": Misconfigured,
    "redirect_uri_mismatch": Misconfigured,
    "unsupported_grant_type": Misconfigured,
    "invalid_scope": Misconfigured,
    "invalid_request": Misconfigured,
    "internal_failure": Unreachable,
    "server_error": Unreachable,
    "temporarily_unavailable": Unreachable,
}


def calendar_error(status: int, body: str, headers: Mapping[str, str]) -> GoogleError:
    """The meaning of an error answer of the Calendar API, in either of its two JSON shapes.

    Its domain identifies a limit on use, whatever its reason: a delay is not a refusal.
    """
    error = _object(body).get("error")
    error = error if isinstance(error, dict) else {}
    items = [
        item
        for part in ("errors", "details")
        for item in _list(error.get(part))
        if isinstance(item, dict)
    ]
    reasons = [str(item["reason"]) for item in items if item.get("reason")]
    message = str(error.get("message") or f"HTTP {status}")
    kind = next((_BY_REASON[reason] for reason in reasons if reason in _BY_REASON), None)
    if status >= 500:
        kind = Unreachable
    elif status == 429 or (kind in (None, *_LATER) and _names_a_limit(items, status)):
        kind = _of_limit(kind, f"{message} {json.dumps(items)}")
    kind = kind or _BY_STATUS.get(status, Refused)
    return kind(
        message[:300],
        status=status,
        reason=reasons[0] if reasons else "",
        retry_after=_retry_after(headers),
    )


def _names_a_limit(items: list[dict[str, Any]], status: int) -> bool:
    return status == 403 and any(item.get("domain") == _LIMITS for item in items)


def _of_limit(kind: type[GoogleError] | None, text: str) -> type[GoogleError]:
    """Which limit it is. That of a day shows in the reason or, in live answers, only in the name of
    the quota in the message."""
    if any(word in text.casefold() for word in _OF_A_DAY):
        return DayUsedUp
    return kind if kind in _LATER else RateLimited


def oauth_error(status: int, body: str, headers: Mapping[str, str]) -> GoogleError:
    """The meaning of an error answer of the token or revocation endpoint.

    An unknown error concerns the grant, and so the link, but never the events. An answer in another
    form did not come from the endpoint but from something on the way.
    """
    answer = _object(body)
    reason = answer.get("error")
    reason = reason if isinstance(reason, str) else ""
    kind = _BY_OAUTH_ERROR.get(reason)
    if status >= 500:
        kind = Unreachable
    elif status in (408, 429):
        kind = _BY_STATUS[status]
    elif kind is None and status == 401:
        kind = Misconfigured
    elif kind is None:
        kind = AccessLost if "error" in answer else Unreachable
    message = str(answer.get("error_description") or reason or f"HTTP {status}")
    return kind(message[:300], status=status, reason=reason, retry_after=_retry_after(headers))


def _object(body: str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:  # empty, HTML or cut off: the status has to do
        return {}
    return answer if isinstance(answer, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return None
