"""`/availability`: times that can be offered, and why others are not."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router, Schema
from pydantic import Field, TypeAdapter

from sophiie.accounts.models import Member
from sophiie.accounts.people import read_active_members
from sophiie.api.access import member_of
from sophiie.api.problems import ProblemError, invalid
from sophiie.api.schemas import Instant, Problem
from sophiie.api.service_asked import doers_of, end_of, length_of, service_of
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.resources import resources_named
from sophiie.appointments.rules import EARLIEST, LATEST, LONGEST, MAX_TRAVEL_MINUTES
from sophiie.availability import why_not
from sophiie.availability.rules import LIMITS
from sophiie.availability.services import terms_of, why_not_for
from sophiie.availability.slots import (
    MAX_MEMBERS,
    MAX_PERIOD,
    MAX_SLOTS,
    Offer,
    TooMuch,
    find_slots,
)
from sophiie.common.wall_time import in_zone
from sophiie.common.zone_rules import zone as rules_of
from sophiie.resources.models import Resource
from sophiie.services.models import Service
from sophiie.services.selectors import able

router = Router(tags=["availability"])
# Writes thousands of slots in half of the time that `json` takes.
_JSON: TypeAdapter[Any] = TypeAdapter(Any)
PROBLEMS = {401: Problem, 404: Problem, 422: Problem, 429: Problem}
MIN_STEP, MAX_STEP = LIMITS["step_minutes"]


TravelMinutes = Annotated[
    int, Field(ge=0, le=MAX_TRAVEL_MINUTES, description="The way there: like a buffer before.")
]


class AvailabilityFilter(Schema):
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    duration_minutes: Annotated[
        int | None, Field(gt=0, le=44_640, description="Default: the service's.")
    ] = None
    service: Annotated[
        UUID | None,
        Field(description="For its length, people, buffers, notice and window."),
    ] = None
    travel_minutes: TravelMinutes = 0
    members: Annotated[
        list[str], Field(description="Ids or email addresses; default: everybody.")
    ] = []
    match: Annotated[
        Literal["any", "all"], Field(description="Slots of any of the members, or common to all.")
    ] = "any"
    resource: Annotated[
        list[str], Field(description="Ids of resources that have to be free as well.")
    ] = []
    step_minutes: Annotated[int, Field(ge=MIN_STEP, le=MAX_STEP)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_SLOTS)] = 1000


class KnowledgeOut(Schema):
    member_id: UUID
    checked_at: datetime | None
    state: Literal["fresh", "stale", "unreadable", "not_linked"]


class SlotOut(Schema):
    start: datetime
    end: datetime
    member_ids: list[UUID]


class AvailabilityOut(Schema):
    now: datetime
    members: list[KnowledgeOut]
    slots: list[SlotOut]
    # From where to ask again when there are more slots than `limit`.
    next_from: datetime | None


class ExplainFilter(Schema):
    member: str
    start: Instant
    end: Annotated[Instant | None, Field(description="Default: as long as the service.")] = None
    service: UUID | None = None
    travel_minutes: TravelMinutes = 0
    resource: Annotated[
        list[str], Field(description="Ids of resources that have to be free as well.")
    ] = []
    step_minutes: Annotated[int, Field(ge=MIN_STEP, le=MAX_STEP)] | None = None


class ReasonOut(Schema):
    rule: why_not.Rule
    detail: str
    start: datetime | None = None
    end: datetime | None = None
    appointment_id: UUID | None = None


class ExplanationOut(Schema):
    offered: bool
    reasons: list[ReasonOut]


@router.get("/availability", response={200: AvailabilityOut, **PROBLEMS}, summary="Free times")
def availability(request: HttpRequest, filters: Query[AvailabilityFilter]) -> HttpResponse:
    """Start times at which an appointment fits completely between `from` and `to`.

    Each lists who is free. Each member says how fresh the knowledge of their calendar is: an
    unreadable calendar offers nothing, and times from a stale one are checked when they are booked.

    For a `service`, those of the members count who can do it, and a time is offered only when as
    many as it takes are free at once.
    """
    asking = member_of(request)
    business = asking.business
    service = service_of(asking, filters.service)
    duration = length_of(service, filters.duration_minutes)
    _check_period(filters.from_, filters.to, MAX_PERIOD, names=("from", "to"))
    members = _members(asking, filters.members, service=service)
    together = filters.match == "all"
    if service:
        members = doers_of(service, members, all_named=together and bool(filters.members))
    try:
        offer = find_slots(
            business=business,
            members=members,
            start=filters.from_,
            end=filters.to,
            duration=duration,
            together=together,
            step=_step(filters.step_minutes),
            limit=filters.limit,
            terms=terms_of(service, travel_minutes=filters.travel_minutes),
            resources=_resources(asking, filters.resource),
        )
    except TooMuch:
        text = "This is too much for one answer: ask for a shorter time or fewer members."
        raise invalid({"to": [text]}) from None
    body = _JSON.dump_json(_offer_out(offer, business.timezone))
    return HttpResponse(body, content_type="application/json")


@router.get(
    "/availability/explain", response={200: ExplanationOut, **PROBLEMS}, summary="Why is this not?"
)
def explain(request: HttpRequest, filters: Query[ExplainFilter]) -> HttpResponse:
    """Every reason why a member's time is not offered, or none if it is offered."""
    asking = member_of(request)
    service = service_of(asking, filters.service, may_be_inactive=True)
    end = filters.end or end_of(service, filters.start)
    _check_period(filters.start, end, LONGEST, names=("start", "end"))
    member, *others = _members(asking, [filters.member], name="member")
    if others:
        raise invalid({"member": ["Ask for one member at a time."]})
    asked: Any = {
        "start": filters.start,
        "end": end,
        "step": _step(filters.step_minutes),
        "resources": _resources(asking, filters.resource),
    }
    way = filters.travel_minutes
    if service:
        reasons = why_not_for(member=member, service=service, travel_minutes=way, **asked)
    else:
        reasons = why_not.why_not(member=member, terms=terms_of(None, travel_minutes=way), **asked)
    zone = asking.business.timezone
    return JsonResponse(
        {"offered": not reasons, "reasons": [_reason_out(reason, zone) for reason in reasons]}
    )


def _step(minutes: int | None) -> timedelta | None:
    return timedelta(minutes=minutes) if minutes else None


def _check_period(
    start: datetime, end: datetime, longest: timedelta, *, names: tuple[str, str]
) -> None:
    for name, moment in zip(names, (start, end), strict=True):
        if not EARLIEST <= moment < LATEST:
            raise invalid({name: ["Use a date between the years 2000 and 2099."]})
    if end <= start:
        raise invalid({names[1]: [f"This must be after “{names[0]}”."]})
    if end - start > longest:
        raise invalid({names[1]: [f"At most {longest.days} days after “{names[0]}”."]})


_ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")


def _members(
    asking: Member, given: list[str], *, name: str = "members", service: Service | None = None
) -> list[Member]:
    """The active members with these ids or email addresses, in a list or separated by commas.

    People outside the business do not exist here. Without any name: everybody, or everybody who
    does the service.
    """
    names = [_canonical(part) for text in given for part in text.split(",") if part.strip()]
    if given and not names:
        raise invalid({name: ["Give at least one id or email address."]})
    asked = [name for name in names if name.isprintable()]  # PostgreSQL accepts no other text
    people = read_active_members(asking.business_id, named=asked if names else None)
    known = {key: person for person in people for key in (str(person.pk), person.email.lower())}
    for wanted in names:
        if wanted not in known:
            _refuse(wanted, name)
    everybody = able(service, people) if service else people
    chosen = [known[wanted] for wanted in names] or everybody
    if len(chosen := list(dict.fromkeys(chosen))) > MAX_MEMBERS:
        raise invalid({name: [f"Name at most {MAX_MEMBERS} members."]})
    return chosen


def _resources(asking: Member, given: list[str]) -> list[Resource]:
    """The resources with these ids, in a list or separated by commas."""
    texts = [part.strip().lower() for text in given for part in text.split(",") if part.strip()]
    for wanted in texts:
        if not _ID.fullmatch(wanted):
            raise invalid({"resource": [f"“{wanted[:80]}” is not an id."]})
    try:
        return resources_named(asking.business, map(UUID, texts))
    except InvalidAppointment as refusal:
        raise invalid({"resource": list(refusal.errors.values())}) from None


def _canonical(text: str) -> str:
    text = text.strip().lower()
    return str(UUID(text)) if _ID.fullmatch(text) else text


def _refuse(wanted: str, name: str) -> None:
    if _ID.fullmatch(wanted) or "@" in wanted:
        raise ProblemError(404, "not-found", "Not found", f"There is no member {wanted[:80]}.")
    raise invalid({name: [f"“{wanted[:80]}” is neither an id nor an email address."]})


def _offer_out(offer: Offer, zone: str) -> dict[str, Any]:
    """As `AvailabilityOut`, but built by hand, because there may be thousands of slots: the zone is
    looked up once, the slots of the same people share one list of their ids, and pydantic's encoder
    writes times in a third of the time that Python's needs."""
    who = {id(slot.member_ids): slot.member_ids for slot in offer.slots}
    names = {key: [str(member_id) for member_id in ids] for key, ids in who.items()}
    rules = rules_of(zone)
    return {
        "now": _at(offer.moment, zone),
        "members": [
            {
                "member_id": str(member_id),
                "checked_at": _at(known.checked_at, zone),
                "state": known.state,
            }
            for member_id, known in offer.knowledge.items()
        ],
        "slots": [
            {
                "start": slot.start.astimezone(rules),
                "end": slot.end.astimezone(rules),
                "member_ids": names[id(slot.member_ids)],
            }
            for slot in offer.slots
        ],
        "next_from": _at(offer.next_from, zone),
    }


def _reason_out(reason: why_not.Reason, zone: str) -> dict[str, Any]:
    found: dict[str, Any] = {"rule": reason.rule, "detail": reason.detail}
    if reason.start:
        found["start"] = _at(reason.start, zone)
    if reason.end:
        found["end"] = _at(reason.end, zone)
    if reason.appointment_id:
        found["appointment_id"] = str(reason.appointment_id)
    return found


def _at(moment: datetime | None, zone: str) -> str | None:
    return in_zone(moment, zone).isoformat() if moment else None
