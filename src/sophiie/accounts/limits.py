"""How often somebody may do something, counted in PostgreSQL for all processes together.

Each limit is a bucket that holds `amount` and fills evenly over `seconds`. A row stores only the
moment when the bucket is full again (the generic cell rate algorithm). So taking is one statement
without a lock, and a full bucket needs no row: nothing that still limits anybody is ever cleared to
make room.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from sophiie.accounts.models import Allowance
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, over
from sophiie.common.sql import execute

# No bucket takes longer than `whole` to fill. One that seems to was taken from by a clock that has
# been set back since, and counts as full.
_FULL_AT = """CASE WHEN kept.full_at > %(moment)s + %(whole)s + %(skew)s THEN %(moment)s
    ELSE GREATEST(kept.full_at, %(moment)s) END"""
_TAKE = f"""
INSERT INTO accounts_allowance AS kept (name, full_at)
VALUES (%(name)s, %(moment)s + %(cost)s)
ON CONFLICT (name) DO UPDATE SET full_at = {_FULL_AT} + %(cost)s
WHERE {_FULL_AT} + %(cost)s <= %(moment)s + %(whole)s
RETURNING 1
"""  # noqa: S608 - no values


LONGEST = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `amount` at once, and as many again in `seconds`."""

    name: str
    amount: int
    seconds: int

    def __post_init__(self) -> None:
        assert timedelta(seconds=self.seconds) < LONGEST

    def take(self, who: str, *, units: int = 1) -> float:
        """Takes from the bucket of `who`. Returns 0 if there was enough, else the seconds until
        then."""
        assert units <= self.amount
        moment, cost = now(), self._cost(units)
        whole = timedelta(seconds=self.seconds)
        name = self._name(who)
        if execute(_TAKE, name=name, moment=moment, cost=cost, whole=whole, skew=SKEW):
            return 0.0
        full_at = Allowance.objects.filter(name=name).values_list("full_at", flat=True).first()
        missing = (full_at or moment) + cost - whole - moment
        return max(missing.total_seconds(), 0.001)

    def give_back(self, who: str) -> None:
        """Gives back what was taken once."""
        execute(
            "UPDATE accounts_allowance SET full_at = full_at - %(cost)s"
            " WHERE name = %(name)s RETURNING 1",
            name=self._name(who),
            cost=self._cost(1),
        )

    def _cost(self, units: int) -> timedelta:
        return timedelta(seconds=units * self.seconds / self.amount)

    def _name(self, who: str) -> str:
        # A digest: of one length whatever is typed, and no list of addresses for whoever reads it.
        return hashlib.sha256(f"{self.name}\0{who}".encode(errors="replace")).hexdigest()


def forget_full_buckets() -> int:
    """Deletes the rows that no longer limit anybody."""
    return Allowance.objects.filter(over("full_at", now(), at_most=LONGEST)).delete()[0]
