"""Reads resources; always within one business."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Lower

from sophiie.resources.models import Resource, ResourceUse


def resources_of(business_id: UUID) -> QuerySet[Resource]:
    """All of them, by name."""
    return Resource.objects.filter(business=business_id).order_by(Lower("name"), "id")


def uses_of(appointment_id: UUID) -> list[ResourceUse]:
    """What an appointment needs, in the order in which it was named."""
    uses = ResourceUse.objects.filter(appointment=appointment_id)
    return list(uses.select_related("resource").order_by("id"))


def uses_of_many(appointment_ids: Iterable[UUID]) -> dict[UUID, list[ResourceUse]]:
    """By appointment, what `uses_of` returns; one query, however many appointments."""
    found: dict[UUID, list[ResourceUse]] = defaultdict(list)
    uses = ResourceUse.objects.filter(appointment__in=list(appointment_ids))
    for use in uses.select_related("resource").order_by("id"):
        found[use.appointment_id].append(use)
    return found


def names_of_resources(appointment_ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """By appointment, the names of what it needs; one query, however many appointments."""
    return _of_each_use(appointment_ids, "resource__name")


def ids_of_resources(appointment_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    """By appointment, the ids of what it needs; one query, however many appointments."""
    return _of_each_use(appointment_ids, "resource_id")


def _of_each_use(appointment_ids: Iterable[UUID], column: str) -> dict[UUID, list[Any]]:
    """By appointment, this column of its uses, in the order in which they were named."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    uses = ResourceUse.objects.filter(appointment__in=list(appointment_ids)).order_by("id")
    for appointment_id, value in uses.values_list("appointment_id", column):
        found[appointment_id].append(value)
    return found
