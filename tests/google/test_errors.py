"""The meaning of Google's answers: one table that covers those of Calendar and of OAuth."""

from __future__ import annotations

import json

import pytest

from sophiie.google.errors import (
    AccessLost,
    AlreadyExists,
    CalendarLost,
    DayUsedUp,
    EventGone,
    Forbidden,
    GoogleError,
    Misconfigured,
    RateLimited,
    Refused,
    Stale,
    SyncTokenExpired,
    Unreachable,
    UsageLimited,
    calendar_error,
    oauth_error,
)


def backend(reason: str, message: str = "…") -> str:
    """The shape of the Calendar service itself."""
    error = {"errors": [{"domain": "global", "reason": reason, "message": message}]}
    return json.dumps({"error": {**error, "code": 400, "message": message}})


def limit(reason: str, message: str = "…") -> str:
    """What is refused because of a limit on use, whichever it is."""
    error = {"errors": [{"domain": "usageLimits", "reason": reason, "message": message}]}
    return json.dumps({"error": {**error, "code": 403, "message": message}})


def front_end(reason: str, detail: str) -> str:
    """The shape of the servers before it: with `status` and `details`."""
    return json.dumps(
        {
            "error": {
                "code": 403,
                "message": "…",
                "errors": [{"reason": reason}],
                "status": "PERMISSION_DENIED",
                "details": [{"@type": "…ErrorInfo", "reason": detail}],
            }
        }
    )


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, backend("timeRangeEmpty"), Refused),
        (400, backend("invalid"), Refused),
        (400, backend("required"), Refused),
        (400, backend("badRequest"), Refused),
        (400, backend("parseError"), Refused),
        (400, backend("invalidParameter"), Refused),
        (400, backend("timeRangeTooLong"), Refused),
        (401, backend("authError"), AccessLost),
        (401, backend("required"), AccessLost),
        (403, backend("rateLimitExceeded"), RateLimited),
        (403, backend("userRateLimitExceeded"), RateLimited),
        (429, backend("rateLimitExceeded"), RateLimited),
        (429, "", RateLimited),
        (408, "", Unreachable),
        (403, backend("quotaExceeded"), UsageLimited),
        (403, limit("dailyLimitExceeded"), DayUsedUp),
        (403, limit("dailyLimitExceededUnreg"), DayUsedUp),
        (403, backend("dailyLimitExceeded"), DayUsedUp),
        (429, limit("dailyLimitExceeded"), DayUsedUp),
        (403, limit("rateLimitExceeded", "… and limit 'Queries per day' of service …"), DayUsedUp),
        (403, limit("variableTermLimitExceeded"), RateLimited),
        (403, limit("aReasonOfTomorrow"), RateLimited),
        (429, backend("aReasonOfTomorrow"), RateLimited),
        (429, backend("authError"), RateLimited),
        (429, limit("quotaExceeded"), UsageLimited),
        (403, limit("quotaExceeded"), UsageLimited),
        (403, limit("accessNotConfigured"), Misconfigured),
        (400, limit("aReasonOfTomorrow"), Refused),
        (503, limit("dailyLimitExceeded"), Unreachable),
        (403, backend("insufficientPermissions"), AccessLost),
        (403, front_end("other", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), AccessLost),
        (403, front_end("forbidden", "SERVICE_DISABLED"), Misconfigured),
        (403, backend("forbidden"), Forbidden),
        (403, backend("requiredAccessLevel"), CalendarLost),
        (403, backend("forbiddenForNonOrganizer"), Forbidden),
        (403, backend("forbiddenForServiceAccounts"), Forbidden),
        (403, backend("cannotUnsubscribeFromOwnedCalendar"), Forbidden),
        (403, backend("accessNotConfigured"), Misconfigured),
        (403, backend("notACalendarUser"), AccessLost),
        (403, "<html>", Forbidden),
        (404, backend("notFound"), EventGone),
        (409, backend("duplicate"), AlreadyExists),
        (409, backend("conflict"), Stale),
        (410, backend("deleted"), EventGone),
        (410, backend("updatedMinTooLongAgo"), SyncTokenExpired),
        (410, backend("fullSyncRequired"), SyncTokenExpired),
        (412, backend("conditionNotMet"), Stale),
        (500, backend("backendError"), Unreachable),
        (502, "<html><title>502</title>", Unreachable),
        (503, "", Unreachable),
        (504, '{"error": {"errors": [{"rea', Unreachable),
        (500, backend("authError"), Unreachable),  # a 5xx is never the person's fault
        (302, "", Refused),
        (400, "[]", Refused),
        (400, '{"error": "text"}', Refused),
        (400, '{"error": {"errors": ["text", {"reason": null}], "details": null}}', Refused),
    ],
)
def test_calendar(status: int, body: str, meaning: type[GoogleError]) -> None:
    error = calendar_error(status, body, {})
    assert type(error) is meaning
    assert error.status == status
    assert str(error)


def grant(description: str) -> str:
    return json.dumps({"error": "invalid_grant", "error_description": description})


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (400, grant("Token has been expired or revoked."), AccessLost),
        (400, grant("Bad Request"), AccessLost),
        (400, grant("Malformed auth code."), AccessLost),
        (400, grant("The account has been deleted"), AccessLost),
        (400, '{"error": "invalid_grant", "error_subtype": "rapt_required"}', AccessLost),
        (400, '{"error": "invalid_grant", "error_subtype": "invalid_rapt"}', AccessLost),
        (400, '{"error": "admin_policy_enforced"}', AccessLost),
        (401, '{"error": "invalid_client"}', Misconfigured),
        (401, "", Misconfigured),
        (400, '{"error": "deleted_client"}', Misconfigured),
        (400, '{"error": "unauthorized_client"}', Misconfigured),
        (400, '{"error": "redirect_uri_mismatch"}', Misconfigured),
        (400, '{"error": "unsupported_grant_type"}', Misconfigured),
        (400, '{"error": "invalid_scope"}', Misconfigured),
        (400, '{"error": "invalid_request"}', Misconfigured),
        (400, '{"error": "server_error"}', Unreachable),
        (400, '{"error": "internal_failure"}', Unreachable),
        (400, '{"error": "temporarily_unavailable"}', Unreachable),
        (429, "", RateLimited),
        (408, '{"error": "invalid_grant"}', Unreachable),
        (499, '{"error": "invalid_grant"}', AccessLost),
        (500, '{"error": "invalid_grant"}', Unreachable),
        (503, "<html>", Unreachable),
        # A word that is new to us is the link's trouble.
        (400, '{"error": {"code": 400}}', AccessLost),
        (400, '{"error": "a_word_of_tomorrow"}', AccessLost),
        (403, '{"error": "access_denied"}', AccessLost),
        (404, '{"error": "not_found"}', AccessLost),
        (429, '{"error": "invalid_grant"}', RateLimited),
        # And what has another form comes from somebody on the way.
        (403, "<html>Captive portal</html>", Unreachable),
        (404, "", Unreachable),
        (302, "", Unreachable),
    ],
)
def test_oauth(status: int, body: str, meaning: type[GoogleError]) -> None:
    assert type(oauth_error(status, body, {})) is meaning


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("-3", 0.0), ("soon", None), ("", None)]
)
def test_retry_after(header: str, seconds: float | None) -> None:
    assert calendar_error(429, "", {"Retry-After": header}).retry_after == seconds
