"""Of which service an appointment is.

It keeps the buffers that the service has at that moment. What is changed of the service later, or
that it is deleted, moves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    return note_service_on([appointment], service_id).get(appointment.id, {})


def note_service_on(
    appointments: Sequence[Appointment], service_id: UUID | None
) -> dict[UUID, dict[str, Any]]:
    """Does the same with many appointments of one business, in as many queries as for one.

    Returns what changed by the id of the appointment, and nothing of those that stay as they are.
    """
    changing = [one for one in appointments if one.service_id != service_id]
    if not changing:
        return {}
    names = names_of_services(one.service_id for one in changing)
    service = _offered(changing[0].business_id, service_id) if service_id else None
    changed = {}
    for appointment in changing:
        before = names.get(appointment.service_id)
        appointment.service_id = service_id
        appointment.buffer_before_minutes = service.buffer_before if service else None
        appointment.buffer_after_minutes = service.buffer_after if service else None
        changed[appointment.id] = {"service": [before, service.name if service else None]}
    return changed


def check_service(appointments: Sequence[Appointment], service_id: UUID | None) -> None:
    """Raises `InvalidAppointment` where `note_service_on` would; notes nothing."""
    changing = [one for one in appointments if one.service_id != service_id]
    if changing and service_id is not None:
        _offered(changing[0].business_id, service_id)


def names_of_services(service_ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """The names of those that exist, in one query, or in none if no service is named."""
    ids = {one for one in service_ids if one is not None}
    if not ids:
        return {}
    return dict(Service.objects.filter(pk__in=ids).values_list("pk", "name"))


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
