"""Deletes what has expired; the worker calls it every minute."""

from __future__ import annotations

from sophiie.accounts.attempts import forget_old_attempts
from sophiie.accounts.invitations import bring_expiries_back
from sophiie.accounts.known_addresses import forget_old_addresses
from sophiie.accounts.limits import forget_full_buckets
from sophiie.accounts.sessions import forget_ended_sessions


def forget_what_is_over() -> int:
    """Expired sessions and what was typed in them, counts of attempts, old addresses."""
    bring_expiries_back()
    return (
        forget_ended_sessions()
        + forget_old_attempts()
        + forget_full_buckets()
        + forget_old_addresses()
    )
