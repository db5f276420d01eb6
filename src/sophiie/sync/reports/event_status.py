"""The state of a mirrored event, and of a link's queue, as people are shown it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q

from sophiie.accounts.models import Member
from sophiie.calendar_link.google_app import address_in_google
from sophiie.calendar_link.models import RECORDING, CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.reasons import Reason, kept
from sophiie.common.sql import Columns, execute
from sophiie.sync.messages import REFUSED_BY_GUARD, answer
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState, SyncAttempt
from sophiie.sync.quota.buckets import share_used


@dataclass(frozen=True)
class Drift:
    """How somebody changed the event in Google. Without times: deleted, or an all-day event.

    `fields`: what differs besides its times; see `drift_state.Seen`."""

    kind: str
    seen_at: datetime
    start: datetime | None
    end: datetime | None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EventStatus:
    """The state of one appointment in one link, as pages and API show it to one person.

    `calendar_id` and `html_link` are "" where they do not concern that person."""

    appointment_id: UUID
    member_id: UUID
    member_name: str
    calendar_id: str
    event_id: str
    state: str
    wanted: bool
    shown_revision: int
    synced_at: datetime | None
    attempts: int
    error: Reason
    next_attempt_at: datetime | None
    html_link: str
    # Assignees who see it in their own calendars as guests of this event: email addresses.
    guests: tuple[str, ...] = ()
    # Optional parts that Google refused, by name, with its words.
    left_out: Mapping[str, str] = field(default_factory=dict)
    drift: Drift | None = None


@dataclass(frozen=True)
class LinkHealth:
    """The queue of one link."""

    pending: int
    failed: int
    backfill_done: int
    backfill_total: int
    oldest_waiting_since: datetime | None = None
    last_error: str = ""
    last_error_at: datetime | None = None
    refused_by_guard: int = 0
    # Of what the account may send at once, from 0 to 1.
    quota_used: float = 0.0
    parked_until: datetime | None = None


# What `_status` needs, and nothing secret: a link's tokens are decrypted when they are read.
_EVENT = Columns(
    MirroredEvent,
    only="id link_id appointment_id calendar_id event_id wanted state shown_revision synced_at "
    "attempts error error_reason next_attempt_at html_link shown_guests drift_kind "
    "drift_seen_at drift_start drift_end drift_fields left_out hosted_elsewhere",
)
_LINK = Columns(CalendarLink, only="id member_id state problem problem_reason")
_MEMBER = Columns(Member, only="id name")
# In SQL, as part of every booking's answer: Django takes 1 ms to make the same statement anew.
_ROWS = f"""
    SELECT {_EVENT.of("row")}, {_LINK.of("link")}, {_MEMBER.of("member")}
    FROM sync_mirroredevent AS row
    JOIN calendar_link_calendarlink AS link ON link.id = row.link_id
    JOIN accounts_member AS member ON member.id = link.member_id
    WHERE row.appointment_id = ANY(%(appointments)s)
    ORDER BY row.created_at, row.id
"""  # noqa: S608 - columns, no values


def statuses_of(appointment_ids: Iterable[UUID], *, to: Member) -> dict[UUID, list[EventStatus]]:
    """The states of these appointments as `to` may see them, by appointment."""
    rows = [_row(iter(values)) for values in execute(_ROWS, appointments=list(appointment_ids))]
    # A member may have had several links, and a link several calendars: the wanted row counts, or
    # else the newest.
    newest: dict[tuple[UUID, UUID], MirroredEvent] = {}
    for row in rows:
        known = newest.get((row.appointment_id, row.link.member_id))
        if known is None or known.link_id != row.link_id or not known.wanted:
            newest[row.appointment_id, row.link.member_id] = row
    hosts = {
        (row.appointment_id, row.calendar_id): row
        for row in rows
        if row.wanted and not row.hosted_elsewhere
    }
    found: dict[UUID, list[EventStatus]] = {}
    for row in newest.values():
        host = row
        if row.wanted and row.hosted_elsewhere:  # one event, that of another link, is both's
            host = hosts.get((row.appointment_id, row.calendar_id), row)
        found.setdefault(row.appointment_id, []).append(_status(row, host, to))
    return found


def _row(values: Iterator[Any]) -> MirroredEvent:
    row, row.link = _EVENT.built(values), _LINK.built(values)
    row.link.member = _MEMBER.built(values)
    return row


def attempts_of(appointment_id: UUID, *, most: int = 20) -> list[SyncAttempt]:
    """The latest attempts for an appointment, the newest first."""
    return list(
        SyncAttempt.objects.filter(mirrored_event__appointment=appointment_id)
        .select_related("mirrored_event__link__member")
        .order_by("-at", "-id")[:most]
    )


def event_rows_of(appointment_id: UUID) -> list[MirroredEvent]:
    """The rows of an appointment in links that are not unlinked."""
    rows = MirroredEvent.objects.filter(appointment=appointment_id)
    return list(rows.exclude(link__state=LinkState.UNLINKED).order_by("link_id"))


def _status(of: MirroredEvent, row: MirroredEvent, to: Member) -> EventStatus:
    """The state of one link's row, as `row` has it: itself, or the row of the link that hosts the
    event. Colleagues who may not see the link see neither its calendar's id, mostly the address of
    a Google account, nor the addresses of events, which contain it."""
    is_shown = to.manages_business or of.link.member_id == to.id
    state = displayed_state(row)
    return EventStatus(
        appointment_id=of.appointment_id,
        member_id=of.link.member_id,
        member_name=of.link.member.name,
        calendar_id=of.calendar_id if is_shown else "",
        event_id=row.event_id,
        state=state,
        wanted=row.wanted,
        shown_revision=row.shown_revision,
        synced_at=row.synced_at,
        attempts=row.attempts,
        error=kept(row.link, "problem") if state == "paused" else kept(row, "error"),
        next_attempt_at=row.next_attempt_at if state == "pending" else None,
        html_link=address_in_google(row.html_link) if is_shown else "",
        guests=tuple(row.shown_guests),
        left_out=row.left_out if row.wanted else {},
        drift=_drift(row),
    )


def _drift(row: MirroredEvent) -> Drift | None:
    """Drift that waits for an answer. A write that is on its way is the answer."""
    answered = row.state != MirrorState.SYNCED or row.link.state not in RECORDING
    concerns_it = row.wanted or row.drift_kind == DriftKind.STILL_THERE
    if not row.drift_kind or row.drift_seen_at is None or not concerns_it or answered:
        return None
    return Drift(
        row.drift_kind, row.drift_seen_at, row.drift_start, row.drift_end, row.drift_fields
    )


def displayed_state(row: MirroredEvent) -> str:
    """The row's own state, unless its link says more: unlinked, or waiting for the person."""
    if row.link.state == LinkState.UNLINKED:
        return "released"
    if row.link.state == LinkState.NEEDS_RECONNECT and row.state == MirrorState.PENDING:
        return "paused"
    return row.state


def health_of(link: CalendarLink) -> LinkHealth:
    if link.activated_at is None:  # no calendar chosen yet
        return LinkHealth(pending=0, failed=0, backfill_done=0, backfill_total=0)
    rows = MirroredEvent.objects.filter(link=link)
    backfill = Q(state=MirrorState.PENDING, backfill=True)
    counts = rows.aggregate(
        pending=Count("id", filter=Q(state=MirrorState.PENDING)),
        failed=Count("id", filter=Q(state=MirrorState.FAILED)),
        backfilling=Count("id", filter=backfill),
        oldest=Min("updated_at", filter=Q(state=MirrorState.PENDING)),
    )
    left = min(counts["backfilling"], link.backfill_total)
    tries = SyncAttempt.objects.filter(mirrored_event__link=link)
    failure = tries.filter(succeeded=False).order_by("-at", "-id").first()
    return LinkHealth(
        pending=counts["pending"],
        failed=counts["failed"],
        backfill_done=link.backfill_total - left,
        backfill_total=link.backfill_total,
        oldest_waiting_since=counts["oldest"],
        last_error=answer(failure.status, failure.reason, failure.message) if failure else "",
        last_error_at=failure.at if failure else None,
        refused_by_guard=tries.filter(reason=REFUSED_BY_GUARD).count(),
        quota_used=share_used(link.google_sub, now()),
        parked_until=link.parked_until,
    )
