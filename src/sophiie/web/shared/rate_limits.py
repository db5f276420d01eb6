"""The sign-in library's rate limits, for pages of our own."""

from __future__ import annotations

from typing import Any

from allauth.core.ratelimit import consume_or_429
from django.http import HttpRequest, HttpResponse


def too_many(request: HttpRequest, *, action: str, **whose: Any) -> HttpResponse | None:
    """Counts one attempt; the refusal if there were too many. `ACCOUNT_RATE_LIMITS` sets how many.

    `whose` narrows the count to one `key` or `user` instead of the address that asks.
    """
    refusal: HttpResponse | None = consume_or_429(request, action=action, **whose)
    return refusal
