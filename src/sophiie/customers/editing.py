"""Makes, changes and deletes customers. Every member of the business may, but for deleting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.accounts.people import NotAllowed
from sophiie.common.clock import now
from sophiie.customers.errors import StaleCustomer, UnknownCustomer
from sophiie.customers.models import Customer, FormerId
from sophiie.customers.rules import CustomerDetails, check_details


def make(*, by: Member, details: CustomerDetails) -> Customer:
    """Makes a customer of the business of `by`. Raises `InvalidCustomer`."""
    check_details(details)
    customer = new_customer(by.business_id, details)
    customer.save(force_insert=True)
    return customer


def new_customer(business_id: UUID, details: CustomerDetails) -> Customer:
    """A customer that is not stored yet."""
    moment = now()
    customer = Customer(business_id=business_id, created_at=moment, updated_at=moment)
    fill(customer, details)
    return customer


def fill(customer: Customer, details: CustomerDetails) -> None:
    for name, value in details.as_dict().items():
        setattr(customer, name, value)
    customer.fill_keys()


@transaction.atomic
def change(
    *,
    by: Member,
    customer_id: UUID,
    to: Callable[[CustomerDetails], CustomerDetails],
    as_of: datetime | None = None,
) -> Customer:
    """Changes a customer to what `to` makes of the details of now; only if nobody has changed them
    since, if it is said since when. Raises `InvalidCustomer`, `UnknownCustomer` and
    `StaleCustomer`."""
    customer = find(by, customer_id, among=Customer.objects.select_for_update(no_key=True))
    if as_of is not None and as_of != customer.updated_at:
        raise StaleCustomer
    before = CustomerDetails.of(customer)
    after = to(before)
    check_details(after)
    if after != before:
        fill(customer, after)
        customer.updated_at = now()
        customer.save()
    return customer


def delete(*, by: Member, customer_id: UUID) -> None:
    """Deletes the record; appointments keep what they were told. Call it in the transaction of a
    business act, because it waits for their rows. Raises `NotAllowed` and `UnknownCustomer`."""
    if not may_delete(by):
        raise NotAllowed
    # Whoever books for them now is waited for, and books for nobody afterwards.
    customer = find(by, customer_id, among=Customer.objects.select_for_update())
    audit.record(
        act=audit.Act.CUSTOMER_DELETED,
        business_id=by.business_id,
        by=by,
        subject=audit.Subject("customer", customer.id),
    )
    customer.delete()


def may_delete(by: Member) -> bool:
    """Who may delete records, and import and export all of them."""
    return by.manages_business


def find(by: Member, customer_id: UUID, *, among: QuerySet[Customer] | None = None) -> Customer:
    """The customer with this id, or into whom that one was merged. Raises `UnknownCustomer`."""
    customers = Customer.objects.all() if among is None else among
    theirs = customers.filter(business=by.business_id)
    found = theirs.filter(pk=customer_id).first()
    if found is None:
        former = FormerId.objects.filter(pk=customer_id).values("customer")
        found = theirs.filter(pk__in=former).first()
    if found is None:
        raise UnknownCustomer
    return found
