"""Looks through a whole table a few rows at a time, over and over.

For what no index finds, such as a row that is missing or one that a wrong clock wrote: it is rare
and not urgent, so each round looks at the next few rows, and costs the same however many there are.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet

AT_ONCE = 200


class Patrol:
    """One process's way through the rows of a model, in the order of their ids."""

    def __init__(self, model: type[Model], *, at_once: int = AT_ONCE) -> None:
        self._model, self._at_once, self._last = model, at_once, None

    def next(self) -> QuerySet[Any]:
        """The next rows to look at; all of them where they are few. After the last one it begins
        anew."""
        rows = self._model._default_manager.all()
        if self._last is not None:
            rows = rows.filter(pk__gt=self._last)
        pks = rows.order_by("pk").values_list("pk", flat=True)
        self._last = next(iter(pks[self._at_once - 1 : self._at_once]), None)
        return rows if self._last is None else rows.filter(pk__lte=self._last)
