"""Identifiers that Sophiie makes."""

from __future__ import annotations

import secrets
import time
import uuid


def new_id() -> uuid.UUID:
    """A UUID version 7 (RFC 9562): random, and ordered by time so that indexes stay compact.

    PostgreSQL has `uuidv7()` only from 18 on and Python only from 3.14 on.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    # The fraction of the millisecond (section 6.2, method 3) keeps the ids that one process makes
    # in a row in order.
    value |= (rest << 12) // 1_000_000 << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return uuid.UUID(int=value)


def new_event_id() -> str:
    """A new event id that Google accepts: 5 to 1024 characters of `a-v0-9`.

    Hexadecimal is a subset of that alphabet. Source: events.insert, field `id`.
    """
    return uuid.uuid4().hex


def is_event_id(text: str) -> bool:
    """Whether Sophiie may have made this event id; ids from elsewhere have other shapes."""
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)
