"""Makes, changes and deletes services, for owners and admins. Everybody reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.accounts.people import NotAllowed
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.services.errors import InvalidService, UnknownService
from sophiie.services.models import ONE_NAME, Service, ServiceMember
from sophiie.services.rules import ServiceDetails, check_details

logger = log(__name__)

MAX_SERVICES = 200


def may_edit(by: Member) -> bool:
    """Who may make, change and delete services."""
    return by.manages_business


def make(*, by: Member, details: ServiceDetails) -> Service:
    """Makes a service of the business of `by`. Raises `NotAllowed` and `InvalidService`."""
    _check_right(by)
    details = details.tidied()
    check_details(details)
    if Service.objects.filter(business=by.business_id).count() >= MAX_SERVICES:
        words = _("A business can have %(n)s services; delete one of them first.")
        raise InvalidService({"name": words % {"n": MAX_SERVICES}})
    moment = now()
    service = Service(business_id=by.business_id, created_at=moment, updated_at=moment)
    with _one_name(), transaction.atomic():
        _write(service, details, before=None)
        _record(audit.Act.SERVICE_MADE, by, service)
    logger.info("service made", service_id=str(service.pk), by=str(by.pk))
    return service


def change(
    *, by: Member, service_id: UUID, to: Callable[[ServiceDetails], ServiceDetails]
) -> Service:
    """Changes a service to what `to` makes of the details of now; appointments keep what they have.

    Raises `NotAllowed`, `UnknownService` and `InvalidService`.
    """
    _check_right(by)
    with _one_name(), transaction.atomic():
        service = _locked(by, service_id)
        before = ServiceDetails.of(service)
        after = to(before).tidied()
        check_details(after)
        if after == before:
            return service
        service.updated_at = now()
        _write(service, after, before=before)
        _record(audit.Act.SERVICE_CHANGED, by, service, **_differences(before, after))
    logger.info("service changed", service_id=str(service_id), by=str(by.pk))
    return service


def delete(*, by: Member, service_id: UUID) -> None:
    """Deletes a service; appointments keep what it gave them. Call it in the transaction of a
    business act, because it waits for their rows. Raises `NotAllowed` and `UnknownService`."""
    _check_right(by)
    service = Service.objects.select_for_update().filter(pk=service_id, business=by.business_id)
    found = service.first()
    if found is None:
        raise UnknownService
    _record(audit.Act.SERVICE_DELETED, by, found)
    found.delete()


def _locked(by: Member, service_id: UUID) -> Service:
    """The service, locked against other changes but not against bookings."""
    rows = Service.objects.select_for_update(no_key=True).filter(business=by.business_id)
    found = rows.filter(pk=service_id).first()
    if found is None:
        raise UnknownService
    return found


def _write(service: Service, details: ServiceDetails, *, before: ServiceDetails | None) -> None:
    kept = set(before.member_ids) if before else set()
    wanted = set(details.member_ids)
    team = Member.objects.filter(business=service.business_id, pk__in=wanted - kept, is_active=True)
    newcomers = set(team.values_list("pk", flat=True))
    if wanted - kept - newcomers:
        raise InvalidService({"member_ids": _("Name only people of this business.")})
    for name, value in asdict(details).items():
        if name != "member_ids":
            setattr(service, name, list(value) if isinstance(value, tuple) else value)
    service.save()
    service.doers.exclude(member__in=wanted).delete()
    ServiceMember.objects.bulk_create(
        ServiceMember(service=service, member_id=member_id) for member_id in sorted(newcomers)
    )


@contextmanager
def _one_name() -> Iterator[None]:
    """Two active services of a business never have the same name: the database sees to it."""
    try:
        yield
    except IntegrityError as error:
        if ONE_NAME not in str(error):
            raise
        words = _("There is already an active service with this name.")
        raise InvalidService({"name": words}) from error


def _check_right(by: Member) -> None:
    if not may_edit(by):
        raise NotAllowed(_("Only owners and admins of this business may do that."))


def _differences(before: ServiceDetails, after: ServiceDetails) -> dict[str, Any]:
    """{field: [before, after]} as JSON values; of people only how many."""
    old, new = asdict(before), asdict(after)
    return {
        name: [_plain(name, old[name]), _plain(name, new[name])]
        for name in new
        if old[name] != new[name]
    }


def _plain(name: str, value: Any) -> Any:
    if name == "member_ids":
        return len(value)
    return list(value) if isinstance(value, tuple) else value


def _record(act: audit.Act, by: Member, service: Service, **details: Any) -> None:
    audit.record(
        act=act,
        business_id=by.business_id,
        by=by,
        subject=audit.Subject("service", service.id, service.name),
        details=details,
    )
