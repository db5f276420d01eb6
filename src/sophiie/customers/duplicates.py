"""Customers who may be the same: found by what they have in common, unless somebody said that they
are two."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.common.clock import now
from sophiie.common.sql import execute
from sophiie.customers.editing import find
from sophiie.customers.errors import InvalidCustomer
from sophiie.customers.models import Customer, NotTheSame
from sophiie.customers.selectors import reached_by

Pair = tuple[Customer, Customer]


def likely_doubles_of(customer: Customer, *, most: int = 10) -> list[Customer]:
    """Others with the same address or number."""
    if not customer.reach:
        return []
    apart = NotTheSame.objects.filter(Q(first=customer) | Q(second=customer))
    others = reached_by(customer.business_id, customer.reach).exclude(pk=customer.pk)
    others = others.exclude(pk__in=apart.values("first")).exclude(pk__in=apart.values("second"))
    return list(others.order_by("created_at", "id")[:most])


# A group of which every pair is known to be two is none; n people are n (n - 1) / 2 pairs.
_DOUBLES = """
    SELECT key, ids FROM (
        SELECT key, array_agg(id ORDER BY created_at, id) AS ids, min(name_key) AS name_key
        FROM (
            SELECT id, name_key, reach, created_at FROM customers_customer
            WHERE business_id = %(business)s ORDER BY name_key, id LIMIT %(looked_at)s
        ) AS customer, unnest(reach) AS key
        GROUP BY key HAVING count(*) > 1
    ) AS alike
    WHERE cardinality(ids) * (cardinality(ids) - 1) / 2 > (
        SELECT count(*) FROM customers_notthesame WHERE first_id = ANY(ids) AND second_id = ANY(ids)
    )
    ORDER BY name_key, key LIMIT %(most)s
"""
AT_MOST_ALIKE = 10
# All of any business that we know of; of a larger one the first by name, so that nobody waits long.
LOOKED_AT = 20_000


def likely_doubles(business_id: UUID, *, most: int = 50) -> list[tuple[str, list[Pair]]]:
    """Addresses and numbers that several customers have, with the pairs to look at; each pair once.

    Of several people each is compared with one of those before them.
    """
    groups = execute(_DOUBLES, business=business_id, most=most, looked_at=LOOKED_AT)
    apart = _apart({one for _key, ids in groups for one in ids})
    pairs = [(key, _to_compare(ids, apart)) for key, ids in groups]
    wanted = {one for _key, found in pairs for pair in found for one in pair}
    known = Customer.objects.filter(business=business_id).in_bulk(list(wanted))
    shown: list[tuple[str, list[Pair]]] = []
    seen: set[tuple[UUID, UUID]] = set()
    for key, found in pairs:
        new = [pair for pair in found if pair not in seen and known.keys() >= set(pair)]
        seen.update(new)
        if new:
            shown.append((key, [(known[one], known[other]) for one, other in new]))
    return shown


def _to_compare(ids: list[UUID], apart: set[tuple[UUID, UUID]]) -> list[tuple[UUID, UUID]]:
    pairs: list[tuple[UUID, UUID]] = []
    for number, other in enumerate(ids):
        for one in ids[:number]:
            if _in_order(one, other) not in apart:
                pairs.append((one, other))
                break
        if len(pairs) == AT_MOST_ALIKE - 1:
            break
    return pairs


def tell_apart(*, by: Member, customer_id: UUID, other_id: UUID) -> None:
    """Notes that the two are not the same, so that nobody is asked again. Idempotent. Raises
    `UnknownCustomer`, and `InvalidCustomer` if they are one by now."""
    with transaction.atomic():
        # In one order, as merging takes them; neither goes meanwhile.
        rows = Customer.objects.select_for_update(no_key=True)
        found = [find(by, one, among=rows).pk for one in sorted((customer_id, other_id))]
        if found[0] == found[1]:
            raise InvalidCustomer({"customer_id": _("This is the same customer.")})
        first, second = _in_order(*found)
        pair = NotTheSame(first_id=first, second_id=second, said_at=now())
        NotTheSame.objects.bulk_create([pair], ignore_conflicts=True)


def take_back_apart(*, by: Member, customer_id: UUID, other_id: UUID) -> None:
    """The two may be the same after all. Idempotent."""
    first, second = _in_order(customer_id, other_id)
    told_apart(by.business_id).filter(first=first, second=second).delete()


def told_apart(business_id: UUID) -> QuerySet[NotTheSame]:
    """The pairs of whom somebody said that they are two, the latest first."""
    pairs = NotTheSame.objects.filter(
        first__business=business_id, second__business=F("first__business")
    )
    return pairs.select_related("first", "second").order_by("-said_at", "-id")


def _apart(ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    pairs: Iterable[tuple[UUID, UUID]] = NotTheSame.objects.filter(
        first__in=ids, second__in=ids
    ).values_list("first_id", "second_id")
    return set(pairs)


def _in_order(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    return (one, other) if one < other else (other, one)
