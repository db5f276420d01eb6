"""The ways in which Google fails, as the simulator's knob knows them."""

from __future__ import annotations

from typing import Any

SLOW = 0.03

# Name, then the fault. Each strikes a small, stated number of calls: never at random, so that a
# failing example fails again. First: the write happened or not, and nobody can tell.
LOST_ANSWERS: dict[str, dict[str, Any]] = {
    "error before the write": {"kind": "error", "status": 503},
    "error after the write": {"kind": "error", "status": 503, "when": "after"},
    "500 after the write": {"kind": "error", "status": 500, "reason": None, "when": "after"},
    "cut before the write": {"kind": "cut"},
    "cut after the write": {"kind": "cut", "when": "after"},
    "hangs, then cut, after the write": {"kind": "timeout", "seconds": SLOW, "when": "after"},
    "empty answer after the write": {"kind": "empty", "status": 200, "when": "after"},
    "empty 502": {"kind": "empty", "status": 502},
    "a page of HTML": {"kind": "html", "status": 502},
    "HTML with 200 after the write": {"kind": "html", "status": 200, "when": "after"},
    "slow": {"kind": "slow", "seconds": SLOW},
}
# Limits on use: the reasons that Google documents, and what the rest of this domain may bring.
QUOTAS: dict[str, dict[str, Any]] = {
    f"{status} {reason}": {
        "kind": "error",
        "status": status,
        "reason": reason,
        "domain": "usageLimits",
        "message": message,
        **more,
    }
    for status, reason, message, more in (
        (429, "rateLimitExceeded", "Rate Limit Exceeded", {"retry_after": 5}),
        (403, "rateLimitExceeded", "Rate Limit Exceeded", {}),
        (403, "userRateLimitExceeded", "User Rate Limit Exceeded", {}),
        (403, "dailyLimitExceeded", "Daily Limit Exceeded", {}),
        (403, "variableTermLimitExceeded", "Quota exceeded", {}),
        (403, "quotaExceeded", "Calendar usage limits exceeded.", {}),
        (403, "limitOfTomorrowExceeded", "A limit that nobody has heard of", {}),
    )
}
# Not now.
BUSY_ANSWERS: dict[str, dict[str, Any]] = {
    **QUOTAS,
    "quota without a domain": {"kind": "error", "status": 403, "reason": "quotaExceeded"},
    "empty 429": {"kind": "empty", "status": 429},
}
# Refusals, some of them untrue.
REFUSALS: dict[str, dict[str, Any]] = {
    "400": {"kind": "error", "status": 400, "reason": "invalid"},
    "401": {"kind": "error", "status": 401, "reason": "authError"},
    "403": {"kind": "error", "status": 403, "reason": "forbidden"},
    "a 403 page of HTML": {"kind": "html", "status": 403},
    "404 though it is there": {"kind": "error", "status": 404, "reason": "notFound"},
    "409 conflict": {"kind": "error", "status": 409, "reason": "conflict"},
    "412": {"kind": "error", "status": 412, "reason": "conditionNotMet"},
}

# What a reading may meet. Some of it must not be believed.
READING_TROUBLES: dict[str, dict[str, Any]] = {
    **{name: LOST_ANSWERS[name] for name in ("error before the write", "a page of HTML", "slow")},
    **BUSY_ANSWERS,
    "401": REFUSALS["401"],
    "404 though it is there": REFUSALS["404 though it is there"],
    "410": {"kind": "error", "status": 410, "reason": "fullSyncRequired"},
}

# At the token and revocation endpoints other words are spoken.
OAUTH_TROUBLES: dict[str, dict[str, Any]] = {
    "error": {"kind": "error", "status": 503, "reason": "internal_failure"},
    "lost answer": {"kind": "cut", "when": "after"},
    "a page of HTML": {"kind": "html", "status": 502},
    "empty answer": {"kind": "empty", "status": 200, "when": "after"},
    "client refused": {"kind": "error", "status": 401, "reason": "invalid_client"},
}

EVENT_METHODS = ("insert", "patch", "delete", "get", "*")
OAUTH_METHODS = ("oauth.refresh", "oauth.revoke", "oauth.token")
DEAD_GRANTS = ("revoked", "expired", "account_deleted", "admin_policy_enforced")

# What is unknown about Google; each example draws one answer to each.
UNKNOWNS = {
    "deleted_get": ("cancelled", "404", "410"),
    "emptied_trash_get": ("cancelled", "not_found"),
    "patch_on_tombstone": ("stays_cancelled", "revives"),
    "access_after_revoke": ("dies", "lives"),
    "revoke_unknown": ("400", "200"),
    "rate_limit_form": ("403", "429", "429-front-end"),
}
