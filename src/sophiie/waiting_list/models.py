"""WaitingEntry: somebody who would come sooner."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from sophiie.appointments.models import TITLE_LENGTH
from sophiie.common.ids import new_id

NAME_LENGTH = 200
PHONE_LENGTH = 50
NOTE_LENGTH = 1000


class WaitingEntry(models.Model):
    """With an `appointment` it is that one, to be moved to an earlier time; its own title, length,
    people, service and customer count. Without, it is a new one, and the words here count."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey(
        "accounts.Business", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    appointment = models.OneToOneField(
        "appointments.Appointment", on_delete=models.CASCADE, null=True, related_name="waiting"
    )
    # What it is to be, if it is one of the business's services: its terms and people count.
    service = models.ForeignKey(
        "services.Service", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    title = models.CharField(max_length=TITLE_LENGTH, blank=True, default="")
    customer_name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    customer_phone = models.CharField(max_length=PHONE_LENGTH, blank=True, default="")
    minutes = models.PositiveIntegerField(default=0)
    # Any of these people; nobody named: anybody.
    member_ids = ArrayField(models.UUIDField(), blank=True, default=list)
    # Days of the business on which it may be.
    first_day = models.DateField()
    last_day = models.DateField()
    note = models.TextField(max_length=NOTE_LENGTH, blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["business", "created_at", "id"], name="waiting_in_order"),
            models.Index(fields=["last_day"], name="waiting_until"),
        ]

    def __str__(self) -> str:
        return self.what

    @property
    def what(self) -> str:
        return self.appointment.title if self.appointment else self.title

    @property
    def whom(self) -> str:
        """The customer's name and phone, as far as they are known."""
        told = self.appointment or self
        return " · ".join(text for text in (told.customer_name, told.customer_phone) if text)
