"""BusyCalendar and BusyPeriod: the local copy of what keeps members busy elsewhere."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import DateTimeRangeField
from django.contrib.postgres.indexes import GistIndex
from django.db import models

from sophiie.common.ids import new_id


class BusyCalendar(models.Model):
    """A calendar in which an event makes a member busy, and how fresh our copy of it is.

    A member without one is not linked. The row lives as long as the calendar counts; with it goes
    all that was read. What lies outside `known_from` to `known_until` was never read.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="busy_calendars"
    )
    calendar_id = models.CharField(max_length=1024)
    # When the copy was last known to be right; None: never read.
    checked_at = models.DateTimeField(null=True, blank=True)
    known_from = models.DateTimeField(null=True, blank=True)
    known_until = models.DateTimeField(null=True, blank=True)
    # Why the last reading did not succeed; the sentence, "" when it did, is what release 0.1 reads:
    # see common/reasons.py.
    problem_reason = models.JSONField(default=dict, blank=True, db_default={})
    problem = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "calendar_id"], name="busy_calendar_once"),
        ]


class BusyPeriod(models.Model):
    """A stretch of time in which a member is not free: times only, nothing of the event."""

    id = models.BigAutoField(primary_key=True)
    calendar = models.ForeignKey(BusyCalendar, on_delete=models.CASCADE, related_name="periods")
    # That of the calendar, here once more for the index.
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="busy_periods"
    )
    # The event's own name in its calendar, by which a later version replaces an earlier one.
    event_id = models.CharField(max_length=1100)
    # That of the series of which it is one, "" otherwise: a series may go as a whole.
    series_id = models.CharField(max_length=1100, blank=True, default="", db_default="")
    during = DateTimeRangeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "event_id"], name="busy_period_per_event"),
        ]
        indexes = [GistIndex(fields=["member", "during"], name="busy_period_by_member")]
