"""The service that a question about free times names, and its lengths."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.api.problems import invalid
from sophiie.services.models import Service
from sophiie.services.rules import lengths_listed
from sophiie.services.selectors import able, find


def service_of(
    member: Member, service_id: UUID | None, *, may_be_inactive: bool = False
) -> Service | None:
    """The service, or None if the request names none. Raises `UnknownService`."""
    if service_id is None:
        return None
    service = find(member.business_id, service_id)
    if not (service.active or may_be_inactive):
        raise invalid({"service": ["This service is not offered any more."]})
    return service


def doers_of(service: Service, members: Sequence[Member], *, all_named: bool) -> list[Member]:
    """Those of the members who can do the service; with `all_named` it has to be all."""
    doers = able(service, members)
    if all_named and len(doers) < len(members):
        others = ", ".join(member.name for member in members if member not in doers)
        raise invalid({"members": [f"This service is not done by {others}."]})
    return doers


def length_of(service: Service | None, minutes: int | None) -> timedelta:
    """How long the time is that is asked for: one of the service's lengths."""
    if service is None:
        if minutes is None:
            raise invalid({"duration_minutes": ["Give a length, or a service."]})
        return timedelta(minutes=minutes)
    if minutes is not None and minutes not in service.durations:
        listed = lengths_listed(service.durations)
        raise invalid({"duration_minutes": [f"One of the service's lengths: {listed}."]})
    return timedelta(minutes=minutes or service.duration_minutes)


def end_of(service: Service | None, start: datetime) -> datetime:
    """The end of a time that is as long as the service."""
    if service is None:
        raise invalid({"end": ["Give an end, or a service."]})
    try:
        return start + timedelta(minutes=service.duration_minutes)
    except OverflowError:
        raise invalid({"start": ["Use a date between the years 2000 and 2099."]}) from None
