"""Makes one customer of two, with the appointments of both and all that was known of either; and
deletes one.

Two merges at once wait for each other, and a booking for one of the two waits for the merge: by the
locks of their addresses and numbers, and by their rows.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.appointments.locking import in_transaction, lock_members
from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from sophiie.customers import editing
from sophiie.customers.editing import fill, find
from sophiie.customers.errors import InvalidCustomer
from sophiie.customers.matching import locks_of
from sophiie.customers.models import Customer, FormerId
from sophiie.customers.rules import CustomerDetails, check_details


def merge(*, by: Member, customer_id: UUID, other_id: UUID) -> Customer:
    """Merges the other customer into this one, who stays; the other's id leads here from now on.

    Idempotent. Raises `UnknownCustomer`, `InvalidCustomer` if both together are too long, and
    `TooBusy`.
    """
    if customer_id == other_id:
        raise InvalidCustomer({"customer_id": _("This is the same customer.")})

    def make_one() -> Customer:
        kept, other = find(by, customer_id), find(by, other_id)
        lock_members([], customers=locks_of(by.business_id, [*kept.reach, *other.reach]))
        kept, other = _locked(by, customer_id, other_id)
        if kept.pk == other.pk:
            return kept
        together = combined(CustomerDetails.of(kept), CustomerDetails.of(other))
        check_details(together)
        Appointment.objects.filter(customer=other).update(customer=kept)
        FormerId.objects.filter(customer=other).update(customer=kept)
        FormerId.objects.create(pk=other.pk, customer=kept)
        _record(by, kept, other)
        other.delete()
        fill(kept, together)
        kept.updated_at = now()
        kept.save()
        return kept

    return in_transaction(make_one)


def delete_customer(*, by: Member, customer_id: UUID) -> None:
    """Deletes a customer; appointments keep what they were told. Raises `NotAllowed`,
    `UnknownCustomer` and `TooBusy`."""
    in_transaction(lambda: editing.delete(by=by, customer_id=customer_id))


def _locked(by: Member, *ids: UUID) -> list[Customer]:
    """The customers as they are once nobody else merges them or books for them by id."""
    while True:
        found = [find(by, one).pk for one in ids]
        rows = Customer.objects.select_for_update().filter(pk__in=found).order_by("pk")
        locked = {customer.pk: customer for customer in rows}
        if locked.keys() == set(found):
            return [locked[pk] for pk in found]
        # One was merged meanwhile: its id leads to another row.


def combined(kept: CustomerDetails, other: CustomerDetails) -> CustomerDetails:
    """Everything known of both. What there is room for once stays as the first has it, and the
    other's goes into the notes."""
    notes = [kept.notes, other.notes if other.notes != kept.notes else ""]
    for mine, theirs, words in (
        (kept.name, other.name, _("Also known as: %(text)s")),
        (kept.address, other.address, _("Another address: %(text)s")),
    ):
        if mine and theirs and mine.casefold() != theirs.casefold():
            notes.append(words % {"text": theirs})
    known = {email.lower() for email in kept.emails}
    return replace(
        kept,
        name=kept.name or other.name,
        phones=tuple(dict.fromkeys([*kept.phones, *other.phones])),
        other_phones=tuple(dict.fromkeys([*kept.other_phones, *other.other_phones])),
        emails=(*kept.emails, *(e for e in other.emails if e.lower() not in known)),
        address=kept.address or other.address,
        notes="\n\n".join(filter(None, notes)),
    )


def _record(by: Member, kept: Customer, other: Customer) -> None:
    audit.record(
        act=audit.Act.CUSTOMERS_MERGED,
        business_id=by.business_id,
        by=by,
        subject=audit.Subject("customer", kept.id),
        details={"merged_id": str(other.id)},
    )
