"""For which customer an appointment is: named by id, or found by its words, or made.

The appointment keeps its words as they were told. Whose they are is no revision of it: nothing that
anybody sees in a calendar changes. `note_customers` finds those of appointments that release 0.2
booked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cached_property
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Business, Member
from sophiie.appointments.errors import InvalidAppointment, TooBusy
from sophiie.appointments.locking import in_transaction, lock_members
from sophiie.appointments.models import Appointment
from sophiie.appointments.rules import Details
from sophiie.common.ending import stop_if_asked
from sophiie.common.logs import log
from sophiie.customers.matching import Words, find_or_make, lock_keys, words_of
from sophiie.customers.regions import region_of
from sophiie.customers.rules import CustomerDetails

logger = log(__name__)

NOTED_AT_ONCE = 100


class CustomerOfBooking:
    """What is said of an appointment's customer: an id, or words."""

    def __init__(self, by: Member, details: Details, customer_id: UUID | None = None) -> None:
        self._by, self._said, self._named = by, details, customer_id

    @property
    def locks(self) -> list[int]:
        """The locks to take before `note_on`."""
        return lock_keys(self._by.business_id, self._about) if self._about else []

    @cached_property
    def details(self) -> Details:
        """The details; what they do not say of a customer named by id is filled in.

        Raises `InvalidAppointment` if the business has no customer with this id.
        """
        if self._named is None:
            return self._said
        said, known = _words(self._said), self._known[1]
        return replace(
            self._said,
            customer_name=said.name or known.name,
            customer_phone=said.phone or known.phone,
            customer_email=said.email or known.email,
        )

    def differs_from(self, before: Details) -> bool:
        """Whether another customer may be meant than before."""
        return self._named is not None or _words(self.details) != _words(before)

    def note_on(self, appointment: Appointment) -> Details:
        """Notes the customer on an appointment that is about to be stored, and returns its details.

        Raises `InvalidAppointment` if the business has no customer with this id.
        """
        if self._named is not None:
            appointment.customer_id = self._known[0]
        else:
            about = self._about
            appointment.customer_id = find_or_make(self._by.business_id, about) if about else None
        appointment.customer_sought = True
        for name in ("customer_name", "customer_phone", "customer_email"):
            setattr(appointment, name, getattr(self.details, name))
        return self.details

    @cached_property
    def _about(self) -> CustomerDetails | None:
        words = _words(self._said)
        if self._named is not None or not words:
            return None
        return words.details(region_of(self._by.business.timezone))

    @cached_property
    def _known(self) -> tuple[UUID, Words]:
        assert self._named is not None
        found = words_of(self._by.business_id, self._named)
        if found is None:
            raise InvalidAppointment({"customer_id": _("There is no customer with this id.")})
        return found


def keep_customer(appointment: Appointment) -> Appointment:
    """Stores for whom the appointment is when nothing else of it changes."""
    Appointment.objects.filter(pk=appointment.pk).exclude(customer=appointment.customer_id).update(
        customer=appointment.customer_id, customer_sought=appointment.customer_sought
    )
    return appointment


def _words(details: Details | Appointment) -> Words:
    return Words(details.customer_name, details.customer_phone, details.customer_email)


def note_customers() -> int:
    """Finds or makes the customers of appointments that were booked without; returns how many
    appointments it looked at. Idempotent; runs beside bookings of either version."""
    count = 0
    while True:
        stop_if_asked()
        try:
            looked_at = in_transaction(_note_some)
        except TooBusy:
            logger.info("customers of earlier appointments are noted later")
            return count
        count += looked_at
        if looked_at < NOTED_AT_ONCE:
            return count


def _note_some() -> int:
    unsought = Appointment.objects.filter(customer_sought=False).order_by("id")
    unsought = unsought.select_for_update(no_key=True, skip_locked=True, of=("self",))
    told: dict[tuple[Business, Words], list[UUID]] = defaultdict(list)
    for appointment in unsought.select_related("business")[:NOTED_AT_ONCE]:
        told[appointment.business, _words(appointment)].append(appointment.pk)
    about = {
        (business, words): words.details(region_of(business.timezone))
        for business, words in told
        if words
    }
    locks = [lock for (business, _), said in about.items() for lock in lock_keys(business.pk, said)]
    lock_members([], customers=locks)
    for (business, words), appointments in told.items():
        said = about.get((business, words))
        customer_id = find_or_make(business.pk, said) if said else None
        Appointment.objects.filter(pk__in=appointments).update(
            customer=customer_id, customer_sought=True
        )
    return sum(map(len, told.values()))
