"""For which customer an appointment is, by the words with which it was booked.

1. Whoever is the only one with this address or number is meant, whatever the name says: the same
   caller is "Bob" on one day and "Bob’s office" on another.
2. Of several with it, whoever has the same name; the earliest, if those are doubles.
3. If there is none, they are made.
4. A name alone joins nobody: two people may have the same one. A new name makes a customer, and a
   known one stays words.

Whoever asks holds the locks of `lock_keys`, so that two bookings make one customer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sophiie.common.sql import execute
from sophiie.customers.editing import new_customer
from sophiie.customers.keys import reach_of
from sophiie.customers.phones import read_phones
from sophiie.customers.rules import CustomerDetails


@dataclass(frozen=True)
class Words:
    """What was said of a customer, as it stands on an appointment."""

    name: str = ""
    phone: str = ""
    email: str = ""

    def __bool__(self) -> bool:
        return any(text.strip() for text in (self.name, self.phone, self.email))

    def details(self, region: str | None) -> CustomerDetails:
        numbers, others = read_phones([self.phone], region)
        return CustomerDetails(
            name=" ".join(self.name.split()),
            phones=tuple(numbers),
            other_phones=tuple(others),
            emails=(self.email.strip(),) if self.email.strip() else (),
        )


def lock_keys(business_id: UUID, details: CustomerDetails) -> list[int]:
    """The advisory locks of everybody whom these details may mean."""
    keys = reach_of(details.emails, details.phones, details.other_phones)
    return locks_of(business_id, keys or [details.name.casefold()])


def locks_of(business_id: UUID, keys: Iterable[str]) -> list[int]:
    """One advisory lock for each address, number or name."""
    return [_lock(business_id, key) for key in keys]


def _lock(business_id: UUID, key: str) -> int:
    digest = hashlib.blake2b(business_id.bytes + key.encode(), digest_size=8, person=b"customer")
    return int.from_bytes(digest.digest(), "big", signed=True)


# The rows are kept from being deleted or merged until the booking is committed.
_REACHED = """
    near AS MATERIALIZED (
        SELECT id, name_key, created_at FROM customers_customer
        WHERE business_id = %(business_id)s AND reach && %(reach)s::text[]
        ORDER BY created_at, id LIMIT 50 FOR KEY SHARE
    ), meant AS MATERIALIZED (
        SELECT id FROM near
        WHERE name_key = %(name_key)s OR %(name_key)s = '' OR (SELECT count(*) FROM near) = 1
        ORDER BY created_at, id LIMIT 1
    ), known AS (SELECT id FROM meant)
"""
_NAMED = """
    known AS MATERIALIZED (
        SELECT id FROM customers_customer
        WHERE business_id = %(business_id)s AND name_key = %(name_key)s LIMIT 1
    ), meant AS (SELECT id FROM known WHERE false)
"""
_COLUMNS = {
    **dict.fromkeys(("id", "business_id", "created_at", "updated_at"), ""),
    **dict.fromkeys(("name", "address", "notes", "name_key", "search"), "::text"),
    **dict.fromkeys(("phones", "other_phones", "emails", "reach"), "::text[]"),
}
_VALUES = ", ".join(f"%({name})s{kind}" for name, kind in _COLUMNS.items())
# One statement, so that a booking waits for the database once. The names are the model's own.
_FIND_OR_MAKE = f"""
    WITH {{near}}, made AS (
        INSERT INTO customers_customer ({", ".join(_COLUMNS)})
        SELECT {_VALUES} WHERE NOT EXISTS (SELECT FROM known)
        RETURNING id
    )
    SELECT id FROM meant UNION ALL SELECT id FROM made
"""  # noqa: S608 - no values
_FIND_OR_MAKE_REACHED = _FIND_OR_MAKE.format(near=_REACHED)
_FIND_OR_MAKE_NAMED = _FIND_OR_MAKE.format(near=_NAMED)


def find_or_make(business_id: UUID, details: CustomerDetails) -> UUID | None:
    """The customer who is meant, made if need be; None if that cannot be said."""
    made = new_customer(business_id, details)
    statement = _FIND_OR_MAKE_REACHED if made.reach else _FIND_OR_MAKE_NAMED
    rows = execute(statement, **{name: getattr(made, name) for name in _COLUMNS})
    return rows[0][0] if rows else None


_BY_ID = """
    SELECT id, name, phones, other_phones, emails FROM customers_customer
    WHERE business_id = %(business)s AND id = coalesce(
        (SELECT customer_id FROM customers_formerid WHERE id = %(id)s), %(id)s)
    FOR KEY SHARE OF customers_customer
"""


def words_of(business_id: UUID, customer_id: UUID) -> tuple[UUID, Words] | None:
    """The customer with this id, or into whom that one was merged, and the words for an
    appointment. They stay until the transaction ends."""
    for _merged_meanwhile in range(3):
        for pk, name, phones, others, emails in execute(
            _BY_ID, business=business_id, id=customer_id
        ):
            phone = next(iter([*phones, *others]), "")
            return pk, Words(name, phone, emails[0] if emails else "")
    return None
