"""Finds services and the people who do them; always within one business."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.services.colours import Colour, first_unused
from sophiie.services.errors import UnknownService
from sophiie.services.models import Service
from sophiie.services.rules import members_named


def services_of(business_id: UUID) -> QuerySet[Service]:
    """All services of the business by name, with those who do them."""
    return Service.objects.filter(business=business_id).prefetch_related("doers")


def active_services(business_id: UUID) -> QuerySet[Service]:
    """The services that are offered."""
    return services_of(business_id).filter(active=True)


def to_choose(business_id: UUID, kept: UUID | None) -> dict[str, Service]:
    """The services that are offered, by id, and the one that an appointment has."""
    found = list(active_services(business_id))
    if kept and kept not in {service.pk for service in found}:
        found += services_of(business_id).filter(pk=kept)
    return {str(service.pk): service for service in found}


def find(business_id: UUID, service_id: UUID) -> Service:
    """The service, if it is of this business; else raises `UnknownService`."""
    found = services_of(business_id).filter(pk=service_id).first()
    if found is None:
        raise UnknownService
    return found


def colour_for_new(business_id: UUID) -> Colour:
    """A colour that no other service of the business has, as long as there is one."""
    return first_unused(active_services(business_id).values_list("colour", flat=True))


_KEPT = "SELECT * FROM services_service WHERE id = %s AND business_id = %s FOR KEY SHARE"


def find_to_keep(business_id: UUID, service_id: UUID) -> Service:
    """As `find`, inside a transaction: until it ends nobody deletes the service, and others can
    book it meanwhile."""
    for found in Service.objects.raw(_KEPT, [service_id, business_id]):
        return found
    raise UnknownService


def able(service: Service, members: Sequence[Member]) -> list[Member]:
    """Those of these members who can do the service."""
    named = set(members_named(service))
    return [member for member in members if not named or member.pk in named]


def able_members(service: Service) -> list[Member]:
    """Every active member who can do the service, by name."""
    return able(service, list(active_members(service.business_id)))
