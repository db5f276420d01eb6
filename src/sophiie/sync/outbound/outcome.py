"""Records what a result means for the row: shown, again later, or failed with words for the person.

In SQL where every change passes through; the figures stand in `claim.py`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from sophiie.busy_time import snapshot
from sophiie.busy_time.snapshot import Period
from sophiie.calendar_link import problems
from sophiie.calendar_link.google_app import address_in_google
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.calendar_link.unlink import end_link
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.common.reasons import NO_REASON, Reason, keep
from sophiie.common.sql import pipeline, send
from sophiie.google.errors import (
    AccessLost,
    CalendarLost,
    DayUsedUp,
    GoogleError,
    RateLimited,
    UsageLimited,
)
from sophiie.sync.drift_state import Seen, compare, repetition_of, set_drift
from sophiie.sync.due import park
from sophiie.sync.left_in_google import poll_fully_soon
from sophiie.sync.messages import (
    INTERNAL,
    LEFT_BEHIND,
    REFUSED_BY_GUARD,
)
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState, SyncAttempt
from sophiie.sync.outbound.apply import Shown
from sophiie.sync.outbound.bulk_sql import FAILURE_FIELDS, OUTCOME_FIELDS, insert_rows, update_rows
from sophiie.sync.outbound.claim import Work
from sophiie.sync.outbound.failures import REFUSAL_PAUSE, meaning
from sophiie.sync.outbound.guard import NotOurs
from sophiie.sync.outbound.parts import GUESTS, shown_fields_after
from sophiie.sync.outbound.render import render_event
from sophiie.sync.outbox.guests import note_shown_guests
from sophiie.sync.outbox.hosting import former_host
from sophiie.sync.outbox.record import record_anew

_HOLD_LINK = """
    SELECT link.state, member.business_id FROM calendar_link_calendarlink link
    JOIN accounts_member member ON member.id = link.member_id
    WHERE link.id = %(id)s FOR NO KEY UPDATE OF link
"""
_HOLD_ROWS = """
    SELECT id, updated_at FROM sync_mirroredevent WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE
"""
_SUCCEEDED = """
    UPDATE calendar_link_calendarlink SET last_synced_at = %(moment)s WHERE id = %(id)s
"""


@dataclass(frozen=True)
class Result:
    """What came of one attempt for one row."""

    work: Work
    shown: Shown | None = None
    failure: Exception | None = None

    @property
    def row(self) -> MirroredEvent:
        return self.work.row


@dataclass(frozen=True)
class _HeldLink:
    id: UUID
    state: str
    business_id: UUID


def record(results: list[Result]) -> None:
    """Records a batch of results of one link and tells the open pages.

    Writes only the fields that an attempt changes, so what others changed in the rows meanwhile
    stays.
    """
    moment = now()
    with transaction.atomic():
        link, touched = _hold(results)
        shown, failed = [], []
        for result in results:
            row = result.row
            if result.shown is not None:
                _record_shown(result, result.shown, row.pk in touched, moment)
                shown.append(row)
            elif result.failure is not None:
                _record_failure(result, result.failure, row.pk in touched, moment)
                failed.append(row)
            row.updated_at = moment
        with pipeline():
            update_rows(shown, OUTCOME_FIELDS)
            update_rows(failed, FAILURE_FIELDS)
            insert_rows(SyncAttempt, [_ledger_entry(result, moment) for result in results])
            if shown:
                send(_SUCCEEDED, id=link.id, moment=moment)
            appointments = [{"appointment": result.row.appointment_id} for result in results]
            live.announce_all(link.business_id, [*appointments, {"link": link.id}])
        for result in results:
            if result.shown is not None and result.shown.is_left:
                _keep_busy(result, link)
        _park(results, moment)
        _end_what_is_done(link)
    for appointment_id in _shown_beside_what_was_removed(results):
        record_anew(appointment_id, backfill=True)
    # Without our rows: a poll locks its calendar before them.
    poll_fully_soon(link.business_id, _calendars_of_what_stays(results))
    for result in results:
        if isinstance(result.failure, AccessLost):
            _break_link(link.id, problems.PERMISSION_MISSING)
        elif isinstance(result.failure, CalendarLost) and not result.work.left_behind:
            _break_link(link.id, problems.CALENDAR_GONE)


def _shown_beside_what_was_removed(results: list[Result]) -> list[UUID]:
    """Whose event was one too many in its calendar: its link follows the other one from now on, or
    takes it over if the other link has ended meanwhile."""
    removed = [
        result.row
        for result in results
        if result.shown is not None and not result.shown.revision and not result.row.wanted
    ]
    if not removed:
        return []
    others: dict[UUID, dict[UUID, list[MirroredEvent]]] = defaultdict(lambda: defaultdict(list))
    known = MirroredEvent.objects.filter(appointment__in=[row.appointment_id for row in removed])
    for other in known.exclude(link=removed[0].link_id):
        others[other.appointment_id][other.link_id].append(other)
    return [
        row.appointment_id
        for row in removed
        if former_host(others[row.appointment_id], row) is not None
    ]


def _hold(results: list[Result]) -> tuple[_HeldLink, set[UUID]]:
    """Locks the link and the rows; returns the rows that were changed since they were claimed.

    The link before its rows, because whoever changes what a link shows locks them in this order.
    """
    seen = {result.row.pk: result.row.updated_at for result in results}
    link_id = results[0].row.link_id
    with pipeline():
        link = send(_HOLD_LINK, id=link_id)
        rows = send(_HOLD_ROWS, ids=list(seen))
        ((state, business_id),) = link.fetchall()
        touched = {row_id for row_id, updated_at in rows.fetchall() if updated_at != seen[row_id]}
    return _HeldLink(link_id, state, business_id), touched


def _park(results: list[Result], moment: datetime) -> None:
    """Where Google limits the account, not the event, all writes of the link wait."""
    for result in results:
        if isinstance(result.failure, UsageLimited | RateLimited | DayUsedUp):
            _, pause = meaning(result.failure, result.row.attempts)
            park(result.row.link_id, moment + (pause or timedelta()))


def _ledger_entry(result: Result, moment: datetime) -> dict[str, Any]:
    row, failure = result.row, result.failure
    return {
        "mirrored_event_id": row.pk,
        "at": moment,
        "revision": row.wanted_revision,
        "wanted": row.wanted,
        "succeeded": failure is None,
        "status": failure.status if isinstance(failure, GoogleError) else 0,
        "reason": _reason(failure),
        "message": str(failure)[:300] if isinstance(failure, GoogleError) else "",
        "next_attempt_at": row.next_attempt_at,
    }


def _reason(failure: Exception | None) -> str:
    """Google's own reason, or ours where Google was not asked."""
    match failure:
        case None:
            return ""
        case GoogleError():
            return failure.reason[:100]
        case NotOurs():
            return REFUSED_BY_GUARD
        case _:
            return INTERNAL


def _break_link(link_id: UUID, problem: Reason) -> None:
    """Asks the person to reconnect, unless the link is about to end: then it just ends."""
    if CalendarLink.objects.filter(pk=link_id, state=LinkState.UNLINKING).exists():
        end_link(link_id)
    else:
        mark_needs_reconnect(link_id, problem)


def _record_shown(result: Result, shown: Shown, touched: bool, moment: datetime) -> None:
    row, event = result.row, shown.event
    fields = render_event(result.work.content)
    row.left_out = shown.left_out
    row.left_out_next_at = moment + REFUSAL_PAUSE if shown.left_out else None
    note_shown_guests(
        row,
        there=shown.revision > 0,
        touched=touched,
        refused=GUESTS in shown.left_out or shown.unwritten is not None,
    )
    if shown.unwritten is not None:
        row.shown_fields = shown.unwritten
    else:
        row.shown_fields = (
            shown_fields_after(row, fields, shown.written, event) if shown.revision else {}
        )
    row.restored_revision = None
    row.shown_revision, row.synced_at, row.attempts = shown.revision, moment, 0
    row.html_link = address_in_google(str(event.get("htmlLink", "")))
    keep(row, "error", NO_REASON)
    row.etag = str(event.get("etag", ""))[:100]
    set_drift(row, _left_of_drift(result, shown), moment)
    if touched:  # changed again meanwhile: due at once
        row.state, row.next_attempt_at = MirrorState.PENDING, moment
    else:
        row.state, row.next_attempt_at = MirrorState.SYNCED, None


def _left_of_drift(result: Result, shown: Shown) -> Seen:
    """What somebody else made of the event and this write left as it is: Google's answer shows the
    event after the write."""
    row, content = result.row, result.work.content
    if shown.is_left:
        return Seen(DriftKind.STILL_THERE, fields=repetition_of(shown.event))
    if shown.unwritten is None and (not shown.revision or "start" not in shown.event):
        return Seen(DriftKind.NONE)
    try:
        return compare(shown.event, content.start, content.end, shown_fields=row.shown_fields)
    except ValueError:
        return Seen(DriftKind.NONE)


def _keep_busy(result: Result, link: _HeldLink) -> None:
    """An event that its appointment has let go of, and that stays: all of the business who read
    its calendar are busy then, from this moment on and not only when they read it next."""
    row, content = result.row, result.work.content
    period = Period(row.event_id, row.event_id, content.start, content.end)
    for calendar in snapshot.held_copies(link.business_id, row.calendar_id):
        snapshot.apply(calendar, [period])


def _calendars_of_what_stays(results: list[Result]) -> set[str]:
    """Where an event stays as it is, although Sophiie wants it otherwise: it stands for no
    appointment any more (`inbound/ours.py`)."""
    return {
        result.row.calendar_id
        for result in results
        if (result.shown is not None and result.shown.is_left)
        or result.row.state == MirrorState.FAILED
    }


def _record_failure(result: Result, failure: Exception, touched: bool, moment: datetime) -> None:
    row = result.row
    reason, pause = meaning(failure, row.attempts)
    if isinstance(failure, CalendarLost) and result.work.left_behind:
        reason, pause = LEFT_BEHIND, None
    keep(row, "error", reason)
    if pause is not None:
        row.state, row.next_attempt_at = MirrorState.PENDING, moment + pause
    elif touched:  # a newer revision may be one that Google accepts
        row.state, row.next_attempt_at = MirrorState.PENDING, moment
    else:  # the sweep tries it again then
        again = None if result.work.left_behind else moment + REFUSAL_PAUSE
        row.state, row.next_attempt_at = MirrorState.FAILED, again


def _end_what_is_done(link: _HeldLink) -> None:
    """Ends a backfill, or an unlinking that removes events, once nothing of it is left to do."""
    waits = MirroredEvent.objects.filter(link=link.id, state=MirrorState.PENDING)
    if link.state == LinkState.UNLINKING and not waits.exists():
        end_link(link.id)  # the sweep withdraws the grant
    elif link.state == LinkState.BACKFILLING and not waits.filter(backfill=True).exists():
        CalendarLink.objects.filter(pk=link.id).update(state=LinkState.ACTIVE)
