"""BusyCalendar and BusyPeriod: the local copy of what keeps members busy elsewhere."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import DateTimeRangeField
from django.contrib.postgres.indexes import GistIndex
from django.db import models

from sophiie.common.ids import new_id


class BusyCalendar(models.Model):
    """A calendar in which an event makes a member busy, and how fresh our copy of it is.

    A member without one is not linked. The row lives as long as the calendar counts, and its
    periods with it. Nothing is known outside `known_from` to `known_until`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="busy_calendars"
    )
    calendar_id = models.CharField(max_length=1024)
    # When the copy was last known to be right; None: never polled.
    checked_at = models.DateTimeField(null=True, blank=True)
    known_from = models.DateTimeField(null=True, blank=True)
    known_until = models.DateTimeField(null=True, blank=True)
    # The zone by which its all-day events were understood; "" if everything has to be read again.
    time_zone = models.CharField(max_length=100, blank=True, default="", db_default="")
    # Why the last poll failed; release 0.1 reads the sentence, "" if it did not: see
    # common/reasons.py.
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
    # The calendar's member, repeated here for the index.
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="busy_periods"
    )
    # The event's id in its calendar, by which a later version replaces an earlier one.
    event_id = models.CharField(max_length=1100)
    # The id of its series, or "": a series may disappear as a whole.
    series_id = models.CharField(max_length=1100, blank=True, default="", db_default="")
    during = DateTimeRangeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "event_id"], name="busy_period_per_event"),
        ]
        indexes = [GistIndex(fields=["member", "during"], name="busy_period_by_member")]
