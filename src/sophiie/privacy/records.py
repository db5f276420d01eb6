"""The records of customers in an erasure: deletes one, and blanks a person out of the others."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.db.models import Q

from sophiie.customers.editing import fill
from sophiie.customers.models import Customer
from sophiie.customers.rules import CustomerDetails
from sophiie.privacy.identity import Identity, records_of

TEXTS = ("name", "address", "notes")


def delete_record(customer_id: UUID) -> None:
    """Deletes a record. Who books for it by id is waited for."""
    found = Customer.objects.select_for_update().filter(pk=customer_id).first()
    if found is not None:
        found.delete()


def mentioning_records(identity: Identity) -> list[UUID]:
    """Records of others whose texts mention the customer's address or number, in order."""
    if not identity.traces:
        return []
    search = Q()
    for name in TEXTS:
        search |= Q(**{f"{name}__iregex": identity.traces.search})
    theirs = records_of(identity).values("pk")
    others = Customer.objects.filter(search, business=identity.business_id).exclude(pk__in=theirs)
    found = [record for record in others.order_by("pk") if _blanked(record, identity) is not None]
    return [record.pk for record in found]


def blank_in_record(customer_id: UUID, identity: Identity) -> None:
    """Removes an address or a number from the texts of somebody else's record, and no more."""
    record = Customer.objects.select_for_update(no_key=True).filter(pk=customer_id).first()
    if record is not None and (poorer := _blanked(record, identity)) is not None:
        fill(record, poorer)
        record.save()


def _blanked(record: Customer, identity: Identity) -> CustomerDetails | None:
    """The record's details without the person; None if they are not in it."""
    before = CustomerDetails.of(record)
    after = replace(
        before, **{name: identity.traces.blank(getattr(before, name)) for name in TEXTS}
    )
    return after if after != before else None
