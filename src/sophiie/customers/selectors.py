"""Finds customers; always within one business, and with the help of an index."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from sophiie.customers.keys import MAX_KEY, search_words
from sophiie.customers.models import Customer

# The index of parts of words knows no shorter ones.
MIN_LETTERS = 3


class Place(NamedTuple):
    """Where a page of the list ends."""

    name_key: str
    id: UUID

    def __str__(self) -> str:
        text = json.dumps([self.name_key, str(self.id)])
        return base64.urlsafe_b64encode(text.encode()).decode()

    @classmethod
    def read(cls, text: str) -> Place | None:
        """The place that was written so; None for what is none."""
        try:
            name_key, last_id = json.loads(base64.urlsafe_b64decode(text.encode()))
            if b"\x00" in name_key.encode():  # PostgreSQL cannot compare it
                return None
            return cls(name_key, UUID(last_id))
        except (ValueError, TypeError, AttributeError, binascii.Error):
            return None


def customers_of(business_id: UUID, asked: str = "") -> QuerySet[Customer]:
    """The business's customers by name: all, or those in which every word of the search is found.

    A word of one or two letters only finds how names begin.
    """
    found = Customer.objects.filter(business=business_id).order_by("name_key", "id")
    words = search_words(asked)
    long = [word for word in words if len(word) >= MIN_LETTERS]
    if words and not long:
        found = found.filter(name_key__startswith=words[0][:MAX_KEY])
    for word in words if long else words[1:]:
        found = found.filter(search__contains=word)
    if asked.strip() and not words:
        return found.none()
    return found


def page_of(
    customers: QuerySet[Customer], limit: int, *, behind: Place | None = None
) -> tuple[list[Customer], Place | None]:
    """One page of the list, and where the next one begins."""
    if behind:
        later = Q(name_key=behind.name_key, id__gt=behind.id)
        customers = customers.filter(Q(name_key__gt=behind.name_key) | later)
    found = list(customers[: limit + 1])
    page = found[:limit]
    more = len(found) > limit
    return page, Place(page[-1].name_key, page[-1].id) if more else None


def reached_by(business_id: UUID, keys: Iterable[str]) -> QuerySet[Customer]:
    """The customers with one of these addresses or numbers, in the form of `reach_of`."""
    return Customer.objects.filter(business=business_id, reach__overlap=list(keys))
