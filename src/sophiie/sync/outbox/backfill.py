"""Records what Google should show of a whole link: when it begins, when its settings change, and
when it removes its events before it ends. Part of the transaction that made it so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.jobs import defer_drain
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbox.coverage import upcoming
from sophiie.sync.outbox.guests import Circle, guests_of
from sophiie.sync.outbox.hosting import (
    followers_in,
    has_event,
    hosted_by_others,
    let_go,
    take_over,
)
from sophiie.sync.outbox.rows import Rows, adopt, align, new_row, save, want


def record_backfill(
    link: CalendarLink, *, again: bool = False, found: Mapping[UUID, str] | None = None
) -> None:
    """Brings the outbox of a link in line with every upcoming appointment; the past stays.

    For a new link, or another calendar, coverage or privacy level. Adopts events of ours that are
    in the calendar already: those of the member's earlier link, and `found` ones (event ids by
    appointment) whose mapping was lost.
    """
    moment = now()
    rows = _rows_by_appointment(link, moment)
    adopted = {} if rows else _events_of_earlier_links(link)
    others = _managed_by_other_links(link)
    adopted = {key: row for key, row in adopted.items() if row.event_id not in others}
    outdated = _outdated(adopted.values())
    found = {key: event for key, event in (found or {}).items() if event not in others}
    business = link.member.business
    circle = Circle.of(business, links_of(business.id))
    hosts = _hosting_links(circle)
    elsewhere = hosted_by_others(link, moment)
    changed: Rows = []
    for appointment in upcoming(link, moment):
        assignees = {assignment.member_id for assignment in appointment.assignments.all()}
        known = rows[appointment.id]
        follows = appointment.id in elsewhere
        guests = guests_of(
            appointment,
            assignees,
            circle,
            hosting=hosts.get(appointment.id),
            following=[link.id] if follows else [],
        )
        for row in align(
            link,
            appointment,
            assignees,
            known,
            moment,
            again=again,
            guests=guests.at(link),
            follows=follows,
        ):
            if row._state.adding:
                earlier = adopted.pop(appointment.id, None)
                event_id = earlier.event_id if earlier else found.get(appointment.id)
                if row.hosted_elsewhere and earlier is not None:  # one too many
                    row.hosted_elsewhere = False
                    want(row, False, appointment.revision, moment)
                if not row.hosted_elsewhere:
                    adopt(row, None if earlier in outdated else earlier, event_id, circle)
            row.backfill = not row.hosted_elsewhere
            changed.append(row)
    changed += _leftovers(link, adopted, outdated, moment, circle)
    save(changed)
    hand_over(link, changed, moment)
    link.backfill_total = MirroredEvent.objects.filter(
        link=link, backfill=True, state=MirrorState.PENDING
    ).count()
    if link.state != LinkState.NEEDS_RECONNECT:
        link.state = LinkState.BACKFILLING if link.backfill_total else LinkState.ACTIVE
    if link.state == LinkState.ACTIVE:
        link.last_synced_at = moment
    link.save(update_fields=["backfill_total", "state", "last_synced_at"])
    if changed:
        defer_drain(link.id)


def record_removal(link: CalendarLink) -> bool:
    """Records, before an unlinking, that the upcoming events are to go; False if there are none."""
    moment = now()
    changed = []
    for row in MirroredEvent.objects.filter(link=link, appointment__end__gt=moment):
        if row.wanted or row.state == MirrorState.PENDING:
            if row.hosted_elsewhere:
                let_go(row, row.wanted_revision, moment)
            else:
                want(row, False, row.wanted_revision, moment)
            changed.append(row)
    save(changed)
    hand_over(link, changed, moment)
    left = [row for row in changed if not row.hosted_elsewhere]
    if left:
        defer_drain(link.id)
    return bool(left)


def hand_over(link: CalendarLink, changed: Rows, moment: datetime) -> None:
    """Hands the events that this link no longer shows to links that still show them: those take
    over the events as they are, so nothing is removed."""
    leaving = [row for row in changed if not row.wanted and has_event(row)]
    followers = followers_in(link, [row.appointment_id for row in leaving]) if leaving else {}
    for row in leaving:
        follower = followers.get((row.appointment_id, row.calendar_id))
        if follower is not None:
            take_over(follower, row, moment)
            want(follower, True, follower.wanted_revision, moment)
            save([follower])
            defer_drain(follower.link_id)


def links_of(business_id: UUID) -> QuerySet[CalendarLink]:
    """The links of a business that are not unlinked, in order."""
    links = CalendarLink.objects.filter(member__business=business_id)
    return links.exclude(state=LinkState.UNLINKED).order_by("id")


def _hosting_links(circle: Circle) -> dict[UUID, UUID]:
    """By appointment, the link whose event has guests."""
    rows = MirroredEvent.objects.filter(link__in=circle.links, wanted=True)
    hosts = rows.exclude(guests=[]).values_list("appointment_id", "link_id")
    return dict(hosts.order_by("-link_id"))


def _rows_by_appointment(link: CalendarLink, moment: datetime) -> dict[UUID, Rows]:
    found: dict[UUID, Rows] = defaultdict(list)
    for row in MirroredEvent.objects.filter(link=link, appointment__end__gt=moment):
        found[row.appointment_id].append(row)
    return found


def _events_of_earlier_links(link: CalendarLink) -> dict[UUID, MirroredEvent]:
    """The newest mapping of each appointment from earlier links of this member to this calendar."""
    earlier = (
        MirroredEvent.objects.filter(
            link__member=link.member_id,
            link__google_sub=link.google_sub,
            link__state=LinkState.UNLINKED,
            calendar_id=link.calendar_id,
            sent=True,
        )
        .exclude(wanted=False, state=MirrorState.SYNCED)
        .select_related("appointment")
        .order_by("created_at")
    )
    return {row.appointment_id: row for row in earlier}


def _outdated(earlier: Collection[MirroredEvent]) -> set[MirroredEvent]:
    """The mappings whose event another link wrote or deleted since: what they say of it no longer
    holds, so it is adopted like one that was found."""
    later = MirroredEvent.objects.filter(
        event_id=OuterRef("event_id"),
        calendar_id=OuterRef("calendar_id"),
        sent=True,
        updated_at__gte=OuterRef("updated_at"),
    ).exclude(pk=OuterRef("pk"))
    rows = MirroredEvent.objects.filter(pk__in=[row.pk for row in earlier])
    return set(rows.filter(Exists(later))) if earlier else set()


def _managed_by_other_links(link: CalendarLink) -> set[str]:
    """Events in this calendar that another link manages, through a shared Google account or a
    shared calendar. Two links with one event would undo each other's work."""
    rows = MirroredEvent.objects.filter(calendar_id=link.calendar_id, sent=True)
    rows = rows.exclude(link=link).exclude(link__state=LinkState.UNLINKED)
    return set(rows.values_list("event_id", flat=True))


def _leftovers(
    link: CalendarLink,
    earlier: Mapping[UUID, MirroredEvent],
    outdated: Collection[MirroredEvent],
    moment: datetime,
    circle: Circle,
) -> Rows:
    """Upcoming events of an earlier link whose appointments were cancelled while unlinked."""
    rows = []
    for left in earlier.values():
        if left.appointment.end > moment:
            row = new_row(link, left.appointment, moment)
            adopt(row, None if left in outdated else left, left.event_id, circle)
            want(row, False, left.appointment.revision, moment)
            row.backfill = True
            rows.append(row)
    return rows
