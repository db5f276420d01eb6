"""Service, and who can do it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from sophiie.common.ids import new_id
from sophiie.services.colours import Colour

NAME_LENGTH = 100
DESCRIPTION_LENGTH = 2000
PRICE_LENGTH = 60
TITLE_LENGTH = 300  # as an appointment's
NOTES_LENGTH = 5000
ONE_NAME = "service_name_unique"


class Service(models.Model):
    """A kind of work that a business offers.

    An appointment keeps the buffers that its service had when it was booked, so nothing that is
    changed here moves it. What is null is as the business's booking rules say.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey("accounts.Business", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=NAME_LENGTH)
    description = models.TextField(max_length=DESCRIPTION_LENGTH, blank=True, default="")
    # How long it takes unless somebody says otherwise, and all lengths to choose from.
    duration_minutes = models.PositiveIntegerField()
    durations = ArrayField(models.PositiveIntegerField())
    buffer_before = models.PositiveSmallIntegerField(null=True, blank=True)
    buffer_after = models.PositiveSmallIntegerField(null=True, blank=True)
    notice_minutes = models.PositiveIntegerField(null=True, blank=True)
    window_days = models.PositiveIntegerField(null=True, blank=True)
    # As the business writes it: "from $90", "free of charge".
    price = models.CharField(max_length=PRICE_LENGTH, blank=True, default="")
    colour = models.CharField(max_length=10, choices=[(c.value, c.value) for c in Colour])
    # How many members it takes.
    people = models.PositiveSmallIntegerField(default=1)
    # Only an active one is offered and booked; earlier appointments stay of it.
    active = models.BooleanField(default=True)
    default_title = models.CharField(max_length=TITLE_LENGTH, blank=True, default="")
    default_notes = models.TextField(max_length=NOTES_LENGTH, blank=True, default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                "business", Lower("name"), name=ONE_NAME, condition=models.Q(active=True)
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """The title that it gives to an appointment."""
        return self.default_title or self.name


class ServiceMember(models.Model):
    """A member who can do a service. A service without such rows can be done by everybody."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="doers")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "member"], name="service_member_once")
        ]
