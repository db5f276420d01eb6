"""`/members`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.api.access import member_of
from sophiie.api.problems import ProblemError, invalid, not_found
from sophiie.api.schemas import Page, PersonOut, Problem
from sophiie.calendar_link.connect import link_of
from sophiie.sync.reports.event_status import health_of

router = Router(tags=["members"])
PROBLEMS = {401: Problem, 429: Problem}


class MemberOut(PersonOut):
    role: str


class MemberList(Schema):
    items: list[MemberOut]
    next_cursor: str | None


class Progress(Schema):
    done: int
    total: int


class CalendarLinkOut(Schema):
    state: Literal["choosing", "backfilling", "active", "needs_reconnect", "unlinking", "unlinked"]
    google_email: str | None = None
    calendar_id: str | None = None
    calendar_name: str | None = None
    covers: str | None = None
    privacy: str | None = None
    last_synced_at: datetime | None = None
    pending: int = 0
    failed: int = 0
    progress: Progress | None = None


@router.get("/members", response={200: MemberList, 422: Problem, **PROBLEMS}, summary="List")
def list_members(request: HttpRequest, page: Query[Page]) -> MemberList:
    """The active members of the business, by id."""
    people = active_members(member_of(request).business_id)
    people = people.order_by("id")
    if page.cursor:
        people = people.filter(id__gt=_read_cursor(page.cursor))
    found = list(people[: page.limit + 1])
    shown = found[: page.limit]
    more = str(shown[-1].id) if len(found) > page.limit else None
    return MemberList(items=[_out(person) for person in shown], next_cursor=more)


def _read_cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid({"cursor": ["This is not a cursor from an earlier answer."]}) from None


@router.get("/members/me", response={200: MemberOut, **PROBLEMS}, summary="The key's member")
def me(request: HttpRequest) -> MemberOut:
    return _out(member_of(request))


@router.get(
    "/members/{uuid:member_id}/calendar-link",
    response={200: CalendarLinkOut, 403: Problem, 404: Problem, **PROBLEMS},
    summary="How a member's calendar is linked",
)
def calendar_link(request: HttpRequest, member_id: UUID) -> CalendarLinkOut:
    """The member's own link; for owners and admins also that of any member."""
    asking = member_of(request)
    member = active_members(asking.business_id).filter(pk=member_id).first()
    if member is None:
        raise not_found()
    if member.pk != asking.pk and not asking.manages_business:
        raise ProblemError(
            403, "forbidden", "Not allowed", "Only owners and admins see the links of others."
        )
    link = link_of(member)
    if link is None:
        return CalendarLinkOut(state="unlinked")
    health = health_of(link)
    return CalendarLinkOut(
        state=link.state,  # type: ignore[arg-type]
        google_email=link.google_email,
        calendar_id=link.calendar_id or None,
        calendar_name=link.calendar_name or None,
        covers=link.covers,
        privacy=link.privacy,
        last_synced_at=link.last_synced_at,
        pending=health.pending,
        failed=health.failed,
        progress=Progress(done=health.backfill_done, total=health.backfill_total),
    )


def _out(member: Member) -> MemberOut:
    return MemberOut(id=member.id, name=member.name, email=member.email, role=member.role)
