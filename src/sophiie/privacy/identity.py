"""Which customer is meant, as long as customers are only words on their appointments.

An e-mail address, a phone number, or the id of one of their appointments: that means all
appointments of the business with the same address or number. A name alone never merges people.
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
from sophiie.privacy.traces import FEWEST_DIGITS, Traces, digits_of, traces_of

_NUMBER = re.compile(r"[+0-9()\s./-]+")


class UnknownCustomer(Exception):
    """This cannot mean any customer; the message says why."""


@dataclass(frozen=True)
class Identity:
    """A customer of one business. The appointment `appointment_id` is theirs whatever it says."""

    business_id: UUID
    traces: Traces
    appointment_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "emails": sorted(self.traces.emails),
            "phones": sorted(self.traces.phones),
            "names": sorted(self.traces.names),
            "appointment": str(self.appointment_id) if self.appointment_id else None,
        }

    @classmethod
    def from_json(cls, business_id: UUID, about: dict[str, Any]) -> Identity:
        traces = traces_of(about["emails"], about["phones"], about["names"])
        appointment = about["appointment"]
        return cls(business_id, traces, UUID(appointment) if appointment else None)


class _Digits(Func):
    """`digits_of` in PostgreSQL."""

    template = "regexp_replace(regexp_replace(%(expressions)s, '[^0-9]', '', 'g'), '^00', '')"
    output_field = CharField()


def identify(business_id: UUID, text: str) -> Identity:
    """Finds the customer that is meant. Raises `UnknownCustomer`."""
    text = text.strip()
    try:
        return identify_by_appointment(business_id, UUID(text))
    except ValueError:
        pass
    if "@" in text and "\x00" not in text:
        return _with_names(Identity(business_id, traces_of(emails=[text])))
    if _NUMBER.fullmatch(text) and len(digits_of(text)) >= FEWEST_DIGITS:
        return _with_names(Identity(business_id, traces_of(phones=[text])))
    raise UnknownCustomer(
        _(
            "Name a customer by e-mail address, by phone number, or by the id of one of their "
            "appointments; a name alone may be that of several people."
        )
    )


def identify_by_appointment(business_id: UUID, appointment_id: UUID) -> Identity:
    """The customer of this appointment. Raises `UnknownCustomer`."""
    found = Appointment.objects.filter(business=business_id, pk=appointment_id).first()
    if found is None:
        raise UnknownCustomer(_("There is no appointment with this id in the business."))
    traces = traces_of([found.customer_email], [found.customer_phone])
    return _with_names(Identity(business_id, traces, found.pk))


def appointments_of(identity: Identity) -> QuerySet[Appointment]:
    """All appointments that are theirs by what is written on them now, including deleted ones."""
    appointments = Appointment.objects.filter(business=identity.business_id)
    theirs = Q(pk=identity.appointment_id) & ~Q(
        customer_name="", customer_phone="", customer_email=""
    )
    if identity.traces:
        appointments = _readable(appointments)
        theirs |= Q(address__in=identity.traces.emails) | Q(digits__in=identity.traces.phones)
    return appointments.filter(theirs).order_by("start", "id")


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
    return replace(
        identity,
        traces=traces_of(identity.traces.emails, identity.traces.phones, names),
    )
