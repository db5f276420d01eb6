"""Deleting many rows a few at a time, so that nobody waits long for a lock."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from sophiie.common.ending import stop_if_asked

BATCH = 500


def delete_in_batches(rows: QuerySet[Any], *, size: int = BATCH) -> int:
    """Deletes what the query finds, each batch in a transaction of its own, and returns how many.

    Raises `WorkCutShort` between two batches when the process ends.
    """
    count = 0
    while True:
        stop_if_asked()
        with transaction.atomic():
            some = list(rows.order_by("pk").values_list("pk", flat=True)[:size])
            rows.model._default_manager.filter(pk__in=some).delete()
        count += len(some)
        if len(some) < size:
            return count
