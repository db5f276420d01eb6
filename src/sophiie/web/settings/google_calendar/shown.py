"""How a link, its options and its calendars are shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.calendar_link.choose import may_cover_all
from sophiie.calendar_link.models import (
    CalendarLink,
    Covers,
    Privacy,
)
from sophiie.common.clock import now
from sophiie.common.reasons import kept, words
from sophiie.common.wall_time import in_zone
from sophiie.sync.actions.lost_events import lost_events_of
from sophiie.sync.due import is_parked
from sophiie.sync.reports.event_status import health_of
from sophiie.sync.reports.polls import CalendarPoll, polls_of
from sophiie.sync.reports.workers import workers_alive
from sophiie.web.shared.colleagues import since
from sophiie.web.shared.shown_times import clock


@dataclass(frozen=True)
class ShownPoll:
    """A poll, in the reader's language and on the business's clocks."""

    of: CalendarPoll
    problem: str
    read_at: Any
    missing_since: Any
    reconciled_at: Any
    orphans_at: list[datetime]


@dataclass(frozen=True)
class ShownLink:
    """A link as its page shows it."""

    state: str
    google_email: str
    calendar_id: str
    calendar_name: str
    problem: str
    last_synced_at: Any
    pending: int
    failed: int
    last_error: str
    last_error_at: Any
    waiting_since: str
    quota_percent: int
    parked_words: str
    refused_by_guard: int
    worker_is_away: bool
    progress: dict[str, int]
    polls: list[ShownPoll]
    lost: list[dict[str, Any]]
    covers: list[dict[str, Any]]
    may_cover_all: bool
    privacy: list[dict[str, Any]]


def shown(link: CalendarLink, member: Member) -> ShownLink:
    health = health_of(link)
    last, zone = link.last_synced_at, member.business.timezone
    parked = health.parked_until
    oldest = health.oldest_waiting_since
    return ShownLink(
        state=link.state,
        google_email=link.google_email,
        calendar_id=link.calendar_id,
        calendar_name=link.calendar_name,
        problem=words(kept(link, "problem")),
        last_synced_at=in_zone(last, zone) if last else None,
        pending=health.pending,
        failed=health.failed,
        last_error=words(health.last_error),
        last_error_at=(in_zone(health.last_error_at, zone) if health.last_error_at else None),
        waiting_since=since(oldest, zone) if oldest else "",
        quota_percent=round(health.quota_used * 100),
        parked_words=_parked(in_zone(parked, zone)) if is_parked(parked, now()) else "",
        refused_by_guard=health.refused_by_guard,
        worker_is_away=not workers_alive(),
        progress={"done": health.backfill_done, "total": health.backfill_total},
        polls=[_shown_poll(poll, member) for poll in polls_of(link)],
        lost=[
            {"event": lost.event_id, "start": in_zone(lost.start, zone)}
            for lost in lost_events_of(link)
        ],
        covers=_options(link.covers, _covers_words(may_cover_all(member))),
        may_cover_all=may_cover_all(member),
        privacy=_options(link.privacy, _privacy_words()),
    )


def _parked(until: datetime) -> str:
    return _("So many changes at once are too many for your account. It goes on at %(time)s.") % {
        "time": clock(until)
    }


def _shown_poll(poll: CalendarPoll, member: Member) -> ShownPoll:
    def local(moment: datetime | None) -> Any:
        return in_zone(moment, member.business.timezone) if moment else None

    return ShownPoll(
        of=poll,
        problem=words(poll.problem),
        read_at=local(poll.read_at),
        missing_since=local(poll.missing_since),
        reconciled_at=local(poll.reconciled_at),
        orphans_at=[in_zone(start, member.business.timezone) for start in poll.orphans_at],
    )


def _options(chosen: str, words: dict[str, str]) -> list[dict[str, Any]]:
    return [{"value": v, "label": text, "chosen": v == chosen} for v, text in words.items()]


def option_words() -> dict[str, str]:
    """Names of a link's options, by their values."""
    return {**_covers_words(all_too=True), **_privacy_words()}


def _covers_words(all_too: bool) -> dict[str, str]:
    words: dict[str, str] = {
        Covers.MINE: _("Appointments assigned to me or made by me"),
        Covers.ASSIGNED: _("Only appointments assigned to me"),
    }
    if all_too:
        words[Covers.ALL] = _("All appointments of the business")
    return words


def _privacy_words() -> dict[str, str]:
    return {
        Privacy.FULL: _("Everything: title, place, people, customer and notes"),
        Privacy.TITLE_PLACE: _("Title and place only"),
        Privacy.BUSY: _("Only that I am busy"),
    }


def row_of(calendar: Any, request: HttpRequest, link: CalendarLink) -> dict[str, Any]:
    """One calendar of the choice; ticks survive an error."""
    access = {
        "owner": _("Yours"),
        "writer": _("You can change events"),
        "writerWithoutPrivateAccess": _("You can change events"),
        "reader": _("You can see events"),
        "freeBusyReader": _("You see only when it is busy"),
    }
    why_not = "" if calendar.writable else _("Google does not let you add events here.")
    return {
        "id": calendar.id,
        "name": calendar.name,
        "access_label": access.get(calendar.access_role, calendar.access_role),
        "writable": calendar.writable,
        "primary": calendar.primary,
        "hidden": calendar.hidden,
        "why_not": why_not,
        "time_zone": calendar.time_zone,
        "selected": (
            calendar.id == request.POST.get("calendar_id")
            if request.method == "POST"
            else calendar.id == link.calendar_id
            or (not link.calendar_id and calendar.primary and calendar.writable)
        ),
        "check_for_conflicts": (
            calendar.id in request.POST.getlist("check_for_conflicts")
            if request.method == "POST"
            else calendar.id in link.busy_calendar_ids
        ),
    }


def permissions() -> list[dict[str, str]]:
    return [
        {
            "title": _("View and edit events on all your calendars"),
            "why": _(
                "To add, change and remove the events of your appointments. Google offers no "
                "permission for a single calendar; Sophiie writes only to the one you choose, and "
                "only its own events."
            ),
        },
        {
            "title": _("See the list of Google calendars you’re subscribed to"),
            "why": _("To let you choose which calendar to use."),
        },
        {
            "title": _("See your primary Google Account email address"),
            "why": _("To show you which account is linked."),
        },
    ]


def simulator_url() -> str:
    if not settings.DEMO:
        return ""
    return str(settings.GOOGLE_AUTH_URL).removesuffix("/o/oauth2/v2/auth") + "/simulator/"
