"""Resource and ResourceUse: the rows that keep a room or a van from being booked twice."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models

from sophiie.common.ids import new_id

NAME_LENGTH = 100
KIND_LENGTH = 50
NO_OVERLAP = "resource_no_overlap"


class Resource(models.Model):
    """A room, a van, a machine: nobody signs in as it, and it has no hours of its own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey("accounts.Business", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=KIND_LENGTH, blank=True, default="")
    # One that is not keeps the times it has; nobody can choose it any more.
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "business", models.functions.Lower("name"), name="resource_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ResourceUse(models.Model):
    """That an appointment needs a resource: to a resource what an `Assignment` is to a member."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    appointment = models.ForeignKey(
        "appointments.Appointment", on_delete=models.CASCADE, related_name="resource_uses"
    )
    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="uses")
    during = DateTimeRangeField()
    blocking = models.BooleanField(default=True)
    # The appointment's own: after it this use blocks nothing, whatever `blocking` says.
    held_until = models.DateTimeField(null=True, blank=True)
    # Somebody with the right to booked over another use; this one does not block.
    booked_anyway = models.BooleanField(default=False)
    # A law changed the clocks and put it over another use.
    displaced = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["appointment", "resource"], name="resource_use_once"),
            ExclusionConstraint(
                name=NO_OVERLAP,
                expressions=[
                    ("resource", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
                condition=models.Q(blocking=True),
            ),
        ]
        indexes = [
            GistIndex(
                fields=["resource", "during"],
                name="resource_use_booked_anyway",
                condition=models.Q(booked_anyway=True),
            ),
            GistIndex(
                fields=["resource", "during"],
                name="resource_use_displaced",
                condition=models.Q(displaced=True),
            ),
        ]
