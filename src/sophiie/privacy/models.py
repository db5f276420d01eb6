"""Erasure: what somebody asked to be erased, from the request until it is done."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models

from sophiie.common.ids import new_id

# The deletion of a member or a business can be called off for this long.
DELAY = timedelta(days=30)
# Whoever began an erasure has this long before another process takes it up.
CLAIM = timedelta(minutes=5)


class Subject(models.TextChoices):
    CUSTOMER = "customer", "Customer"
    MEMBER = "member", "Member"
    BUSINESS = "business", "Business"


class Erasure(models.Model):
    """Work that is due once `due_at` has come. The row goes with the last trace, so an interrupted
    erasure is taken up again; each of its steps is idempotent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey("accounts.Business", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=10, choices=Subject.choices)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    # What identifies the person: see `customers.Identity` and `members.Traces`.
    about = models.JSONField(default=dict, blank=True)
    # Of a customer: upcoming appointments stay, without a name. Otherwise they are cancelled.
    keep_upcoming = models.BooleanField(default=False)
    # Of a member or a business: upcoming events are removed from Google first. Otherwise they stay.
    remove_events = models.BooleanField(default=False)
    # The language of the words that replace what was erased.
    language = models.CharField(max_length=10)
    # None: a command asked.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    # Whoever works on it moves this ahead first, so that the others leave it alone.
    next_attempt_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member"], name="one_erasure_per_member"),
            models.UniqueConstraint(
                fields=["business"],
                condition=models.Q(subject=Subject.BUSINESS),
                name="one_erasure_per_business",
            ),
        ]
        indexes = [models.Index(fields=["next_attempt_at"], name="erasure_due")]
