"""Makes, changes and deletes resources: owners and admins may."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.accounts.people import NotAllowed
from sophiie.common.blank import is_blank
from sophiie.common.clock import now
from sophiie.resources.errors import InvalidResource, ResourceInUse, UnknownResource
from sophiie.resources.models import KIND_LENGTH, NAME_LENGTH, Resource

MAX_RESOURCES = 200


def make(*, by: Member, name: str, kind: str = "") -> Resource:
    """Makes a resource of the business of `by`. Raises `NotAllowed` and `InvalidResource`."""
    _check_may(by)
    resource = Resource(business_id=by.business_id, created_at=now())
    _fill(resource, name, kind)
    if Resource.objects.filter(business=by.business_id).count() >= MAX_RESOURCES:
        words = _("A business has %(n)s resources at most.") % {"n": MAX_RESOURCES}
        raise InvalidResource({"name": words})
    _save(resource, audit.Act.RESOURCE_MADE, by)
    return resource


@transaction.atomic
def change(
    *,
    by: Member,
    resource_id: UUID,
    name: str | None = None,
    kind: str | None = None,
    active: bool | None = None,
) -> Resource:
    """Changes what is named. Raises as `make`, and `UnknownResource`."""
    _check_may(by)
    resource = find(by, resource_id, for_update=True)
    before = (resource.name, resource.kind, resource.active)
    _fill(
        resource,
        resource.name if name is None else name,
        resource.kind if kind is None else kind,
    )
    resource.active = resource.active if active is None else active
    if before != (resource.name, resource.kind, resource.active):
        _save(resource, audit.Act.RESOURCE_CHANGED, by)
    return resource


def delete(*, by: Member, resource_id: UUID) -> None:
    """Deletes a resource that no coming appointment needs; past ones no longer name it, their
    history does. Call it in the transaction of a business act that holds the resource's lock.
    Raises `NotAllowed`, `UnknownResource` and `ResourceInUse`."""
    _check_may(by)
    resource = find(by, resource_id, for_update=True)
    coming = resource.uses.filter(appointment__end__gt=now(), appointment__deleted_at=None)
    if coming.exclude(appointment__status="cancelled").exists():
        raise ResourceInUse(
            _("Coming appointments need it. Take it off them first, or mark it as not in use.")
        )
    resource.uses.all().delete()
    _record(audit.Act.RESOURCE_DELETED, resource, by)
    resource.delete()


def may_edit(by: Member) -> bool:
    return by.manages_business


def find(by: Member, resource_id: UUID, *, for_update: bool = False) -> Resource:
    """The resource, if the business of `by` has it; else raises `UnknownResource`."""
    among = Resource.objects.select_for_update() if for_update else Resource.objects.all()
    found = among.filter(business=by.business_id, pk=resource_id).first()
    if found is None:
        raise UnknownResource
    return found


def _check_may(by: Member) -> None:
    if not may_edit(by):
        raise NotAllowed(_("Only owners and admins may do that."))


def _fill(resource: Resource, name: str, kind: str) -> None:
    errors = {}
    if is_blank(name):
        errors["name"] = _("Give it a name.")
    for field, text, length in (("name", name, NAME_LENGTH), ("kind", kind, KIND_LENGTH)):
        if len(text) > length:
            errors[field] = _("At most %(n)s characters.") % {"n": length}
        elif not text.isprintable():
            errors[field] = _("This text contains a character that cannot be stored.")
    if errors:
        raise InvalidResource(errors)
    resource.name, resource.kind = " ".join(name.split()), " ".join(kind.split())


def _save(resource: Resource, act: audit.Act, by: Member) -> None:
    try:
        with transaction.atomic():
            resource.save()
            _record(act, resource, by)
    except IntegrityError:
        raise InvalidResource({"name": _("Another resource has this name.")}) from None


def _record(act: audit.Act, resource: Resource, by: Member) -> None:
    audit.record(
        act=act,
        business_id=resource.business_id,
        by=by,
        subject=audit.Subject("resource", resource.id, resource.name),
        details={"kind": resource.kind, "active": resource.active},
    )
