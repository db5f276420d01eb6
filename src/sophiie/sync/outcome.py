"""What a result means for the row: shown, again later, or failed with words for the person."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from sophiie.calendar_link import problems
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.calendar_link.unlink import end_link
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.google.errors import (
    AccessLost,
    CalendarLost,
    GoogleError,
    Misconfigured,
    RateLimited,
    Stale,
    Unreachable,
    UsageLimited,
)
from sophiie.sync.drift_state import clear_drift
from sophiie.sync.due import park
from sophiie.sync.guard import REFUSED_BY_GUARD, NotOurs
from sophiie.sync.models import MirroredEvent, MirrorState, SyncAttempt
from sophiie.sync.show import Shown
from sophiie.sync.writing import update_rows

LONGEST_PAUSE = timedelta(minutes=5)
USAGE_LIMIT_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Result:
    """What came of one attempt for one row."""

    row: MirroredEvent
    shown: Shown | None = None
    failure: Exception | None = None


def record(results: list[Result]) -> None:
    """Writes down a batch of results of one link and tells the open pages."""
    moment = now()
    link_id = results[0].row.link_id
    with transaction.atomic():
        # The link before its rows: whoever changes what a link shows takes them in this order.
        link = _hold_link(link_id)
        ids = [result.row.pk for result in results]
        rows = MirroredEvent.objects.select_for_update().order_by("id").in_bulk(ids)
        for result in results:
            row = rows[result.row.pk]
            if result.shown is not None:
                _record_shown(row, result.row, result.shown, moment)
            elif result.failure is not None:
                _record_failure(row, result.row, result.failure, moment)
            row.updated_at = moment
        update_rows(list(rows.values()))
        SyncAttempt.objects.bulk_create(
            SyncAttempt(**_ledger_entry(rows[r.row.pk], r, moment)) for r in results
        )
        _record_progress(link, moment, any(r.shown for r in results))
        _park(results, moment)
        appointments = [{"appointment": row.appointment_id} for row in rows.values()]
        live.announce_all(link.member.business_id, [*appointments, {"link": link_id}])
    for result in results:
        if isinstance(result.failure, AccessLost):
            _break_link(link_id, problems.PERMISSION_MISSING)
        elif isinstance(result.failure, CalendarLost) and not _left_behind(result.row):
            _break_link(link_id, problems.CALENDAR_GONE)


def _hold_link(link_id: UUID) -> CalendarLink:
    """The link, held; without its tokens, which would have to be decrypted."""
    return (
        CalendarLink.objects.select_for_update(of=("self",), no_key=True)
        .select_related("member")
        .defer("refresh_token", "access_token")
        .get(pk=link_id)
    )


def _park(results: list[Result], moment: datetime) -> None:
    """Google spoke of the account, not of the event: the link's other writes wait as well."""
    for result in results:
        if isinstance(result.failure, UsageLimited | RateLimited):
            _, pause = meaning(result.failure, result.row.attempts)
            park(result.row.link_id, moment + (pause or timedelta()))


def _ledger_entry(row: MirroredEvent, result: Result, moment: datetime) -> dict[str, Any]:
    failure = result.failure
    return {
        "mirrored_event": row,
        "at": moment,
        "revision": result.row.wanted_revision,
        "wanted": result.row.wanted,
        "succeeded": failure is None,
        "status": failure.status if isinstance(failure, GoogleError) else 0,
        "reason": _reason(failure),
        "message": str(failure)[:300] if isinstance(failure, GoogleError) else "",
        "next_attempt_at": row.next_attempt_at,
    }


def _reason(failure: Exception | None) -> str:
    """Google's own word, or ours where it was not asked."""
    match failure:
        case None:
            return ""
        case GoogleError():
            return failure.reason[:100]
        case NotOurs():
            return REFUSED_BY_GUARD
        case _:
            return "internal"


def _break_link(link_id: UUID, problem: str) -> None:
    """Asks the person; one who is unlinking anyway need not be asked, only let go."""
    if CalendarLink.objects.filter(pk=link_id, state=LinkState.UNLINKING).exists():
        end_link(link_id)
    else:
        mark_needs_reconnect(link_id, problem)


def _record_shown(
    row: MirroredEvent, attempted: MirroredEvent, shown: Shown, moment: datetime
) -> None:
    row.shown_revision, row.synced_at, row.attempts = shown.revision, moment, 0
    row.html_link, row.error, row.etag = shown.html_link[:2000], "", shown.etag[:100]
    clear_drift(row)  # whatever somebody made of it in Google, ours is the last word now
    if _untouched(row, attempted):
        row.state, row.next_attempt_at = MirrorState.SYNCED, None
    else:  # changed again while we were at it: due at once
        row.state, row.next_attempt_at = MirrorState.PENDING, moment


def _record_failure(
    row: MirroredEvent, attempted: MirroredEvent, failure: Exception, moment: datetime
) -> None:
    row.attempts = attempted.attempts
    row.error, pause = meaning(failure, row.attempts)
    if isinstance(failure, CalendarLost) and _left_behind(attempted):
        row.error, pause = (
            "It stays in the calendar used before: Google refused to remove it.",
            None,
        )
    if pause is not None:
        row.state, row.next_attempt_at = MirrorState.PENDING, moment + pause
    elif _untouched(row, attempted):
        row.state, row.next_attempt_at = MirrorState.FAILED, None
    else:  # a newer revision may be one that Google accepts
        row.state, row.next_attempt_at = MirrorState.PENDING, moment


def _untouched(row: MirroredEvent, attempted: MirroredEvent) -> bool:
    """Whether nothing new was wanted of the row since the attempt began."""
    return row.updated_at == attempted.updated_at


def _left_behind(row: MirroredEvent) -> bool:
    """Whether the row's calendar is one that was chosen before."""
    return row.calendar_id != row.link.calendar_id


def meaning(failure: Exception, attempts: int) -> tuple[str, timedelta | None]:
    """Words for the person, and how long to wait before trying again (None: give up)."""
    match failure:
        case UsageLimited():
            return "Google accepts no more changes to this calendar for now.", USAGE_LIMIT_PAUSE
        case RateLimited():
            return "Google asked Sophiie to slow down.", _pause(attempts, failure.retry_after)
        case Unreachable() | Stale():
            return "Google could not be reached.", _pause(attempts, failure.retry_after)
        case Misconfigured():
            return "Sophiie’s access to Google is not set up correctly.", LONGEST_PAUSE
        case AccessLost() | CalendarLost():
            # The link changes its state; until it is mended nothing is tried.
            return "The link to Google needs your attention.", timedelta()
        case GoogleError():
            return f"Google refused this event: {failure}"[:500], None
        case _:
            return "Something went wrong inside Sophiie; it was logged.", _pause(attempts, None)


def _pause(attempts: int, retry_after: float | None) -> timedelta:
    """Truncated exponential backoff with jitter; Google's own wish comes first if longer."""
    seconds = min(2.0 ** min(attempts - 1, 16), LONGEST_PAUSE.total_seconds())
    seconds *= random.uniform(0.75, 1.25)  # noqa: S311 - spreads retries, protects nothing
    return timedelta(seconds=max(seconds, min(retry_after or 0.0, 3600.0)))


def _record_progress(link: CalendarLink, moment: datetime, succeeded: bool) -> None:
    """A backfill that is through, or an unlinking that has removed all it wanted to."""
    changed = []
    if succeeded:
        link.last_synced_at = moment
        changed.append("last_synced_at")
    if link.state in (LinkState.BACKFILLING, LinkState.UNLINKING):
        waits = MirroredEvent.objects.filter(link=link, state=MirrorState.PENDING)
        if link.state == LinkState.UNLINKING and not waits.exists():
            end_link(link.id)  # the sweep withdraws the grant
            return
        if link.state == LinkState.BACKFILLING and not waits.filter(backfill=True).exists():
            link.state = LinkState.ACTIVE
            changed.append("state")
    if changed:
        link.save(update_fields=changed)
