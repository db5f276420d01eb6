"""Where the sign-in library keeps its counts of attempts: a cache in PostgreSQL.

The library locks with `add`, which is atomic between processes here. Nothing is dropped before its
time. Django's own caches make room by clearing a third of their entries, and that way anybody could
flush everybody's limits.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db.models import Q

from sophiie.accounts.models import Attempts
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, over
from sophiie.common.sql import execute

_PUT = """
INSERT INTO accounts_attempts AS kept (name, value, expires_at)
VALUES (%(name)s, %(value)s::jsonb, %(expires_at)s)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
"""
_NEVER = datetime(9998, 1, 1, tzinfo=UTC)
# No count is kept for longer.
LONGEST = timedelta(days=2)


class AttemptsCache(BaseCache):
    """Values are what JSON can hold."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        found = Attempts.objects.filter(name=self._name(key, version), expires_at__gt=now())
        value = found.values_list("value", flat=True).first()
        if isinstance(value, list):  # of moments: none of them is later than now, clocks are set
            latest = (now() + SKEW).timestamp()
            value = [at for at in value if not isinstance(at, int | float) or at <= latest]
        return default if value is None else value

    def add(
        self,
        key: Any,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """True for the one caller that found nothing there, or only an expired value."""
        only_over = _PUT + (
            "WHERE kept.expires_at <= %(moment)s OR kept.expires_at > %(expires_at)s + %(skew)s"
            " RETURNING 1"
        )
        row = self._row(key, value, timeout, version)
        return bool(execute(only_over, **row, moment=now(), skew=SKEW))

    def set(
        self,
        key: Any,
        value: Any,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        execute(_PUT + "RETURNING 1", **self._row(key, value, timeout, version))

    def delete(self, key: Any, version: int | None = None) -> bool:
        return bool(Attempts.objects.filter(name=self._name(key, version)).delete()[0])

    def clear(self) -> None:
        Attempts.objects.all().delete()

    def _row(
        self, key: Any, value: Any, timeout: float | None, version: int | None
    ) -> dict[str, Any]:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        return {
            "name": self._name(key, version),
            "value": json.dumps(value),
            "expires_at": _NEVER if seconds is None else now() + timedelta(seconds=seconds),
        }

    def _name(self, key: Any, version: int | None) -> str:
        return hashlib.sha256(self.make_key(key, version=version).encode()).hexdigest()


def forget_old_attempts() -> int:
    """Deletes the counts whose time is over."""
    old = over("expires_at", now(), at_most=LONGEST) & Q(expires_at__lt=_NEVER)
    return Attempts.objects.filter(old).delete()[0]
