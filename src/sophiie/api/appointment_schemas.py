"""The shapes of appointments in requests and answers, as the contract has them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field, StrictBool, StrictInt

from sophiie.accounts.models import Member
from sophiie.api.schemas import Instant, Page, PersonOut, Problem, Strict, Text
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.models import Appointment
from sophiie.common.wall_time import in_zone
from sophiie.series.selectors import Place
from sophiie.sync.reports.event_status import Drift, EventStatus


class CustomerIn(Strict):
    """By `id`, by words, or by both: what the words leave out is taken from the customer's record.
    Without an id the customer is found by phone or email, or made."""

    id: UUID | None = None
    name: Text = ""
    phone: Text = ""
    email: Text = ""


Travel = Annotated[StrictInt, Field(description="The way there: it counts like a buffer before.")]


class AppointmentIn(Strict):
    title: Annotated[Text | None, Field(description="Default: the service's.")] = None
    start: Instant
    end: Instant | None = None
    duration_minutes: Annotated[StrictInt, Field(gt=0, le=44_640)] | None = None
    timezone: Text | None = None
    location: Text = ""
    notes: Text | None = None
    assignees: Annotated[list[Text], Field(max_length=200)] | None = None
    customer: CustomerIn | None = None
    customer_id: UUID | None = None
    service_id: Annotated[
        UUID | None,
        Field(description="Gives title, length, notes and assignees where they are not said."),
    ] = None
    travel_minutes: Travel = 0
    resource_ids: Annotated[list[UUID], Field(max_length=100)] = []
    hold_minutes: (
        Annotated[
            StrictInt,
            Field(ge=1, le=30, description="Only hold the time, for so many minutes."),
        ]
        | None
    ) = None
    allow_overlap: StrictBool = False
    accept_unverified: StrictBool = False


class ConfirmIn(Strict):
    allow_overlap: StrictBool = False
    accept_unverified: StrictBool = False


class AppointmentPatch(Strict):
    title: Text | None = None
    start: Instant | None = None
    end: Instant | None = None
    duration_minutes: Annotated[StrictInt, Field(gt=0, le=44_640)] | None = None
    timezone: Text | None = None
    location: Text | None = None
    notes: Text | None = None
    assignees: Annotated[list[Text], Field(max_length=200)] | None = None
    customer: CustomerIn | None = None
    customer_id: UUID | None = None
    service_id: UUID | None = None
    travel_minutes: Travel | None = None
    resource_ids: Annotated[list[UUID], Field(max_length=100)] | None = None
    status: Literal["scheduled", "completed", "no_show", "cancelled"] | None = None
    allow_overlap: StrictBool = False
    accept_unverified: StrictBool = False


class AppointmentFilter(Page):
    from_: Instant | None = Field(None, alias="from")
    to: Instant | None = None
    assignee: str | None = None
    status: Literal["held", "scheduled", "completed", "cancelled", "no_show"] | None = None
    updated_since: Instant | None = None
    service: UUID | None = None


class CustomerOut(Schema):
    name: str
    phone: str
    email: str


class GoogleTimeOut(Schema):
    start: datetime
    end: datetime


class DriftOut(Schema):
    kind: Annotated[
        Literal["edited", "deleted", "still_there"],
        Field(description="`still_there`: the appointment is off, and its event is in Google."),
    ]
    seen_at: datetime
    google: GoogleTimeOut | None
    title: str | None = None
    location: str | None = None
    added_text: Annotated[
        str | None, Field(description="What was written into the event's description.")
    ] = None
    recurrence: Annotated[
        str | None, Field(description="The rule by which the event repeats in Google.")
    ] = None


class DriftIn(Strict):
    action: Literal["put_back", "accept"]
    member_id: UUID | None = None
    allow_overlap: StrictBool = False
    accept_unverified: StrictBool = False


class SyncOut(Schema):
    member_id: UUID
    calendar_id: Annotated[
        str | None,
        Field(
            description="Mostly the address of a Google account. `null` for a colleague's "
            "calendar, unless the key's member is an owner or admin; so is `html_link`."
        ),
    ]
    event_id: str
    state: Literal["pending", "synced", "failed", "paused", "released"]
    shown_revision: int
    synced_at: datetime | None
    attempts: int
    error: str | None
    next_attempt_at: datetime | None
    html_link: str | None
    guests: list[str] = []
    left_out: Annotated[
        dict[str, str],
        Field(description="Optional parts that Google refused, each with Google's words."),
    ] = {}
    drift: DriftOut | None = None


class ObstacleOut(Schema):
    """One obstacle. `checked_at`: when the member's calendar was last read."""

    member_id: UUID | None = None  # `null` for a resource
    start: datetime
    end: datetime
    source: Literal["appointment", "google", "resource", "unreadable"]
    appointment_id: UUID | None = None
    resource_id: UUID | None = None
    checked_at: datetime | None = None


class PlaceOut(Schema):
    """Which visit of its series an appointment is; `of` is null while the series has no end."""

    id: UUID
    number: int
    of: int | None


class AppointmentOut(Schema):
    id: UUID
    title: str
    notes: str
    location: str
    start: datetime
    end: datetime
    timezone: str
    status: str
    assignees: list[PersonOut]
    customer: Annotated[
        CustomerOut | None, Field(description="As told when the appointment was booked.")
    ]
    customer_id: UUID | None = None
    service_id: UUID | None = None
    travel_minutes: int = 0
    buffer_before: Annotated[
        int | None,
        Field(description="The service's when it was booked; `null`: as the booking rules say."),
    ] = None
    buffer_after: int | None = None
    series: PlaceOut | None = None
    resource_ids: list[UUID] = []
    revision: int
    held_until: datetime | None = None
    created_at: datetime
    updated_at: datetime
    sync: list[SyncOut]
    # Obstacles that arose after the booking and that nobody has accepted.
    clashes: list[ObstacleOut] = []


class AppointmentList(Schema):
    items: list[AppointmentOut]
    next_cursor: str | None


class ConflictProblem(Problem):
    """409: the obstacles to a booking."""

    conflicts: list[ObstacleOut] = []


def appointment_out(
    appointment: Appointment,
    team: Iterable[Member],
    statuses: list[EventStatus],
    clashes: list[Obstacle],
    place: Place | None = None,
    resource_ids: Iterable[UUID] = (),
) -> AppointmentOut:
    """The appointment as the API shows it, with times in its own zone."""
    zone = appointment.timezone
    customer = None
    if appointment.customer_name or appointment.customer_phone or appointment.customer_email:
        customer = CustomerOut(
            name=appointment.customer_name,
            phone=appointment.customer_phone,
            email=appointment.customer_email,
        )
    return AppointmentOut(
        id=appointment.id,
        title=appointment.title,
        notes=appointment.notes,
        location=appointment.location,
        start=in_zone(appointment.start, zone),
        end=in_zone(appointment.end, zone),
        timezone=zone,
        status=appointment.current_status,
        assignees=[PersonOut(id=m.id, name=m.name, email=m.email) for m in team],
        customer=customer,
        customer_id=appointment.customer_id,
        service_id=appointment.service_id,
        travel_minutes=appointment.travel_minutes,
        buffer_before=appointment.buffer_before_minutes,
        buffer_after=appointment.buffer_after_minutes,
        series=PlaceOut(id=place.series_id, number=place.number, of=place.of) if place else None,
        resource_ids=list(resource_ids),
        revision=appointment.revision,
        held_until=in_zone(appointment.held_until, zone) if appointment.held_until else None,
        created_at=in_zone(appointment.created_at, zone),
        updated_at=in_zone(appointment.updated_at, zone),
        sync=[_sync_out(status, zone) for status in statuses],
        clashes=[obstacle_out(clash) for clash in clashes],
    )


def obstacle_out(obstacle: Obstacle) -> ObstacleOut:
    """One obstacle; busy time is in the zone of the appointment that it obstructs."""
    return ObstacleOut(
        member_id=obstacle.member_id,
        start=obstacle.local_start,
        end=obstacle.local_end,
        source=obstacle.source.value,
        appointment_id=obstacle.appointment_id,
        resource_id=obstacle.resource_id,
        checked_at=obstacle.checked_at and in_zone(obstacle.checked_at, obstacle.timezone),
    )


def _sync_out(status: EventStatus, zone: str) -> SyncOut:
    return SyncOut(
        member_id=status.member_id,
        calendar_id=status.calendar_id or None,
        event_id=status.event_id,
        state=status.state,  # type: ignore[arg-type]  # one of these; pydantic checks it
        shown_revision=status.shown_revision,
        synced_at=in_zone(status.synced_at, zone) if status.synced_at else None,
        attempts=status.attempts,
        error=status.error or None,
        next_attempt_at=in_zone(status.next_attempt_at, zone) if status.next_attempt_at else None,
        html_link=status.html_link or None,
        guests=list(status.guests),
        left_out=dict(status.left_out),
        drift=_drift_out(status.drift, zone),
    )


def _drift_out(drift: Drift | None, zone: str) -> DriftOut | None:
    if drift is None:
        return None
    google = None  # deleted, or an all-day event: no time to accept
    if drift.start and drift.end:
        google = GoogleTimeOut(start=in_zone(drift.start, zone), end=in_zone(drift.end, zone))
    return DriftOut(
        kind=drift.kind,  # type: ignore[arg-type]  # likewise
        seen_at=in_zone(drift.seen_at, zone),
        google=google,
        title=drift.fields.get("title"),
        location=drift.fields.get("location"),
        added_text="\n".join(drift.fields.get("description", [])) or None,
        recurrence=drift.fields.get("repetition"),
    )
