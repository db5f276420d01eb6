"""One poll of one calendar, as the database knows it: claimed, extended, stored or failed.

The claim is committed before Google is asked. The answer, and where the next poll goes on, are
stored in one transaction. What the events mean is decided elsewhere.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, DateTimeField, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Least

from sophiie.busy_time import snapshot
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link import problems
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.common import live
from sophiie.common.claims import Claim
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, is_over
from sophiie.common.logs import log
from sophiie.common.reasons import Reason, columns
from sophiie.google.errors import AccessLost, DayUsedUp, EventGone, GoogleError
from sophiie.sync.due import MAX_ASKED_PAUSE, longest_pause, until_the_quotas_next_day
from sophiie.sync.inbound import rhythm
from sophiie.sync.inbound.snapshot import Known, known_events, settle_our_own_versions
from sophiie.sync.messages import (
    CRASHED,
    DAY_USED_UP,
    NOT_READ,
    NOT_THERE,
    READ_LATER,
    answer_of,
)
from sophiie.sync.models import WatchedCalendar

logger = log(__name__)

READABLE = (LinkState.BACKFILLING, LinkState.ACTIVE)
# Extended for as long as the poll lasts; others wait so long for a process that stands still.
POLLING = Claim("reading_until", timedelta(seconds=24), owner="reader")
EXTEND_SECONDS = 8.0
PAST, AHEAD = timedelta(days=1), timedelta(days=400)
# A window does not move by itself: only a full poll lists events that have come into it.
FULL_POLL_EVERY = timedelta(days=1)
# How long, about, until a poll for which the quotas had no room is tried again.
POSTPONED_SECONDS = 2.0
# Between two polls that notifications ask for: our own writes also come back as notifications.
PAUSE = timedelta(seconds=0.5)


class NotReadable(Exception):
    """The link was unlinked or is broken, or another process has taken over the poll."""


@dataclass(frozen=True)
class Poll:
    """One poll that has begun; `token` is "" if it is a full one.

    `meant_missing`: how many of our events may be gone, because the person said so.
    """

    watched_id: UUID
    reader: UUID
    link_id: UUID
    member_id: UUID
    business_id: UUID
    calendar_id: str
    is_chosen: bool
    google_email: str
    token: str
    moment: datetime
    # What Google called the calendar the last time, or by what name it was chosen.
    title: str = ""
    # In whose clocks the copy has taken the calendar's all-day events.
    time_zone: str = ""
    meant_missing: int = 0
    known: Known = field(repr=False, default_factory=Known)

    @property
    def window(self) -> tuple[datetime, datetime]:
        return self.moment - PAST, self.moment + AHEAD


def begin(link_id: UUID, calendar_id: str, *, only_due: bool) -> Poll | None:
    """Claims the poll; None if another process has it, or has just done it. Raises
    `NotReadable`."""
    links = CalendarLink.objects.filter(pk=link_id, state__in=READABLE)
    link = links.select_related("member__business").first()
    if link is None:
        raise NotReadable
    moment = now()
    watched = WatchedCalendar.objects.filter(link=link_id, calendar_id=calendar_id)
    due = watched.filter(is_due(moment)) if only_due else watched
    # Due again when the claim runs out, or as soon as a notification says so.
    reader = POLLING.take(due, next_read_at=moment + POLLING.lasts)
    at = watched.first()
    if at is None:
        raise NotReadable
    if reader is None:
        return None
    copy = _copy(link.member_id, calendar_id)
    return Poll(
        watched_id=at.pk,
        reader=reader,
        link_id=link.pk,
        member_id=link.member_id,
        business_id=link.member.business_id,
        calendar_id=calendar_id,
        is_chosen=calendar_id == link.calendar_id,
        google_email=link.google_email,
        token="" if window_is_old(at, moment) or not copy else at.sync_token,
        moment=moment,
        title=at.title or _name_of(link, calendar_id),
        time_zone=copy.time_zone if copy else "",
        meant_missing=at.missing if at.missing_is_meant else 0,
        known=_known(link, calendar_id, moment),
    )


def _name_of(link: CalendarLink, calendar_id: str) -> str:
    if calendar_id == link.calendar_id:
        return link.calendar_name
    return str(link.busy_calendar_names.get(calendar_id, ""))


def is_due(moment: datetime) -> Q:
    """Whether the time of the next poll has come, or lies further ahead than it can."""
    latest = Case(
        When(error_reason__code=READ_LATER.code, then=Value(moment + MAX_ASKED_PAUSE)),
        When(error_reason__code=DAY_USED_UP.code, then=Value(moment + longest_pause(moment))),
        When(is_net=True, then=_planned(moment)),
        default=Least(_planned(moment), Value(moment + longest_interval())),
        output_field=DateTimeField(),
    )
    return Q(next_read_at__lte=moment) | Q(next_read_at__gt=latest)


def _planned(moment: datetime) -> Any:
    """How far ahead this calendar's next poll was put."""
    within = Coalesce(F("next_read_within"), Value(longest_interval()))
    return Value(moment, output_field=DateTimeField()) + within


def _known(link: CalendarLink, calendar_id: str, moment: datetime) -> Known:
    """What we think our events there look like. A calendar that only counts has none of them."""
    if calendar_id != link.calendar_id:
        return Known()
    settle_our_own_versions(link.pk, calendar_id)
    return known_events(link.pk, calendar_id, moment, until=moment + AHEAD)


def _copy(member_id: UUID, calendar_id: str) -> BusyCalendar | None:
    """The copy to which an increment can be added."""
    copies = BusyCalendar.objects.filter(member=member_id, calendar_id=calendar_id)
    return copies.filter(known_until__isnull=False).first()


def window_is_old(watched: WatchedCalendar, moment: datetime) -> bool:
    """Once a day or a little sooner. Each calendar has its own pace, so that those polled at the
    same moment, after an outage, do not meet again every night."""
    if watched.window_start is None:
        return True
    lasts = _window_lasts(watched)
    return is_over(watched.window_start + PAST + lasts, moment, at_most=lasts + SKEW)


def window_lasts_until(watched: WatchedCalendar) -> datetime:
    """When the next full poll is due."""
    if watched.window_start is None:
        return now()
    return watched.window_start + PAST + _window_lasts(watched)


def _window_lasts(watched: WatchedCalendar) -> timedelta:
    return FULL_POLL_EVERY * (0.75 + watched.pk.int % 1000 / 4000)


def extend(poll: Poll) -> bool:
    """Extends the claim; False when the poll is to be given up."""
    if not CalendarLink.objects.filter(pk=poll.link_id, state__in=READABLE).exists():
        return False
    return POLLING.extend(poll.reader, _row(poll))


def release(poll: Poll) -> None:
    """Releases the claim, as if there had been no poll."""
    POLLING.release(poll.reader, _row(poll))


def postpone(poll: Poll) -> None:
    """Tries again soon: the quotas had no room, so nothing was asked and nothing failed."""
    wait = timedelta(seconds=POSTPONED_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
    POLLING.release(poll.reader, _row(poll), next_read_at=now() + wait)


def last_read_at(link_id: UUID, calendar_id: str) -> datetime | None:
    """When the calendar was last polled with success. A different answer than before means that
    another process has polled it; a later one proves nothing, because clocks are set."""
    watched = WatchedCalendar.objects.filter(link=link_id, calendar_id=calendar_id)
    return watched.values_list("read_at", flat=True).first()


def held(poll: Poll) -> WatchedCalendar | None:
    """The calendar's row, locked for storing; None if the claim is no longer ours."""
    return POLLING.held_by(poll.reader, _row(poll)).select_for_update().first()


def ended(
    watched: WatchedCalendar, moment: datetime, pause: timedelta, *, is_net: bool = False
) -> None:
    """Ends the poll and sets the time of the next; the caller saves."""
    watched.reader = watched.reading_until = None
    if watched.next_read_at > moment + PAUSE:  # else something changed while we polled
        watched.next_read_at = moment + pause
        watched.next_read_within, watched.is_net = pause + SKEW, is_net


def record_failure(poll: Poll, error: Exception) -> None:
    """Believes nothing and keeps the token, so that the next poll gets it all again."""
    logger.warning(
        "calendar not read",
        link_id=str(poll.link_id),
        error=type(error).__name__,
        reason=getattr(error, "reason", ""),
    )
    moment = now()
    patience = _asked_patience(error, moment)
    reason = _reason(error, poll, patience)
    # A calendar that Google does not find may be one that it does not find yet, so we ask twice.
    failed_so = WatchedCalendar.objects.filter(error_reason=reason.as_json()).exclude(error="")
    again = failed_so.filter(pk=poll.watched_id).exists()
    if not again:
        live.announce(poll.business_id, link=poll.link_id)
    pause = max(after_failure(), patience)
    new = columns(WatchedCalendar, "error", reason) | {
        "next_read_at": moment + pause,
        "next_read_within": pause + SKEW,
        "is_net": False,
    }
    POLLING.release(poll.reader, _row(poll), **new)
    if isinstance(error, AccessLost):  # which concerns all of the link's calendars
        mark_needs_reconnect(poll.link_id, problems.PERMISSION_MISSING)
        return
    snapshot.note_problem(poll.member_id, reason, calendar_id=poll.calendar_id)
    if isinstance(error, EventGone) and again and poll.is_chosen:
        mark_needs_reconnect(poll.link_id, problems.CALENDAR_GONE)


def _asked_patience(error: Exception, moment: datetime) -> timedelta:
    """How long Google asks us to wait."""
    if isinstance(error, DayUsedUp):
        return until_the_quotas_next_day(moment)
    seconds = getattr(error, "retry_after", None) or 0.0
    return min(timedelta(seconds=min(seconds, 1e6)), MAX_ASKED_PAUSE)


def after_failure() -> timedelta:
    """How long until a poll that failed, or was not believed, is tried again."""
    seconds = settings.BUSY_POLL_SECONDS
    usual = rhythm.AFTER_FAILURE if seconds is None else timedelta(seconds=seconds)
    return rhythm.spread(usual, rhythm.SPREAD)


def longest_interval() -> timedelta:
    """How far ahead the next poll can lie, unless Google asked us to wait or reports changes."""
    seconds = settings.BUSY_POLL_SECONDS
    usual = rhythm.SLOWEST if seconds is None else timedelta(seconds=seconds)
    return max(usual * (1 + rhythm.SPREAD), timedelta(seconds=POSTPONED_SECONDS * 1.5))


def _row(poll: Poll) -> QuerySet[WatchedCalendar]:
    return WatchedCalendar.objects.filter(pk=poll.watched_id)


def _reason(error: Exception, poll: Poll, patience: timedelta) -> Reason:
    match error:
        case DayUsedUp():
            return DAY_USED_UP
        case _ if patience > longest_interval():
            return READ_LATER
        case EventGone() if poll.is_chosen:
            return problems.CALENDAR_GONE
        case EventGone():
            return NOT_THERE
        case GoogleError():
            return NOT_READ.with_values(answer=answer_of(error))
        case _:
            return CRASHED
