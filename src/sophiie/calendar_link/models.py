"""CalendarLink, LinkAttempt, Revocation."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from sophiie.common.encrypted import EncryptedTextField, Unreadable
from sophiie.common.ids import new_id


class LinkState(models.TextChoices):
    CHOOSING = "choosing", "Choosing a calendar"
    BACKFILLING = "backfilling", "Adding upcoming appointments"
    ACTIVE = "active", "Active"
    NEEDS_RECONNECT = "needs_reconnect", "Needs reconnecting"
    UNLINKING = "unlinking", "Removing upcoming events"
    UNLINKED = "unlinked", "Unlinked"


# The states in which Google may be called on behalf of a link's mirror.
MIRRORING = (LinkState.BACKFILLING, LinkState.ACTIVE, LinkState.UNLINKING)
# The states in which changes are recorded for a link, even when nothing can be sent at the moment.
RECORDING = (LinkState.BACKFILLING, LinkState.ACTIVE, LinkState.NEEDS_RECONNECT)


class Covers(models.TextChoices):
    MINE = "assigned_or_created", "Appointments assigned to me or created by me"
    ASSIGNED = "assigned", "Appointments assigned to me"
    ALL = "all", "All appointments of the business"


class Privacy(models.TextChoices):
    FULL = "full", "Everything: title, place, people, customer, notes"
    TITLE_PLACE = "title_place", "Title and place only"
    BUSY = "busy", "Only that I am busy"


class CalendarLink(models.Model):
    """A member's connection to one Google account and one chosen calendar."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="calendar_links"
    )
    state = models.CharField(max_length=16, choices=LinkState.choices, default=LinkState.CHOOSING)
    covers = models.CharField(max_length=20, choices=Covers.choices, default=Covers.MINE)

    privacy = models.CharField(
        max_length=12, choices=Privacy.choices, default=Privacy.FULL, db_default=Privacy.FULL
    )

    # The account: only `sub` names it for ever; the address is for people to read.
    google_sub = models.CharField(max_length=255)
    google_email = models.CharField(max_length=254)
    refresh_token = EncryptedTextField(blank=True, default="")
    access_token = EncryptedTextField(blank=True, default="")
    access_token_expires_at = models.DateTimeField(null=True, blank=True)
    # The claim of the process that renews the access token (`common/claims.py`).
    refreshing_until = models.DateTimeField(null=True, blank=True)

    calendar_id = models.CharField(max_length=1024, blank=True, default="")
    calendar_name = models.CharField(max_length=500, blank=True, default="")
    # Further calendars of the account in which an event makes the member busy.
    busy_calendar_ids = models.JSONField(default=list, blank=True)
    # Their names by id, as far as they were known when they were ticked.
    busy_calendar_names = models.JSONField(default=dict, blank=True, db_default={})

    # The language in which the calendar was chosen, for its events if the member chose none.
    language = models.CharField(max_length=10, blank=True, default="", db_default="")

    # Why it does not work; the sentence is what release 0.1 reads: see common/reasons.py.
    problem_reason = models.JSONField(default=dict, blank=True, db_default={})
    problem = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)
    unlinked_at = models.DateTimeField(null=True, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)
    backfill_total = models.PositiveIntegerField(default=0)

    # Google asked us to leave this account's calendar alone until then, or its quota is used up.
    parked_until = models.DateTimeField(null=True, blank=True)
    # When the link broke; the person is told at once, and again after some days.
    broken_at = models.DateTimeField(null=True, blank=True)
    reminders_sent = models.PositiveSmallIntegerField(default=0, db_default=0)

    # Which worker writes to this calendar at the moment; see calendar_link/lease.py.
    lease_holder = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"],
                condition=~models.Q(state=LinkState.UNLINKED),
                name="one_calendar_link_per_member",
            ),
        ]
        indexes = [
            models.Index(fields=["google_sub"], name="calendar_link_by_account"),
            # The few that somebody has to look after: most are active, or unlinked long ago.
            models.Index(
                fields=["state", "id"],
                name="calendar_link_unsettled",
                condition=~models.Q(state__in=(LinkState.ACTIVE, LinkState.UNLINKED)),
            ),
        ]

    @property
    def grant_is_lost(self) -> bool:
        """Whether the key that encrypted its grant is gone."""
        return isinstance(self.refresh_token, Unreadable)

    def __repr__(self) -> str:  # never the tokens
        return f"<CalendarLink {self.id} {self.state}>"


class LinkAttempt(models.Model):
    """One trip to Google and back: works once, for some minutes, in the session that began it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state_digest = models.CharField(max_length=64, unique=True)
    session_digest = models.CharField(max_length=64)
    redirect_uri = models.CharField(max_length=500)
    code_verifier = EncryptedTextField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)


class Revocation(models.Model):
    """A grant that is still to be revoked at Google. Holds nothing else of the former link."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    token = EncryptedTextField()
    google_sub = models.CharField(max_length=255)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()

    def __repr__(self) -> Any:
        return f"<Revocation {self.id}>"
