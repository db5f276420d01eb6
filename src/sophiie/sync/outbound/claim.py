"""Claims what is due in a link's outbox, and counts the attempt.

In SQL, because this runs for every change: with Django's queries here, in `outcome.py` and
`bulk_sql.py` a change cost 12 times the processor time of a bare call to Google, now 3.6 times, of
which claiming and recording are 0.17 ms (docs/reference/benchmarks.md, "The mirror").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from sophiie.common.clock import now
from sophiie.common.sql import Rows, execute, pipeline, send
from sophiie.sync.due import DUE, due_at, park
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbound.render import Content
from sophiie.sync.quota.buckets import affordable, pause_for

# Rows claimed and recorded together; unlinking waits for one batch at most.
BATCH = 16

# What an attempt needs to know of its row, in the order of the model; the rest is not read.
_FIELDS = (
    "id",
    "link_id",
    "appointment_id",
    "calendar_id",
    "event_id",
    "wanted",
    "wanted_revision",
    "shown_revision",
    "backfill",
    "sent",
    "attempts",
    "updated_at",
    "etag",
    "drift_kind",
    "drift_seen_at",
    "drift_start",
    "drift_end",
    "drift_fields",
    "shown_fields",
    "left_out",
    "series_may_go",
    "restored_revision",
    "guests",
    "shown_guests",
    "sent_guests",
)
_HOLD_DUE_ROWS = f"""
    SELECT link.google_sub, {", ".join(f"row.{field}" for field in _FIELDS)}
    {DUE} AND row.link_id = %(link)s
    ORDER BY row.backfill, row.next_attempt_at, row.id
    LIMIT {BATCH}
    FOR UPDATE OF row SKIP LOCKED
"""

# Where each field of a `Content` is found.
_CONTENT = {
    "appointment_id": "appointment.id",
    "business_id": "appointment.business_id",
    "revision": "row.wanted_revision",
    "privacy": "link.privacy",
    "title": "appointment.title",
    "start": "appointment.start",
    "end": "appointment.end",
    "timezone": "appointment.timezone",
    "location": "appointment.location",
    "notes": "appointment.notes",
    "assignees": """ARRAY(
        SELECT member.name FROM appointments_assignment assignment
        JOIN accounts_member member ON member.id = assignment.member_id
        WHERE assignment.appointment_id = appointment.id ORDER BY member.name COLLATE "C"
    )""",
    "customer_name": "appointment.customer_name",
    "customer_phone": "appointment.customer_phone",
    "customer_email": "appointment.customer_email",
    "language": "coalesce(nullif(person.language, ''), link.language)",
}
_CONTENTS = f"""
    SELECT row.id, row.calendar_id <> link.calendar_id,
        EXISTS (
            SELECT FROM sync_restoredbackup backup WHERE backup.restored_at > appointment.created_at
        ),
        {", ".join(_CONTENT.values())}
    FROM sync_mirroredevent row
    JOIN calendar_link_calendarlink link ON link.id = row.link_id
    JOIN accounts_member person ON person.id = link.member_id
    JOIN appointments_appointment appointment ON appointment.id = row.appointment_id
    WHERE row.id = ANY(%(ids)s)
"""  # noqa: S608 - no values

# What was never sent and is not wanted needs no call, and must not count as sent. One update:
# after a second one of the same row PostgreSQL checks its references anew.
_BEGIN = """
    UPDATE sync_mirroredevent SET attempts = attempts + 1, sent = sent OR wanted,
        sent_guests = CASE
            WHEN NOT wanted OR sent_guests @> guests THEN sent_guests
            ELSE (
                SELECT jsonb_agg(DISTINCT guest)
                FROM jsonb_array_elements(sent_guests || guests) AS guest
            )
        END
    WHERE id = ANY(%(ids)s)
"""


@dataclass(frozen=True)
class Work:
    """A row whose attempt has begun, with all it takes to render the event."""

    row: MirroredEvent
    content: Content
    # The row's calendar is one that was chosen before.
    left_behind: bool
    # The appointment was in a backup that was restored since.
    is_from_backup: bool = False


def claim_due(link_id: UUID) -> list[Work]:
    """The next rows that are due, [] when there are none or the link has to wait."""
    moment = now()
    with transaction.atomic():
        google_sub, rows = _hold_due_rows(link_id, moment)
        if not rows:
            return []
        ids = [row.pk for row in rows]
        with pipeline():
            # Only now that the rows are held. The statement that holds a row sees its latest
            # version, but may see the appointment as it was before the change that made it.
            found = send(_CONTENTS, ids=ids)
            count = affordable(rows, google_sub, moment)
            contents = _contents(found.fetchall())
            if count:
                send(_BEGIN, ids=ids[:count])
    if not count:  # after the rows: whoever changes a link holds it before its rows
        park(link_id, moment + pause_for(rows))
    return [_begun(row, *contents[row.pk]) for row in rows[:count]]


def _begun(row: MirroredEvent, content: Content, left_behind: bool, is_from_backup: bool) -> Work:
    """The row as the statement above has made it."""
    row.attempts += 1
    if row.wanted:
        row.sent_guests = sorted({*row.sent_guests, *row.guests})
    return Work(row, content, left_behind, is_from_backup)


def seconds_until_due(link_id: UUID) -> float | None:
    """How long until the next row of the link is due; None if none is, or the link has to wait."""
    moment = now()
    soon = moment + timedelta(seconds=settings.MIRROR_COALESCE_SECONDS)
    ((first,),) = execute(
        f"SELECT min(least(row.next_attempt_at, %(moment)s)) {DUE} AND row.link_id = %(link)s",
        link=link_id,
        **due_at(soon),
    )
    return max(0.0, (first - moment).total_seconds()) if first else None


def _hold_due_rows(link_id: UUID, moment: datetime) -> tuple[str, list[MirroredEvent]]:
    """The rows, and the account they belong to."""
    found = execute(_HOLD_DUE_ROWS, link=link_id, **due_at(moment))
    rows = [MirroredEvent.from_db(connection.alias, _FIELDS, values) for _, *values in found]
    return (found[0][0] if found else ""), rows


def _contents(found: Rows) -> dict[UUID, tuple[Content, bool, bool]]:
    """By row, the content, whether the row was left behind, and whether it is from a backup."""
    contents: dict[UUID, tuple[Content, bool, bool]] = {}
    for row_id, left_behind, is_from_backup, *values in found:
        fields = dict(zip(_CONTENT, values, strict=True))
        url = f"{settings.PUBLIC_URL}/appointments/{fields['appointment_id']}"
        contents[row_id] = Content(**fields, url=url), left_behind, is_from_backup
    return contents
