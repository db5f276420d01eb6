"""Authentication by API key, and the limits on requests."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja.security import HttpBearer

from sophiie.accounts.api_keys import living_key
from sophiie.accounts.limits import Limit
from sophiie.accounts.models import ApiKey, Member
from sophiie.api.problems import ProblemError
from sophiie.audit.origin import acts_with_key
from sophiie.common.addresses import client_network

# This process remembers so many, however many names are tried.
MAX_REMEMBERED = 10_000


@dataclass
class _Remembered:
    left: int = 0
    refused_until: float = 0.0


class Drawn:
    """A limit that all processes share, drawn in portions.

    A portion is large enough that most requests cost no statement, and small enough that it hardly
    matters which process has it.
    """

    def __init__(self, limit: Limit, *, at_once: int = 1) -> None:
        self._limit, self._at_once = limit, at_once
        self._names: dict[str, _Remembered] = {}
        self._lock = threading.Lock()

    def seconds_refused(self, who: str) -> float:
        """For how long this process knows that it has to refuse this name; takes nothing."""
        known = self._names.get(who)
        return max(0.0, known.refused_until - time.monotonic()) if known else 0.0

    def take(self, who: str) -> float:
        """Takes one. Returns 0, or the seconds until there is one to take."""
        with self._lock:
            known = self._names.get(who)
            if known and known.left:
                known.left -= 1
                return 0.0
        if wait := self.seconds_refused(who):
            return wait
        if self._at_once > 1 and not self._limit.take(who, units=self._at_once):
            self._remember(who, more=self._at_once - 1)
            return 0.0
        wait = self._limit.take(who)
        if wait:
            self._remember(who, refused_until=time.monotonic() + wait)
        return wait

    def _remember(self, who: str, *, more: int = 0, refused_until: float = 0.0) -> None:
        with self._lock:
            if who not in self._names and len(self._names) >= MAX_REMEMBERED:
                # Forgets the oldest: it draws again, and loses nothing that is counted.
                del self._names[next(iter(self._names))]
            known = self._names.setdefault(who, _Remembered())
            known.left, known.refused_until = known.left + more, refused_until


def of_key(per_minute: int) -> Drawn:
    """A minute's worth of requests for each key at once, refilled evenly, drawn a second's worth at
    a time."""
    limit = Limit(name="api-key", amount=per_minute, seconds=60)
    return Drawn(limit, at_once=max(1, per_minute // 60))


requests = of_key(settings.API_REQUESTS_PER_MINUTE)
# Nobody can guess a key; this limits what guessing costs us. A valid key is never refused because
# others guess from the same address.
wrong_keys = Drawn(Limit(name="api-wrong-key", amount=60, seconds=60))


class ApiKeyBearer(HttpBearer):
    """`Authorization: Bearer <key>`: the request acts as the key's member."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        digest = hashlib.sha256(token.encode(errors="replace")).hexdigest()
        if wait := requests.seconds_refused(digest):
            raise _too_many(wait)
        key = living_key(token)
        if key is None:
            if wait := wrong_keys.take(client_network(request)):
                raise _too_many(wait, "Too many requests with keys that are none.")
        elif wait := requests.take(digest):
            raise _too_many(wait)
        else:
            acts_with_key(request, key.prefix, key.member)
        return key


def _too_many(wait: float, why: str = "") -> ProblemError:
    return ProblemError(
        429,
        "too-many-requests",
        "Too many requests",
        why or f"At most {settings.API_REQUESTS_PER_MINUTE} requests a minute for each key.",
        retry_after=max(1, round(wait)),
    )


def member_of(request: HttpRequest) -> Member:
    """The member as whom the request acts."""
    return key_of(request).member


def key_of(request: HttpRequest) -> ApiKey:
    """The key of the request."""
    key = request.auth  # type: ignore[attr-defined]
    assert isinstance(key, ApiKey)
    return key
