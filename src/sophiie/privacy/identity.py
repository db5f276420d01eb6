"""Which customer is meant: by a record's id, an email address, a phone number, or an appointment.

A record means its appointments, and all others with an address or a number that is on no other
record. An address or number means every record and appointment with it. A name alone never merges
people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import CharField, F, Func, Q, QuerySet
from django.db.models.functions import Lower, Trim
from django.utils.translation import gettext as _

from sophiie.appointments.models import Appointment
from sophiie.customers.models import Customer, FormerId
from sophiie.privacy.traces import MIN_DIGITS, Traces, digits_of, traces_of

_NUMBER = re.compile(r"[+0-9()\s./-]+")


class UnknownCustomer(Exception):
    """This cannot mean any customer; the message says why."""


@dataclass(frozen=True)
class Identity:
    """A customer of one business. The appointment `appointment_id` is theirs whatever it says, and
    so are these records and their appointments."""

    business_id: UUID
    traces: Traces
    appointment_id: UUID | None = None
    customer_ids: frozenset[UUID] = frozenset()

    def as_json(self) -> dict[str, Any]:
        return {
            "emails": sorted(self.traces.emails),
            "phones": sorted(self.traces.phones),
            "names": sorted(self.traces.names),
            "appointment": str(self.appointment_id) if self.appointment_id else None,
            "customers": sorted(map(str, self.customer_ids)),
        }

    @classmethod
    def from_json(cls, business_id: UUID, about: dict[str, Any]) -> Identity:
        traces = traces_of(about["emails"], about["phones"], about["names"])
        appointment = about["appointment"]
        return cls(
            business_id,
            traces,
            UUID(appointment) if appointment else None,
            # An erasure that release 0.2 was asked for knows no records.
            frozenset(map(UUID, about.get("customers", []))),
        )


class _Digits(Func):
    """`digits_of` in PostgreSQL."""

    template = "regexp_replace(regexp_replace(%(expressions)s, '[^0-9]', '', 'g'), '^00', '')"
    output_field = CharField()


def identify(business_id: UUID, text: str) -> Identity:
    """Finds the customer that is meant. Raises `UnknownCustomer`."""
    text = text.strip()
    try:
        return _identify_by_id(business_id, UUID(text))
    except ValueError:
        pass
    if "@" in text and "\x00" not in text:
        return _with_records(Identity(business_id, traces_of(emails=[text])))
    if _NUMBER.fullmatch(text) and len(digits_of(text)) >= MIN_DIGITS:
        return _with_records(Identity(business_id, traces_of(phones=[text])))
    raise UnknownCustomer(
        _(
            "Name a customer by email address, by phone number, or by the id of their record or "
            "of one of their appointments; a name alone may be that of several people."
        )
    )


def _identify_by_id(business_id: UUID, some_id: UUID) -> Identity:
    try:
        return identify_by_record(business_id, some_id)
    except UnknownCustomer:
        return identify_by_appointment(business_id, some_id)


def identify_by_record(business_id: UUID, customer_id: UUID) -> Identity:
    """The customer with this record, or into which this one was merged. Raises
    `UnknownCustomer`."""
    former = FormerId.objects.filter(pk=customer_id).values("customer")
    found = Customer.objects.filter(Q(pk=customer_id) | Q(pk__in=former), business=business_id)
    record = found.first()
    if record is None:
        raise UnknownCustomer(_("There is no customer with this id in the business."))
    known = Identity(business_id, Traces(), customer_ids=frozenset({record.pk}))
    return _with_names(_with_what_is_theirs_alone(known))


def identify_by_appointment(business_id: UUID, appointment_id: UUID) -> Identity:
    """The customer of this appointment. Raises `UnknownCustomer`."""
    found = Appointment.objects.filter(business=business_id, pk=appointment_id).first()
    if found is None:
        raise UnknownCustomer(_("There is no appointment with this id in the business."))
    traces = traces_of([found.customer_email], [found.customer_phone])
    if found.customer_id is None:
        return _with_records(Identity(business_id, traces, found.pk))
    ids = frozenset({found.customer_id})
    others = _written_on(Customer.objects.filter(business=business_id).exclude(pk__in=ids), traces)
    known = Identity(business_id, _without(traces, others), found.pk, ids)
    return _with_names(_with_what_is_theirs_alone(known))


def appointments_of(identity: Identity) -> QuerySet[Appointment]:
    """All appointments that are theirs by their record or by what is written on them now, including
    deleted ones."""
    appointments = Appointment.objects.filter(business=identity.business_id)
    said = ~Q(customer_name="", customer_phone="", customer_email="")
    theirs = Q(pk=identity.appointment_id) & said
    theirs |= Q(customer__in=identity.customer_ids)
    if identity.traces:
        appointments = _readable(appointments)
        theirs |= Q(address__in=identity.traces.emails) | Q(digits__in=identity.traces.phones)
    return appointments.filter(theirs).order_by("start", "id")


def records_of(identity: Identity) -> QuerySet[Customer]:
    """The records that are theirs: the ones named, and what has been made since with an address or
    a number of theirs."""
    ids = {record.pk for record in _written_on(_records(identity), identity.traces)}
    return _records(identity).filter(pk__in=ids | identity.customer_ids).order_by("pk")


def _records(identity: Identity) -> QuerySet[Customer]:
    return Customer.objects.filter(business=identity.business_id)


def _with_records(identity: Identity) -> Identity:
    """Adds the records on which the address or number stands, and what is theirs alone."""
    ids = frozenset(record.pk for record in _written_on(_records(identity), identity.traces))
    return _with_names(_with_what_is_theirs_alone(replace(identity, customer_ids=ids)))


def _with_what_is_theirs_alone(identity: Identity) -> Identity:
    """Adds the addresses and numbers of their records, unless they are on others' records too: a
    family may share a number."""
    known = identity.traces
    for record in _records(identity).filter(pk__in=identity.customer_ids):
        theirs = traces_of(record.emails, [*record.phones, *record.other_phones], [record.name])
        others = _written_on(_records(identity).exclude(pk__in=identity.customer_ids), theirs)
        known = known | _without(theirs, others)
    return replace(identity, traces=known)


def _written_on(records: QuerySet[Customer], traces: Traces) -> list[Customer]:
    """The records with one of these addresses or numbers."""
    keys = [*traces.emails, *traces.phones, *(f"+{digits}" for digits in traces.phones)]
    return list(records.filter(reach__overlap=keys)) if keys else []


def _without(traces: Traces, records: list[Customer]) -> Traces:
    shared = traces_of(
        [email for record in records for email in record.emails],
        [phone for record in records for phone in [*record.phones, *record.other_phones]],
    )
    return replace(
        traces, emails=traces.emails - shared.emails, phones=traces.phones - shared.phones
    )


def alike(identity: Identity) -> int:
    """How many appointments share a name with theirs, or another of their addresses or numbers:
    somebody has to look whether that is the same person."""
    theirs = appointments_of(identity).order_by()
    known = traces_of(
        theirs.values_list("customer_email", flat=True),
        theirs.values_list("customer_phone", flat=True),
    )
    others = _readable(Appointment.objects.filter(business=identity.business_id))
    others = others.alias(name=Lower(Trim("customer_name"))).filter(
        Q(name__in=[name.lower() for name in identity.traces.names])
        | Q(address__in=known.emails)
        | Q(digits__in=known.phones)
    )
    return others.exclude(pk__in=theirs.values("pk")).count()


def _readable(appointments: QuerySet[Appointment]) -> QuerySet[Appointment]:
    """Adds the address and the digits of the number in the form of `Traces`."""
    return appointments.alias(
        address=Lower(Trim("customer_email")), digits=_Digits(F("customer_phone"))
    )


def _with_names(identity: Identity) -> Identity:
    names = appointments_of(identity).order_by().values_list("customer_name", flat=True).distinct()
    return replace(identity, traces=identity.traces | traces_of(names=names))
