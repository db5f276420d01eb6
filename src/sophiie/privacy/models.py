"""Erasure: what somebody asked to be erased, from the asking until it is done."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models

from sophiie.common.ids import new_id

# Between asking for a member or a business to go and doing it: so long it can be called off.
DELAY = timedelta(days=30)
# So long an erasure is left to whoever began it, before another process takes it up.
CLAIM = timedelta(minutes=5)


class Subject(models.TextChoices):
    CUSTOMER = "customer", "Customer"
    MEMBER = "member", "Member"
    BUSINESS = "business", "Business"


class Erasure(models.Model):
    """Work that is due once `due_at` has come. The row goes when the last trace has gone, so an
    erasure that was cut off is taken up again; each of its steps may be done twice."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business = models.ForeignKey("accounts.Business", on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=10, choices=Subject.choices)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+"
    )
    # By what the person is found: see `customers.Identity` and `members.Traces`.
    about = models.JSONField(default=dict, blank=True)
    # Of a customer: upcoming appointments stay, without a name. Else they are cancelled.
    keep_upcoming = models.BooleanField(default=False)
    # Of a member or a business: upcoming events are first removed from Google. Else they stay.
    remove_events = models.BooleanField(default=False)
    # In which the words are left that stand in place of what was erased.
    language = models.CharField(max_length=10)
    # None: by command.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    # Whoever works on it moves this ahead first, so the others leave it alone.
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
