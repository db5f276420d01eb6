"""The links of a business at a glance, for those who manage it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import (
    Aggregate,
    Count,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.sync.models import MirroredEvent, MirrorState, WatchedCalendar


@dataclass(frozen=True)
class TeamLink:
    """The state of a member's link. `broken_since` is None unless it has to be connected again.

    `missing` events vanished from the calendar at once, so the member is asked about them. The last
    poll of `unreadable` calendars failed.
    """

    member_id: UUID
    member_name: str
    state: str
    waiting: int
    failed: int
    broken_since: datetime | None
    last_synced_at: datetime | None
    missing: int
    unreadable: int


def links_of_team(business_id: UUID) -> dict[UUID, TeamLink]:
    """The links that are not unlinked, by member: one query, however many there are."""
    links = CalendarLink.objects.filter(member__business=business_id)
    links = links.exclude(state=LinkState.UNLINKED)
    return {link.member_id: link for link in _team_links(links)}


def broken_links_of_colleagues(member: Member) -> list[TeamLink]:
    """Links of the member's colleagues that have to be connected again; the oldest trouble first.

    One query.
    """
    links = CalendarLink.objects.filter(
        member__business=member.business_id,
        member__is_active=True,
        state=LinkState.NEEDS_RECONNECT,
    ).exclude(member=member)
    return _team_links(links.order_by("broken_at", "id"))


def _team_links(links: QuerySet[CalendarLink]) -> list[TeamLink]:
    rows = links.annotate(
        waiting=_number_of(MirrorState.PENDING),
        failed=_number_of(MirrorState.FAILED),
        missing=_of_polls(Sum("missing"), missing_is_meant=False),
        unreadable=_of_polls(Count("pk"), missing=0),
    ).values(
        *("member_id", "member__name", "state", "waiting", "failed", "missing", "unreadable"),
        *("broken_at", "last_synced_at"),
    )
    return [
        TeamLink(
            member_id=row["member_id"],
            member_name=row["member__name"],
            state=row["state"],
            waiting=row["waiting"],
            failed=row["failed"],
            broken_since=row["broken_at"] if row["state"] == LinkState.NEEDS_RECONNECT else None,
            last_synced_at=row["last_synced_at"],
            missing=row["missing"],
            unreadable=row["unreadable"],
        )
        for row in rows
    ]


def _number_of(state: MirrorState) -> Coalesce:
    events = MirroredEvent.objects.filter(link=OuterRef("pk"), state=state).order_by()
    counted = events.values("link").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _of_polls(total: Aggregate, **which: Any) -> Coalesce:
    """A total over the link's calendars with a problem."""
    watched = WatchedCalendar.objects.filter(link=OuterRef("pk"), **which).exclude(error="")
    counted = watched.order_by().values("link").annotate(n=total).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
