"""Series and its visits, and what is needed to undo an act on a whole series.

What is said at the visits stands in their appointments alone, so that no series knows anybody's
name.
"""

from __future__ import annotations

from datetime import date, datetime

from django.conf import settings
from django.db import models

from sophiie.common.ids import new_id
from sophiie.common.wall_time_field import WallTimeField
from sophiie.series.planning import ClockAnswers, Doubled, Skipped, Timing
from sophiie.series.rule import Rule, ShortMonths, read


class Series(models.Model):
    """A rule, and when it applies. Its visits are appointments of their own."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey("accounts.Business", on_delete=models.PROTECT, related_name="+")
    # RFC 5545, in our subset of it; see rule.py.
    rule = models.CharField(max_length=200)
    short_months = models.CharField(
        max_length=8, choices=[(one.value, one.value) for one in ShortMonths]
    )
    timezone = models.CharField(max_length=64)
    # What the clocks show when the first visit begins.
    wall_start = WallTimeField()
    length = models.DurationField()
    # Days of the rule without a visit, and days of an open-ended rule whose visit could not be
    # booked: somebody has to say what becomes of them. ISO dates.
    left_out = models.JSONField(default=list, blank=True)
    not_booked = models.JSONField(default=list, blank=True)
    # What was answered about times that the clocks skip or double; "": not asked.
    when_skipped = models.CharField(max_length=9, blank=True, default="")
    when_doubled = models.CharField(max_length=6, blank=True, default="")
    # Of an open-ended rule: up to which day there are visits.
    planned_through = models.DateField(null=True, blank=True)
    # How many visits people are told of, "3 of 10"; None while it has no end.
    total = models.PositiveIntegerField(null=True, blank=True)
    # The number of its first visit: after a split it goes on counting.
    first_number = models.PositiveIntegerField(default=1)
    revision = models.PositiveIntegerField(default=1)
    # The series that this one continues with another rule. What it was split from has ended.
    previous = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Which open-ended ones have to be planned further.
            models.Index(
                fields=["planned_through"],
                name="series_open_ended",
                condition=models.Q(planned_through__isnull=False, ended_at=None),
            ),
            models.Index(
                fields=["business"],
                name="series_with_questions",
                condition=~models.Q(not_booked=[]),
            ),
        ]

    def __str__(self) -> str:
        return self.rule

    @property
    def first(self) -> datetime:
        assert self.wall_start is not None
        return self.wall_start

    @property
    def parsed(self) -> Rule:
        return read(
            self.rule,
            first=self.first,
            zone=self.timezone,
            short_months=ShortMonths(self.short_months),
        )

    @property
    def rule_as_told(self) -> Rule:
        """The rule as people know it: after a split, too, it counts all visits that there are."""
        rule = self.parsed
        return rule if rule.count is None else rule.ending(count=self.total)

    @property
    def timing(self) -> Timing:
        return Timing(
            rule=self.parsed,
            first=self.first,
            zone=self.timezone,
            length=self.length,
            left_out=frozenset(map(date.fromisoformat, self.left_out)),
            answers=ClockAnswers(
                Skipped(self.when_skipped) if self.when_skipped else None,
                Doubled(self.when_doubled) if self.when_doubled else None,
            ),
        )

    def keep(self, timing: Timing) -> None:
        """Takes over all that a timing says; the caller saves it."""
        self.rule, self.short_months = timing.rule.as_text(), timing.rule.short_months
        self.timezone, self.wall_start, self.length = timing.zone, timing.first, timing.length
        self.left_out = sorted(day.isoformat() for day in timing.left_out)
        self.when_skipped = timing.answers.skipped or ""
        self.when_doubled = timing.answers.doubled or ""


class Visit(models.Model):
    """One appointment of a series. It keeps its number whatever becomes of the others."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="visits")
    appointment = models.OneToOneField(
        "appointments.Appointment", on_delete=models.CASCADE, related_name="+"
    )
    number = models.PositiveIntegerField()
    # The day of the rule that it stands for, wherever it was moved.
    planned = models.DateField()
    # Somebody changed it without the others, so it stays as it is when they change.
    changed_alone = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "number"], name="visit_number_once")
        ]

    def __str__(self) -> str:
        return str(self.number)

    @property
    def of(self) -> int | None:
        """How many visits there are; None for one that an earlier change left behind the last."""
        total = self.series.total
        return total if total is not None and self.number <= total else None


class Kind(models.TextChoices):
    MADE = "made", "made"
    CHANGED = "changed", "changed"
    CANCELLED = "cancelled", "cancelled"


class SeriesAct(models.Model):
    """One act on a whole series, and how everything was before: ids, times and numbers only. The
    words that it changed are in the history of the appointments."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # After a split, the new series.
    series = models.ForeignKey(Series, on_delete=models.CASCADE, related_name="acts")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    before = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["series", "-at"], name="series_act_latest")]
