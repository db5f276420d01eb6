"""Appointment, Assignment, and the history of changes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GistIndex
from django.db import models

from sophiie.appointments.hold_time import has_run_out
from sophiie.common.clock import now
from sophiie.common.ids import new_id
from sophiie.common.wall_time import in_zone
from sophiie.common.wall_time_field import WallTimeField

TITLE_LENGTH = 300
LOCATION_LENGTH = 500
NOTES_LENGTH = 5000
NO_OVERLAP = "assignment_no_overlap"
# An assignment with buffers of a service, or a way to go.
OWN_DISTANCE = (
    models.Q(buffer_before_minutes__isnull=False)
    | models.Q(buffer_after_minutes__isnull=False)
    | models.Q(travel_minutes__gt=0)
)


class Status(models.TextChoices):
    HELD = "held", "Held"
    SCHEDULED = "scheduled", "Scheduled"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "No show"


class Appointment(models.Model):
    """A time with a customer: instants, and the zone in whose clocks people speak of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey("accounts.Business", on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=TITLE_LENGTH)
    start = models.DateTimeField()
    end = models.DateTimeField()
    timezone = models.CharField(max_length=64)
    # What the clocks there show at start and end: the truth when a law changes them; see
    # clock_laws.py. Noted for that revision; release 0.1 makes revisions without.
    wall_start = WallTimeField(null=True, blank=True)
    wall_end = WallTimeField(null=True, blank=True)
    wall_revision = models.PositiveIntegerField(default=0, db_default=0)
    location = models.CharField(max_length=LOCATION_LENGTH, blank=True, default="")
    notes = models.TextField(max_length=NOTES_LENGTH, blank=True, default="")
    customer_name = models.CharField(max_length=200, blank=True, default="")
    customer_phone = models.CharField(max_length=50, blank=True, default="")
    customer_email = models.CharField(max_length=254, blank=True, default="")
    # Whom these words mean today; see customers.py. What they say stays as it was told.
    customer = models.ForeignKey(
        "customers.Customer",
        on_delete=models.SET_NULL,
        null=True,
        related_name="appointments",
        db_index=False,
    )
    # Whether somebody looked for the customer. Release 0.2 books without.
    customer_sought = models.BooleanField(default=False, db_default=False)
    # The kind of work, if it is one of the business's services; see services.py.
    service = models.ForeignKey(
        "services.Service", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    # What the service had when it was booked; null: as the business's rules say on the day.
    buffer_before_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    buffer_after_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    # The way there; it counts like a buffer before.
    travel_minutes = models.PositiveSmallIntegerField(default=0, db_default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SCHEDULED)
    # Only for a hold: until when it keeps its time. Then it expires by itself.
    held_until = models.DateTimeField(null=True, blank=True)
    # The API key that made the hold, if one did; see `holding.py`.
    hold_key = models.ForeignKey(
        "accounts.ApiKey", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    revision = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    # A deleted appointment stays, for the history; no page and no API answer shows it again.
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="appointment_ends_after_start"
            )
        ]
        indexes = [
            models.Index(
                fields=["business", "start", "id"],
                name="appointment_by_start",
                condition=models.Q(deleted_at=None),
            ),
            models.Index(
                fields=["held_until"], name="appointment_held", condition=models.Q(status="held")
            ),
            models.Index(
                fields=["end"],
                name="appointment_without_wall_time",
                condition=~models.Q(wall_revision=models.F("revision")),
            ),
            # Which zones there are; see clock_laws.py.
            models.Index(fields=["timezone"], name="appointment_by_zone"),
            models.Index(
                fields=["customer", "start", "id"],
                name="appointment_of_customer",
                condition=models.Q(customer__isnull=False),
            ),
            models.Index(
                fields=["id"],
                name="appointment_customer_unsought",
                condition=models.Q(customer_sought=False),
            ),
            models.Index(
                fields=["service", "start", "id"],
                name="appointment_of_service",
                condition=models.Q(service__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def local_start(self) -> datetime:
        return in_zone(self.start, self.timezone)

    @property
    def local_end(self) -> datetime:
        return in_zone(self.end, self.timezone)

    @property
    def wall_is_noted(self) -> bool:
        return self.wall_start is not None and self.wall_revision == self.revision

    def note_wall_times(self, changed: Collection[str] = ("start", "end")) -> None:
        """Notes what the clocks show, of what was changed: start, end or the zone.

        What was not changed stays as it was noted: by new rules its instant may be worked out anew
        only in a moment.
        """
        everything = "timezone" in changed or not self.wall_is_noted
        if everything or "start" in changed:
            self.wall_start = self.local_start.replace(tzinfo=None)
        if everything or "end" in changed:
            self.wall_end = self.local_end.replace(tzinfo=None)
        self.wall_revision = self.revision

    @property
    def local_held_until(self) -> datetime | None:
        return in_zone(self.held_until, self.timezone) if self.held_until else None

    @property
    def is_hold(self) -> bool:
        """A hold, open or expired; not one that was confirmed or called off."""
        return self.held_until is not None

    @property
    def has_run_out(self) -> bool:
        """Whether it is an expired hold. Nobody needs to have noticed."""
        return has_run_out(self.held_until, now())

    @property
    def has_begun(self) -> bool:
        return self.start <= now()

    @property
    def is_on(self) -> bool:
        """Whether it takes place, or took place: not cancelled, deleted or expired."""
        return self.deleted_at is None and self.current_status != Status.CANCELLED

    @property
    def current_status(self) -> Status:
        """The status right now: an expired hold counts as cancelled."""
        return Status.CANCELLED if self.has_run_out else Status(self.status)


class Assignment(models.Model):
    """One assignee of an appointment: the row that the no-overlap rule protects."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    appointment = models.ForeignKey(
        Appointment, on_delete=models.CASCADE, related_name="assignments"
    )
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    during = DateTimeRangeField()
    blocking = models.BooleanField(default=True)
    # The appointment's own: after it this assignment blocks nothing, whatever `blocking` says.
    held_until = models.DateTimeField(null=True, blank=True)
    # Somebody with the right to booked over what was in the way. Over another appointment this
    # assignment does not block; over busy time elsewhere it does.
    booked_anyway = models.BooleanField(default=False)
    # A law changed the clocks and put it over another appointment: it does not block, though nobody
    # agreed to that; see clock_laws.py.
    displaced = models.BooleanField(default=False, db_default=False)
    # Booked with consent although the member's calendar could not be read.
    unverified = models.BooleanField(default=False, db_default=False)
    # The appointment's own, so that a search for free times reads one table.
    buffer_before_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    buffer_after_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    travel_minutes = models.PositiveSmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["appointment", "member"], name="assignment_once"),
            ExclusionConstraint(
                name=NO_OVERLAP,
                expressions=[
                    ("member", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
                condition=models.Q(blocking=True),
            ),
        ]
        indexes = [
            # Few rows: they show who was booked over.
            GistIndex(
                fields=["member", "during"],
                name="assignment_booked_anyway",
                condition=models.Q(booked_anyway=True),
            ),
            GistIndex(
                fields=["member", "during"],
                name="assignment_displaced",
                condition=models.Q(displaced=True),
            ),
            # Those that keep other distances than the business's rules; they may lie further away
            # from a time that is asked for.
            GistIndex(
                fields=["member", "during"],
                name="assignment_own_distance",
                condition=OWN_DISTANCE,
            ),
        ]


class Action(models.TextChoices):
    CREATED = "created", "created"
    CHANGED = "changed", "changed"
    CANCELLED = "cancelled", "cancelled"
    DELETED = "deleted", "deleted"
    REINSTATED = "reinstated", "reinstated"
    HELD = "held", "held"
    CONFIRMED = "confirmed", "confirmed"
    EXPIRED = "expired", "expired"
    ERASED = "erased", "erased"
    RECLOCKED = "reclocked", "reclocked"


class AppointmentChange(models.Model):
    """Who did what, when. Outlives a deleted appointment, for as long as the operator says; see
    `privacy/retention.py`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="changes")
    revision = models.PositiveIntegerField()
    action = models.CharField(max_length=10, choices=Action.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # {field: [before, after]} as JSON values; [null, null]: the values were erased.
    fields = models.JSONField(default=dict)

    class Meta:
        ordering = ["-revision"]
        constraints = [
            models.UniqueConstraint(fields=["appointment", "revision"], name="change_per_revision")
        ]
        indexes = [
            # How often somebody has held a time lately.
            models.Index(fields=["by", "at"], name="change_held", condition=models.Q(action="held"))
        ]


class ZoneRules(models.Model):
    """By which rules the instants of a zone's appointments were worked out; see clock_laws.py."""

    name = models.CharField(max_length=64, primary_key=True)
    fingerprint = models.CharField(max_length=64)
    # The release of the data, such as "2026a"; "" where nothing tells it.
    version = models.CharField(max_length=20, blank=True, default="")
    noted_at = models.DateTimeField()
