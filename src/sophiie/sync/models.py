"""MirroredEvent: the outbox, the mapping and the outcome in one row."""

from __future__ import annotations

from uuid import uuid4

from django.db import models

from sophiie.common.ids import new_event_id, new_id


class MirrorState(models.TextChoices):
    PENDING = "pending", "Syncing"
    SYNCED = "synced", "In Google Calendar"
    FAILED = "failed", "Needs attention"
    PAUSED = "paused", "Paused"
    RELEASED = "released", "No longer managed"


class DriftKind(models.TextChoices):
    NONE = "", "Nothing"
    EDITED = "edited", "Changed in Google"
    DELETED = "deleted", "Deleted in Google"
    STILL_THERE = "still_there", "Still in Google"


# Of `shown_fields`: whatever was sent before, all of it is to be sent.
ANEW = {"anew": True}


class MirroredEvent(models.Model):
    """The event in Google that stands for one appointment in one link.

    At most one row of an appointment and link is wanted. Another one, in a calendar that was chosen
    before, is on its way out, or gone.

    `wanted_revision` is what Google should show and `shown_revision` what it shows (0: nothing, as
    far as we know); `wanted` says whether there should be an event at all. The row is recorded in
    the transaction that changed the appointment, so work can be neither lost nor invented.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    link = models.ForeignKey(
        "calendar_link.CalendarLink", on_delete=models.PROTECT, related_name="mirrored_events"
    )
    appointment = models.ForeignKey(
        "appointments.Appointment", on_delete=models.PROTECT, related_name="mirrored_events"
    )
    calendar_id = models.CharField(max_length=1024)
    event_id = models.CharField(max_length=64, default=new_event_id)

    wanted = models.BooleanField(default=True)
    wanted_revision = models.PositiveIntegerField()
    shown_revision = models.PositiveIntegerField(default=0)
    # One of the many that a new link or a change of its settings brings along: after all others.
    backfill = models.BooleanField(default=False, db_default=False)
    # Set before anything is sent: from then on an event may exist, whatever we heard.
    sent = models.BooleanField(default=False)

    state = models.CharField(
        max_length=10, choices=MirrorState.choices, default=MirrorState.PENDING
    )
    attempts = models.PositiveIntegerField(default=0)
    # Why it is not as wanted; the sentence is what release 0.1 reads: see common/reasons.py.
    error_reason = models.JSONField(default=dict, blank=True, db_default={})
    error = models.CharField(max_length=500, blank=True, default="")
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    synced_at = models.DateTimeField(null=True, blank=True)
    html_link = models.CharField(max_length=2000, blank=True, default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    # Google's name for the version that our last write made: a poll that returns it is no news.
    etag = models.CharField(max_length=100, blank=True, default="", db_default="")
    # The version that a poll returned while a write of ours was under way. Which of the two came
    # last shows when the event is fetched once more, after the write is recorded.
    unjudged_etag = models.CharField(max_length=100, blank=True, default="", db_default="")
    # Whether a poll ever returned the event: nobody can have deleted what never was there.
    told = models.BooleanField(default=False, db_default=False)
    # What somebody made of the event in Google. Without times: deleted, or an all-day event. What
    # differs besides its times is in `drift_fields`; see `drift_state.py`.
    drift_kind = models.CharField(
        max_length=11, choices=DriftKind.choices, blank=True, default="", db_default=""
    )
    drift_seen_at = models.DateTimeField(null=True, blank=True)
    drift_start = models.DateTimeField(null=True, blank=True)
    drift_end = models.DateTimeField(null=True, blank=True)
    drift_fields = models.JSONField(default=dict, blank=True, db_default={})
    # What we sent last and what came back of it, as digests by field; see `texts.py`. {}: unknown.
    shown_fields = models.JSONField(default=dict, blank=True, db_default={})
    # Optional parts that Google refused, each with its words, and when to try them again.
    left_out = models.JSONField(default=dict, blank=True, db_default={})
    left_out_next_at = models.DateTimeField(null=True, blank=True)
    # The person said that a series may be deleted which somebody made of the event.
    series_may_go = models.BooleanField(default=False, db_default=False)
    # Another link's event in the same calendar stands for the appointment: nothing to do here.
    hosted_elsewhere = models.BooleanField(default=False, db_default=False)

    # The revision that a restored backup wants, until Google's event was compared with it; see
    # `restored.py`.
    restored_revision = models.PositiveIntegerField(null=True, blank=True)

    # Assignees without a link of their own, by email address: whom the event should have as
    # guests, whom it has as far as we know, and whom attempts have sent since we last knew. Guests
    # that a person added are in none of them.
    guests = models.JSONField(default=list, blank=True, db_default=[])
    shown_guests = models.JSONField(default=list, blank=True, db_default=[])
    sent_guests = models.JSONField(default=list, blank=True, db_default=[])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["link", "appointment", "calendar_id"],
                name="one_mirrored_event_per_calendar",
            ),
            models.UniqueConstraint(
                fields=["link", "calendar_id", "event_id"], name="event_id_used_once"
            ),
        ]
        indexes = [
            # The outbox: what is due, oldest first.
            models.Index(
                fields=["link", "backfill", "next_attempt_at"],
                name="mirrored_event_due",
                condition=models.Q(state=MirrorState.PENDING),
            ),
            # The same of all links, for the sweep.
            models.Index(
                fields=["next_attempt_at", "link"],
                name="mirrored_event_due_at",
                condition=models.Q(state=MirrorState.PENDING, hosted_elsewhere=False),
            ),
            # What a clock that was ahead wrote, among what is still to be done.
            models.Index(
                fields=["updated_at"],
                name="mirrored_event_written",
                condition=models.Q(state__in=(MirrorState.PENDING, MirrorState.FAILED)),
            ),
            # What Google refused and is to be tried again.
            models.Index(
                fields=["next_attempt_at"],
                name="mirrored_event_refused",
                condition=models.Q(state=MirrorState.FAILED),
            ),
            # Where an optional part is to be tried again.
            models.Index(
                fields=["left_out_next_at"],
                name="mirrored_event_left_out",
                condition=models.Q(left_out_next_at__isnull=False),
            ),
            # Whether an event that somebody's calendar holds is of our making.
            models.Index(fields=["event_id"], name="mirrored_event_by_event"),
        ]


class WatchedCalendar(models.Model):
    """How far one calendar of a link was polled: the chosen one, or one that counts as busy.

    The result is stored in `busy_time`; both rows live as long as the calendar counts.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    link = models.ForeignKey(
        "calendar_link.CalendarLink", on_delete=models.CASCADE, related_name="watched_calendars"
    )
    calendar_id = models.CharField(max_length=1024)
    # What Google called it at the last poll; see calendar_names.py.
    title = models.CharField(max_length=500, blank=True, default="", db_default="")
    # Where the next poll goes on; "" means a full poll.
    sync_token = models.TextField(blank=True, default="")
    window_start = models.DateTimeField(null=True, blank=True)
    window_end = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    # Why the last poll changed nothing here; release 0.1 reads the sentence, "" when it went well:
    # see common/reasons.py.
    error_reason = models.JSONField(default=dict, blank=True, db_default={})
    error = models.CharField(max_length=300, blank=True, default="")
    next_read_at = models.DateTimeField()
    # How far ahead that was put, so that what lies further was put there by a wrong clock; and
    # whether it is only the net under a channel that reports changes. See `rhythm.py`.
    next_read_within = models.DurationField(null=True, blank=True)
    is_net = models.BooleanField(default=False, db_default=False)
    # How wide the net is, when somebody else last changed something there, when a message of
    # Google's came first since the last poll, and when its member last had a page open.
    net_width = models.DurationField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    # The claim of the process that polls (`common/claims.py`), which is short and extended again
    # and again, so that a process that died is in nobody's way for long.
    reader = models.UUIDField(null=True, blank=True)
    reading_until = models.DateTimeField(null=True, blank=True)

    # How many events since the last full poll cannot be understood, so that the widest reading of
    # each counts.
    not_understood = models.PositiveIntegerField(default=0, db_default=0)

    # So many of our upcoming events are gone at once that the person is asked: since when, how
    # many, and whether they said that it is meant.
    missing = models.PositiveIntegerField(default=0, db_default=0)
    missing_since = models.DateTimeField(null=True, blank=True)
    missing_is_meant = models.BooleanField(default=False, db_default=False)
    # What the last comparison with all that should be there found: when, how much it repaired,
    # and how many events of Sophiie's making belong to nothing.
    reconciled_at = models.DateTimeField(null=True, blank=True)
    repaired = models.PositiveIntegerField(default=0, db_default=0)
    orphans = models.PositiveIntegerField(default=0, db_default=0)
    # When the first of these begin, so that their person knows which they are.
    orphans_at = models.JSONField(default=list, blank=True, db_default=[])
    # The first of them whose appointment nobody knows any more, about which the person is asked:
    # [{"event": …, "appointment": …, "start": …}]; see `actions/lost_events.py`.
    lost = models.JSONField(default=list, blank=True, db_default=[])

    # When a channel for notifications is to be opened, or opened anew; None: now. Some calendars
    # have none, for ever.
    push_next_at = models.DateTimeField(null=True, blank=True)
    push_problem_reason = models.JSONField(default=dict, blank=True, db_default={})
    push_problem = models.CharField(max_length=200, blank=True, default="", db_default="")
    unwatchable = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "calendar_id"], name="calendar_watched_once"),
        ]
        indexes = [
            models.Index(fields=["next_read_at"], name="watched_calendar_due"),
            models.Index(
                fields=["push_next_at"],
                name="watched_calendar_push_due",
                condition=models.Q(unwatchable=False),
            ),
        ]


class StrayEvent(models.Model):
    """An event of ours that a poll met in a calendar where Sophiie has put none: a person dragged
    it there, or it is a guest's copy.

    While it stands for its appointment, at the time noted here, it is no busy time. When that ends
    Google has no news of it, so its calendar is to be polled in full; see `left_in_google.py`.
    """

    # The database deletes it with either, whoever deletes that one: the version before this table,
    # too.
    calendar = models.ForeignKey(
        WatchedCalendar, on_delete=models.DO_NOTHING, related_name="strays", db_constraint=False
    )
    event_id = models.CharField(max_length=64)
    appointment = models.ForeignKey(
        "appointments.Appointment",
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
    )
    start = models.DateTimeField()
    end = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["calendar", "event_id"], name="stray_event_once"),
        ]


class PushChannel(models.Model):
    """A channel over which Google reports that a calendar changed, though not what changed.

    Its id and the digest of its token are stored before Google is asked, because a first
    notification may come before the answer. Without `expires_at` there is no answer yet.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    link = models.ForeignKey(
        "calendar_link.CalendarLink", on_delete=models.CASCADE, related_name="push_channels"
    )
    calendar_id = models.CharField(max_length=1024)
    token_digest = models.CharField(max_length=64)
    # Google's name for what is watched, which it needs to stop the channel.
    resource_id = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    # When its first message came, which proves that Google's messages reach us; how many came that
    # report changes; and how many changes polls have found since the last one that it missed.
    proved_at = models.DateTimeField(null=True, blank=True)
    messages = models.PositiveIntegerField(default=0, db_default=0)
    missed = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="push_channel_ends")]


class SyncAttempt(models.Model):
    """One attempt to bring Google to the wanted state, and its outcome: the ledger."""

    id = models.BigAutoField(primary_key=True)
    mirrored_event = models.ForeignKey(
        MirroredEvent, on_delete=models.CASCADE, related_name="tries"
    )
    at = models.DateTimeField()
    revision = models.PositiveIntegerField()
    wanted = models.BooleanField()
    succeeded = models.BooleanField()
    # Google's answer: HTTP status, reason and message.
    status = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=100, blank=True, default="")
    message = models.CharField(max_length=300, blank=True, default="")
    next_attempt_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["mirrored_event", "-at"], name="sync_attempt_by_event"),
            models.Index(fields=["at"], name="sync_attempt_by_age"),
            # Empty for ever: what `messages.REFUSED_BY_GUARD` stands for never happens.
            models.Index(
                fields=["at"],
                name="sync_attempt_guarded",
                condition=models.Q(reason="refusedByGuard"),
            ),
        ]


class QuotaBucket(models.Model):
    """Units of Google's quota left for an account or for the project; see `quota/buckets.py`."""

    scope = models.CharField(max_length=300, primary_key=True)
    level = models.FloatField()
    counted_at = models.DateTimeField()


class UnitsUsed(models.Model):
    """Units of Google's quotas that were used in a minute, an hour or a day; see `quota/units.py`.

    `scope` is the project, or a link's id.
    """

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=40)
    span = models.CharField(max_length=6)
    since = models.DateTimeField()
    kind = models.CharField(max_length=10)
    units = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "span", "since", "kind"], name="units_counted_once"
            ),
        ]
        indexes = [models.Index(fields=["span", "since"], name="units_used_by_age")]


class Tally(models.Model):
    """How often something happened so far, and how long it took altogether."""

    name = models.CharField(max_length=60, primary_key=True)
    times = models.BigIntegerField(default=0, db_default=0)
    seconds = models.FloatField(default=0.0, db_default=0.0)


class GuestReview(models.Model):
    """A request to decide the guests of one business anew."""

    business = models.OneToOneField(
        "accounts.Business", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    # The claim of the worker that does it (`common/claims.py`).
    claimed_until = models.DateTimeField(null=True, blank=True)


class RestoredBackup(models.Model):
    """A backup that was restored into this database, and when what follows from it was noted.

    The restoring itself makes the table and writes the row (`backup/restoring.py`).
    """

    id = models.BigAutoField(primary_key=True)
    taken_at = models.DateTimeField()
    restored_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
