"""`sophiie status`: links, queue and lag."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.ops.health import oldest_due_seconds, reasons_not_ready
from sophiie.sync.counters import Notification, Outcome, Surprise
from sophiie.sync.reports.event_status import health_of
from sophiie.sync.reports.poll_totals import poll_totals
from sophiie.sync.reports.polls import CalendarPoll, polls_of
from sophiie.sync.reports.units import (
    DAYS_SHOWN,
    charged_lately,
    cost_of,
    units_today,
    usage,
)
from sophiie.sync.reports.workers import workers_alive


def report() -> str:
    """A few lines for a terminal."""
    lines = [f"Workers running: {workers_alive()}"]
    lines += [f"Not ready: {reason}" for reason in reasons_not_ready()]
    links = CalendarLink.objects.exclude(state=LinkState.UNLINKED).select_related("member")
    lines.append(f"Calendar links: {len(links)}")
    used = units_today([link.pk for link in links])
    for link in links:
        health = health_of(link)
        lines.append(
            f"  {link.member.email}: {link.state}, {health.pending} waiting, "
            f"{health.failed} failed, last written {_when(link.last_synced_at)}"
        )
        if link.pk in used:
            lines.append(f"    {used[link.pk]:,} units used today")
        if health.oldest_waiting_since:
            lines.append(f"    waiting since {health.oldest_waiting_since:%Y-%m-%d %H:%M:%S} UTC")
        if health.last_error:
            lines.append(
                f"    last error {health.last_error_at:%Y-%m-%d %H:%M}: {health.last_error}"
            )
        if health.refused_by_guard:
            lines.append(f"    WRITES REFUSED BY THE GUARD: {health.refused_by_guard}")
        lines += [f"    {line}" for line in _polls(link)]
        if link.problem:
            lines.append(f"    {link.problem}")
    lines.append(f"Longest waiting due change: {oldest_due_seconds():.1f} s")
    lines += _inbound_side()
    lines += _units()
    lines.append(f"Grants still to be withdrawn: {Revocation.objects.count()}")
    return "\n".join(lines)


def _inbound_side() -> Iterator[str]:
    totals = poll_totals()
    times = {outcome: polls.times for outcome, polls in totals.polls.items()}
    yield (
        f"Readings so far: {times[Outcome.CHANGES]} of changes, {times[Outcome.EVERYTHING]} of "
        f"everything, {totals.average_seconds:.2f} s on average; {times[Outcome.FAILED]} failed, "
        f"{times[Outcome.DOUBTED]} not believed, {times[Outcome.THROTTLED]} put off by quota, "
        f"{times[Outcome.GIVEN_UP]} given up"
    )
    yield (
        f"Copies of calendars: {totals.fresh} fresh, {totals.stale} old, "
        f"{totals.unreadable} unreadable; the oldest is {totals.oldest_seconds:.0f} s old"
    )
    yield (
        f"Channels: {totals.channels_active} active, {totals.channels_expiring} of them expiring; "
        f"calendars without: {totals.channels_refused} refused, {totals.channels_none} have none"
    )
    taken, refused = (totals.notifications[what] for what in Notification)
    missed, late = (totals.surprises[what] for what in Surprise)
    yield f"Notifications so far: {taken} taken, {refused} refused"
    yield f"Changes that no notification announced: {missed}; that one announced late: {late}"


def _units() -> Iterator[str]:
    found = usage()
    uses = ", ".join(f"{use.value} {units:,}" for use, units in found.today.items())
    yield (
        f"Units of Google's quota today: {found.day.used:,} of {found.day.limit:,} "
        f"({found.day.share:.1%}): {uses}"
    )
    yield (
        f"Fullest minute of the last hour: {found.minute.used:,} of {found.minute.limit:,} "
        f"({found.minute.share:.1%}); most of a link today: {found.most_of_a_link:,}"
    )
    charged = charged_lately()
    if cost := cost_of(charged):
        yield (
            f"Above the free tier in {DAYS_SHOWN} days: {charged:,} units, "
            f"{cost.amount:,.2f} {cost.currency}"
        )
    for part in found.near:
        yield f"NEAR A LIMIT OF GOOGLE'S: {part.share:.0%} of the units of a {part.span}"


def _polls(link: CalendarLink) -> Iterator[str]:
    for poll in polls_of(link):
        name = poll.calendar_id
        how = "by push and polling" if poll.is_pushed else "by polling"
        when = f"read {_when(poll.read_at)}, compared {_when(poll.reconciled_at)}"
        yield f"{name}: {how}, {when}"
        yield from (f"  {line}" for line in _findings(poll))


def _findings(poll: CalendarPoll) -> Iterator[str]:
    if poll.problem:
        yield poll.problem
    if poll.push_problem:
        yield poll.push_problem
    if poll.missing:
        yield f"{poll.missing} missing since {_when(poll.missing_since)}: the member is asked"
    if poll.repaired:
        yield f"written again at the last comparison: {poll.repaired}"
    if poll.not_understood:
        yield f"events that cannot be understood: {poll.not_understood}"
    if poll.orphans:
        yield f"events of ours that belong to no appointment: {poll.orphans}"


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "never"
