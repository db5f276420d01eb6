"""WorkingHours, SpecialDay and BookingRules.

A business without any of these rows works too: Monday to Friday from nine to five, by the rules in
`rules.py`.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from sophiie.availability.rules import Rules
from sophiie.common.ids import new_id

NAME_LENGTH = 120


class WorkingHours(models.Model):
    """A member's week. It is read and saved as a whole, so it is one value and not many rows."""

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    # The zone in whose clocks the hours are meant; "": the business's.
    timezone = models.CharField(max_length=64, blank=True, default="")
    # Monday to Sunday, each a list of ["09:00", "17:00"]; see `hours.week_as_json`.
    week = models.JSONField()


class SpecialDay(models.Model):
    """Days that differ from the week: without spans a day off, with spans other hours.

    Without a member it is a holiday of the whole business.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey("accounts.Business", on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    first_day = models.DateField()
    last_day = models.DateField()
    spans = models.JSONField(default=list, blank=True)
    # Of a holiday, everybody reads it; of a member's day, the member and whoever manages the
    # business.
    name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")

    class Meta:
        ordering = ["first_day", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")),
                name="special_day_ends_after_start",
            )
        ]
        indexes = [models.Index(fields=["business", "last_day"], name="special_day_by_business")]


class BookingRules(models.Model):
    """What a business asks of every time that is offered; `rules.Rules` explains them."""

    business = models.OneToOneField(
        "accounts.Business", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    buffer_before_minutes = models.PositiveIntegerField(default=Rules.buffer_before_minutes)
    buffer_after_minutes = models.PositiveIntegerField(default=Rules.buffer_after_minutes)
    notice_minutes = models.PositiveIntegerField(default=Rules.notice_minutes)
    window_days = models.PositiveIntegerField(default=Rules.window_days)
    step_minutes = models.PositiveIntegerField(default=Rules.step_minutes)
