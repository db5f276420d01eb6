"""One reading of one calendar, as the database knows it: claimed, kept, stored or failed.

The claim is committed before Google is asked; what was told, and where the next reading goes on,
are stored in one transaction. What the events mean is the business of others.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Q, QuerySet

from sophiie.busy_time import snapshot
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link import problems
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.common.reasons import Reason, columns
from sophiie.google.errors import AccessLost, DayUsedUp, EventGone, GoogleError
from sophiie.sync.due import until_the_quotas_next_day
from sophiie.sync.inbound.snapshot import Known, known_events
from sophiie.sync.messages import CRASHED, NOT_READ, NOT_THERE, answer_of
from sophiie.sync.models import WatchedCalendar

logger = log(__name__)

READABLE = (LinkState.BACKFILLING, LinkState.ACTIVE)
# Longer than any one call may take, and a renewal of the access token before it.
CLAIM = timedelta(seconds=45)
PAST, AHEAD = timedelta(days=1), timedelta(days=400)
# A window does not roll by itself: events that come into it are told again by a full reading.
FULL_READING_EVERY = timedelta(days=1)
# Until a reading for which the quotas had no room is tried again, about.
PUT_OFF_SECONDS = 2.0
# Between two readings that notifications ask for: our own writes come back as such, too.
PAUSE = timedelta(seconds=0.5)


class NotReadable(Exception):
    """The link was unlinked, or has to be mended, or another process reads in our place."""


@dataclass(frozen=True)
class Poll:
    """One reading that has begun; `token` is "" when everything in the window is read.

    `meant_missing`: so many of our events may be gone, because the person said so.
    """

    watched_id: UUID
    reader: UUID
    link_id: UUID
    member_id: UUID
    business_id: UUID
    calendar_id: str
    is_chosen: bool
    google_email: str
    # In whose clocks all-day events are taken if the calendar does not say.
    zone: str
    token: str
    moment: datetime
    # What Google called the calendar the last time, or by what name it was chosen.
    title: str = ""
    meant_missing: int = 0
    known: Known = field(repr=False, default_factory=Known)

    @property
    def window(self) -> tuple[datetime, datetime]:
        return self.moment - PAST, self.moment + AHEAD


def begin(link_id: UUID, calendar_id: str, *, only_due: bool) -> Poll | None:
    """Claims the reading; None when another process has it, or has just done it. Raises
    `NotReadable`."""
    links = CalendarLink.objects.filter(pk=link_id, state__in=READABLE)
    link = links.select_related("member__business").first()
    if link is None:
        raise NotReadable
    moment, reader = now(), uuid4()
    watched = WatchedCalendar.objects.filter(link=link_id, calendar_id=calendar_id)
    # By the row's own columns alone: what a join says is not looked at again after a wait.
    unclaimed = watched.filter(Q(reading_until=None) | Q(reading_until__lt=moment))
    if only_due:
        unclaimed = unclaimed.filter(next_read_at__lte=moment)
    # Due again when the claim runs out, or as soon as a notification says so.
    claimed = unclaimed.update(
        reader=reader, reading_until=moment + CLAIM, next_read_at=moment + CLAIM
    )
    at = watched.first()
    if at is None:
        raise NotReadable
    if not claimed:
        return None
    return Poll(
        watched_id=at.pk,
        reader=reader,
        link_id=link.pk,
        member_id=link.member_id,
        business_id=link.member.business_id,
        calendar_id=calendar_id,
        is_chosen=calendar_id == link.calendar_id,
        google_email=link.google_email,
        zone=link.member.business.timezone,
        token="" if _is_to_be_read_anew(at, link.member_id, moment) else at.sync_token,
        moment=moment,
        title=at.title or _name_of(link, calendar_id),
        meant_missing=at.missing if at.missing_is_meant else 0,
        known=_known(link, calendar_id, moment),
    )


def _name_of(link: CalendarLink, calendar_id: str) -> str:
    if calendar_id == link.calendar_id:
        return link.calendar_name
    return str(link.busy_calendar_names.get(calendar_id, ""))


def _known(link: CalendarLink, calendar_id: str, moment: datetime) -> Known:
    """What we think our events there look like; in a calendar that only counts there are none."""
    if calendar_id != link.calendar_id:
        return Known()
    return known_events(link.pk, calendar_id, moment, until=moment + AHEAD)


def _is_to_be_read_anew(watched: WatchedCalendar, member_id: UUID, moment: datetime) -> bool:
    """Whether an increment would not do: the window is old, or there is no copy to add it to."""
    if watched.window_start is None or window_is_old(watched, moment):
        return True
    copies = BusyCalendar.objects.filter(member=member_id, calendar_id=watched.calendar_id)
    return not copies.filter(known_until__isnull=False).exists()


def window_is_old(watched: WatchedCalendar, moment: datetime) -> bool:
    """Once a day, or a little sooner: each calendar at its own pace, so that those that were read
    at the same moment, after an outage, do not meet again every night."""
    if watched.window_start is None:
        return True
    share = 0.75 + watched.pk.int % 1000 / 4000
    return watched.window_start + PAST + FULL_READING_EVERY * share <= moment


def keep(poll: Poll) -> bool:
    """Makes the claim longer; False when the reading is to be given up."""
    if not CalendarLink.objects.filter(pk=poll.link_id, state__in=READABLE).exists():
        return False
    return bool(_claim_of(poll).update(reading_until=now() + CLAIM))


def release(poll: Poll) -> None:
    """Gives the claim back, as if nothing had been read."""
    _claim_of(poll).update(reader=None, reading_until=None)


def put_off(poll: Poll) -> None:
    """Nothing was asked, because the quotas have no room at the moment: that is no failure."""
    wait = timedelta(seconds=PUT_OFF_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
    _claim_of(poll).update(reader=None, reading_until=None, next_read_at=now() + wait)


def was_read_since(link_id: UUID, calendar_id: str, moment: datetime) -> bool:
    """Whether another process read the calendar with success since then."""
    watched = WatchedCalendar.objects.filter(link=link_id, calendar_id=calendar_id)
    return watched.filter(read_at__gte=moment).exists()


def held(poll: Poll) -> WatchedCalendar | None:
    """The calendar's row, locked for storing; None when the claim is not ours any more."""
    return _claim_of(poll).select_for_update().first()


def ended(watched: WatchedCalendar, moment: datetime) -> None:
    """The reading is over and the next one has its time; for the caller to save."""
    watched.reader = watched.reading_until = None
    if watched.next_read_at > moment + PAUSE:  # else something changed while we read
        watched.next_read_at = next_time(moment)


def record_failure(poll: Poll, error: Exception) -> None:
    """Nothing is believed and the token stays, so that the next reading tells it all again."""
    logger.warning(
        "calendar not read",
        link_id=str(poll.link_id),
        error=type(error).__name__,
        reason=getattr(error, "reason", ""),
    )
    new = columns(WatchedCalendar, "error", reason := _reason(error, poll))
    # A calendar that Google does not find may be one that it does not find yet: asked twice.
    failed_so = WatchedCalendar.objects.filter(error_reason=reason.as_json()).exclude(error="")
    again = failed_so.filter(pk=poll.watched_id).exists()
    if not again:
        live.announce(poll.business_id, link=poll.link_id)
    moment = now()
    earliest = moment + _asked_patience(error, moment)
    _claim_of(poll).update(
        **new,
        reader=None,
        reading_until=None,
        next_read_at=max(next_time(moment), earliest),
    )
    if isinstance(error, AccessLost):  # of which all the calendars are told
        mark_needs_reconnect(poll.link_id, problems.PERMISSION_MISSING)
        return
    snapshot.note_problem(poll.member_id, reason, calendar_id=poll.calendar_id)
    if isinstance(error, EventGone) and again and poll.is_chosen:
        mark_needs_reconnect(poll.link_id, problems.CALENDAR_GONE)


def _asked_patience(error: Exception, moment: datetime) -> timedelta:
    """How long Google wants to be left alone."""
    if isinstance(error, DayUsedUp):
        return until_the_quotas_next_day(moment)
    return timedelta(seconds=min(getattr(error, "retry_after", None) or 0.0, 3600.0))


def next_time(moment: datetime) -> datetime:
    """After the interval, give or take a quarter: Google asks that polling be spread."""
    seconds = settings.BUSY_POLL_SECONDS * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
    return moment + timedelta(seconds=seconds)


def _claim_of(poll: Poll) -> QuerySet[WatchedCalendar]:
    return WatchedCalendar.objects.filter(pk=poll.watched_id, reader=poll.reader)


def _reason(error: Exception, poll: Poll) -> Reason:
    match error:
        case EventGone() if poll.is_chosen:
            return problems.CALENDAR_GONE
        case EventGone():
            return NOT_THERE
        case GoogleError():
            return NOT_READ.with_values(answer=answer_of(error))
        case _:
            return CRASHED
