"""Of which service an appointment is.

It keeps the buffers that the service has at that moment. What is changed of the service later, or
that it is deleted, moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.locking import in_transaction
from sophiie.appointments.models import Appointment
from sophiie.services import editing
from sophiie.services.errors import UnknownService
from sophiie.services.models import Service
from sophiie.services.selectors import find_to_keep


def note_service(appointment: Appointment, service_id: UUID | None) -> dict[str, Any]:
    """Notes another service, or none, on an appointment that is about to be stored, and returns
    what changed, by names, for the history. What stays the same keeps its buffers.

    Raises `InvalidAppointment` if the business has no such service, or does not offer it any more.
    """
    if service_id == appointment.service_id:
        return {}
    before = _name_of(appointment.service_id)
    service = _offered(appointment.business_id, service_id) if service_id else None
    appointment.service_id = service_id
    appointment.buffer_before_minutes = service.buffer_before if service else None
    appointment.buffer_after_minutes = service.buffer_after if service else None
    return {"service": [before, service.name if service else None]}


def note_service_on_all(
    appointments: Iterable[Appointment], service_id: UUID | None
) -> dict[UUID, dict[str, Any]]:
    """The same for many appointments of one business, looked up once; what changed, by id."""
    others = [one for one in appointments if one.service_id != service_id]
    if not others:
        return {}
    had = {one.service_id for one in others if one.service_id is not None}
    named = Service.objects.filter(pk__in=had)
    names: dict[UUID | None, str] = dict(named.values_list("pk", "name"))
    service = _offered(others[0].business_id, service_id) if service_id else None
    changes = {}
    for one in others:
        changes[one.id] = {
            "service": [names.get(one.service_id), service.name if service else None]
        }
        one.service_id = service_id
        one.buffer_before_minutes = service.buffer_before if service else None
        one.buffer_after_minutes = service.buffer_after if service else None
    return changes


def _name_of(service_id: UUID | None) -> str | None:
    if service_id is None:
        return None
    return Service.objects.filter(pk=service_id).values_list("name", flat=True).first()


def _offered(business_id: UUID, service_id: UUID) -> Service:
    try:
        service = find_to_keep(business_id, service_id)
    except UnknownService:
        words = _("There is no service with this id.")
        raise InvalidAppointment({"service_id": words}) from None
    if not service.active:
        words = _("“%(name)s” is not offered any more.") % {"name": service.name}
        raise InvalidAppointment({"service_id": words})
    return service


def delete_service(*, by: Member, service_id: UUID) -> None:
    """Deletes a service; appointments keep what it gave them. Raises `NotAllowed`,
    `UnknownService` and `TooBusy`."""
    in_transaction(lambda: editing.delete(by=by, service_id=service_id))
