"""Claims: for a while one process alone does the work that a row stands for.

A claim is an instant on the row, until which the others leave it alone, and mostly its owner. It is
taken by one conditional UPDATE, so of two who try at the same moment one gets it, and committed
before the work begins. The claim of a process that was killed runs out. The database's clock
decides, whatever those of the processes show.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now

from sophiie.common.horizon import SKEW, over

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Claim:
    """One kind of claim: the columns that hold it, and how long it lasts unless it is extended.

    Without a column for the `owner` nobody can tell whose claim it is: it cannot be extended, and
    whoever releases it may release somebody else's. That does where the work is safe when done
    twice and the claim outlasts it.
    """

    until: str
    lasts: timedelta
    owner: str = ""

    def is_free(self, *, via: str = "") -> Q:
        """The rows that nobody has claimed; `via` is the relation that leads to them."""
        # `Now()` is when the statement began. Where it waits for a row, the claim that it then
        # finds there is of a later statement: nothing that a wrong clock left behind.
        latest = self.lasts + SKEW
        until = f"{via}__{self.until}" if via else self.until
        return Q(**{until: None}) | over(until, Now(), at_most=latest)

    def take(self, rows: QuerySet[Row], **changes: Any) -> UUID | None:
        """Claims the row, unless it is claimed, and makes the changes; returns the new owner.

        `rows` finds one row by its own columns alone: what a join says is not looked at again by
        an UPDATE that had to wait for another.
        """
        owner = uuid4()
        values = self._columns(owner, Now() + self.lasts)
        return owner if rows.filter(self.is_free()).update(**values, **changes) else None

    def held_by(self, owner: UUID, rows: QuerySet[Row]) -> QuerySet[Row]:
        """The row, if the claim on it is still this owner's."""
        return rows.filter(**{self.owner: owner})

    def extend(self, owner: UUID, rows: QuerySet[Row]) -> bool:
        """Starts the claim's time anew; False when somebody else has taken it over."""
        return bool(self.held_by(owner, rows).update(**{self.until: Now() + self.lasts}))

    def release(self, owner: UUID | None, rows: QuerySet[Row], **changes: Any) -> bool:
        """Ends the claim and makes the changes; False, and none are made, if it is not ours."""
        held = self.held_by(owner, rows) if owner else rows
        return bool(held.update(**self._columns(None, None), **changes))

    def _columns(self, owner: UUID | None, until: Any) -> dict[str, Any]:
        return {self.until: until} | ({self.owner: owner} if self.owner else {})
