"""What the appointment form offers to choose: services, and how long the way may be."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.availability.words import length
from sophiie.services.models import Service
from sophiie.services.selectors import active_services, services_of

WAYS = (0, 5, 10, 15, 20, 30, 45, 60, 90, 120)


def services_to_choose(by: Member, appointment: Appointment | None) -> dict[str, Service]:
    """The active services by id, and the one that the appointment has."""
    found = list(active_services(by.business_id))
    kept = appointment.service_id if appointment else None
    if kept and kept not in {service.pk for service in found}:
        found += services_of(by.business_id).filter(pk=kept)
    return {str(service.pk): service for service in found}


def travel_choices(kept: int) -> list[tuple[int, str]]:
    """Minutes, and how to say them; with the present way, whatever set it."""
    ways = sorted({*WAYS, kept})
    return [(n, length(timedelta(minutes=n)) if n else _("none")) for n in ways]
