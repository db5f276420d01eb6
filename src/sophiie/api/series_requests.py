"""The shapes of series in requests: `series_input.py` says what they mean."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from sophiie.api.appointment_schemas import CustomerIn, Travel
from sophiie.api.schemas import Instant, Strict, Text

WayIn = Literal["refuse", "leave_out", "move", "book_anyway"]
RuleText = Annotated[
    str,
    Field(
        max_length=200,
        description="An RFC 5545 RRULE: FREQ=DAILY, WEEKLY or MONTHLY with INTERVAL (1 to 99), "
        "BYDAY, BYMONTHDAY, WKST, and COUNT (1 to 366), UNTIL or no end. What it does not say is "
        "that of `start`.",
    ),
]
Days = Annotated[list[date], Field(max_length=400)]


class ClocksIn(Strict):
    """What is meant when the clocks skip a time of the series, or show it twice."""

    skipped: Literal["leave_out", "earlier", "later"] | None = None
    doubled: Literal["first", "second"] | None = None


class VisitAnswerIn(Strict):
    """What becomes of the visit planned for `day`: by `in_the_way`, or moved to `start`."""

    day: date
    in_the_way: WayIn | None = None
    start: Instant | None = None


class Fit(Strict):
    """What becomes of visits in the way, and what the clocks and short months ask."""

    in_the_way: Annotated[
        WayIn,
        Field(
            description="What becomes of visits at whose time somebody is not free: all is refused,"
            " they are left out, moved to the nearest free time, or booked anyway (owners and "
            "admins)."
        ),
    ] = "refuse"
    answers: Annotated[list[VisitAnswerIn], Field(max_length=400)] = []
    accept_unverified: StrictBool = False
    clocks: ClocksIn | None = None
    short_months: Annotated[
        Literal["skip", "last_day"] | None,
        Field(description="In a month without the 29th, 30th or 31st: no visit, or its last day."),
    ] = None


class SeriesIn(Fit):
    title: Annotated[Text | None, Field(description="Default: the service's.")] = None
    rule: RuleText
    start: Instant
    end: Instant | None = None
    duration_minutes: Annotated[StrictInt, Field(gt=0, le=44_640)] | None = None
    timezone: Text | None = None
    left_out: Annotated[Days, Field(description="Days without a visit. They do not count.")] = []
    location: Text = ""
    notes: Annotated[Text | None, Field(description="Default: the service's.")] = None
    assignees: Annotated[list[Text], Field(max_length=200)] | None = None
    service_id: UUID | None = None
    travel_minutes: Travel = 0
    resource_ids: Annotated[list[UUID], Field(max_length=100)] = []
    customer: CustomerIn | None = None
    customer_id: UUID | None = None
    hold_minutes: Annotated[StrictInt, Field(ge=1, le=30)] | None = None


class SeriesPatch(Fit):
    title: Text | None = None
    rule: RuleText | None = None
    start: Annotated[
        Instant | None,
        Field(description="When the visit named by `appointment`, or the first, is to begin."),
    ] = None
    duration_minutes: Annotated[StrictInt, Field(gt=0, le=44_640)] | None = None
    left_out: Days | None = None
    location: Text | None = None
    notes: Text | None = None
    assignees: Annotated[list[Text], Field(max_length=200)] | None = None
    customer: CustomerIn | None = None
    customer_id: UUID | None = None
    service_id: UUID | None = None
    travel_minutes: Travel | None = None
    resource_ids: Annotated[list[UUID], Field(max_length=100)] | None = None
    include_changed: Annotated[
        StrictBool, Field(description="Also the visits that somebody changed alone.")
    ] = False


class ConfirmSeriesIn(Strict):
    accept_unverified: StrictBool = False


class UndoIn(Strict):
    act_id: UUID
