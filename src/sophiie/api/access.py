"""Who asks, and how often."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import HttpBearer

from sophiie.accounts.api_keys import living_key
from sophiie.accounts.models import ApiKey, Member
from sophiie.api.problems import ProblemError


class Buckets:
    """A token bucket for each key: a minute's worth at once, refilled evenly.

    Counted in each web process for itself: with several processes a caller may get up to that many
    times the rate. It is there against runaway scripts, not as an account of use.
    """

    def __init__(self, per_minute: int, most_keys: int = 10_000) -> None:
        self._per_minute, self._most_keys = per_minute, most_keys
        self._levels: dict[str, tuple[float, float]] = {}

    def seconds_to_wait(self, key: str, moment: float) -> float:
        """Takes one token; 0 when there was one, else the seconds until there is."""
        level, since = self._levels.get(key, (float(self._per_minute), moment))
        level = min(self._per_minute, level + (moment - since) * self._per_minute / 60)
        if len(self._levels) > self._most_keys:
            self._levels.clear()
        if level < 1:
            self._levels[key] = (level, moment)
            return (1 - level) * 60 / self._per_minute
        self._levels[key] = (level - 1, moment)
        return 0.0


buckets = Buckets(settings.API_REQUESTS_PER_MINUTE)


class ApiKeyBearer(HttpBearer):
    """`Authorization: Bearer <key>`; the request then acts as the key's member."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        name = hashlib.sha256(token.encode()).hexdigest()
        if wait := buckets.seconds_to_wait(name, time.monotonic()):
            raise ProblemError(
                429,
                "too-many-requests",
                "Too many requests",
                f"At most {settings.API_REQUESTS_PER_MINUTE} requests a minute for each key.",
                retry_after=max(1, round(wait)),
            )
        return living_key(token)


def member_of(request: HttpRequest) -> Member:
    """The member a request acts as."""
    return key_of(request).member


def key_of(request: HttpRequest) -> ApiKey:
    """The key a request came with."""
    key = request.auth  # type: ignore[attr-defined]
    assert isinstance(key, ApiKey)
    return key
