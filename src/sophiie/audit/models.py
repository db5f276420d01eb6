"""Entry, and the counts of failed sign-ins that become entries when their hour is over."""

from __future__ import annotations

from django.db import models

from sophiie.common.ids import new_id

LABEL_LENGTH = 254
AGENT_LENGTH = 160


class Entry(models.Model):
    """One act. The database refuses to change or delete it; see migrations/0002_append_only.py."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    # None: it concerns the installation, and no business sees it.
    business_id = models.UUIDField(null=True)
    act = models.CharField(max_length=40)

    actor_kind = models.CharField(max_length=10)
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(max_length=200, default="", db_default="")
    actor_email = models.CharField(max_length=254, default="", db_default="")
    # The public start of the API key that the actor used.
    key_prefix = models.CharField(max_length=16, default="", db_default="")

    subject_kind = models.CharField(max_length=20, default="", db_default="")
    subject_id = models.UUIDField(null=True)
    subject_label = models.CharField(max_length=LABEL_LENGTH, default="", db_default="")
    details = models.JSONField(default=dict, db_default={})

    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=AGENT_LENGTH, default="", db_default="")
    request_id = models.CharField(max_length=32, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["business_id", "-at", "-id"], name="audit_entry_of_business"),
            models.Index(fields=["at"], name="audit_entry_by_age"),
        ]

    def __repr__(self) -> str:
        return f"<Entry {self.id} {self.act}>"


class FailureCount(models.Model):
    """How often signing in to one account failed from one address within one hour."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    business_id = models.UUIDField(null=True)
    member_id = models.UUIDField()
    member_name = models.CharField(max_length=200, default="")
    # Empty: from any further address.
    address = models.CharField(max_length=45)
    since = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member_id", "since", "address"], name="audit_failure_once_an_hour"
            )
        ]
        indexes = [models.Index(fields=["since"], name="audit_failure_by_age")]
