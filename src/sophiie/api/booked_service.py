"""What a service gives to a booking where the request does not say it: title, length, notes,
assignees.

Whoever names assignees may name people who do not do the service: that is no refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.api.problems import invalid
from sophiie.availability.services import team_for
from sophiie.services.errors import UnknownService
from sophiie.services.models import Service
from sophiie.services.selectors import find


def service_named(member: Member, service_id: UUID | None) -> Service | None:
    """The service that the request names, or None if it names none."""
    if service_id is None:
        return None
    try:
        return find(member.business_id, service_id)
    except UnknownService:
        raise invalid({"service_id": ["There is no service with this id."]}) from None


def title_of(given: str | None, service: Service | None) -> str:
    if given is None and service is None:
        raise invalid({"title": ["Field required"]})
    if given is None and service is not None:
        return service.title
    return (given or "").strip()


def notes_of(given: str | None, service: Service | None) -> str:
    if given is None:
        return service.default_notes if service else ""
    return given


def team_of_service(
    member: Member, service: Service, *, start: datetime, end: datetime, travel_minutes: int
) -> Sequence[Member]:
    """As many as it takes: the key's member, then others who can do it, and who is free before who
    is not."""
    team = team_for(service, first=[member], start=start, end=end, travel_minutes=travel_minutes)
    if not team:
        raise invalid({"assignees": ["Nobody can do this service at the moment: name somebody."]})
    return team
