"""The shapes of series in answers, and what fills them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from sophiie.api.appointment_schemas import ObstacleOut, obstacle_out
from sophiie.api.schemas import Page, Problem
from sophiie.common.wall_time import in_zone
from sophiie.series.cancelling import Ended
from sophiie.series.changing import Preview
from sophiie.series.errors import InTheWay, InvalidSeries, Question
from sophiie.series.models import Series, Visit
from sophiie.series.planning import Planned, Timing
from sophiie.series.selectors import visits_of
from sophiie.series.words import in_words


class VisitOut(Schema):
    number: int
    day: date
    appointment_id: UUID
    start: datetime
    end: datetime
    status: str
    changed_alone: bool


class SeriesOut(Schema):
    id: UUID
    rule: str
    words: str
    short_months: str
    timezone: str
    start: datetime
    duration_minutes: int
    left_out: list[date]
    not_booked: Annotated[
        list[date], Field(description="Days whose visit something is in the way of.")
    ]
    planned_through: date | None
    total: int | None
    revision: int
    previous_id: UUID | None
    ended_at: datetime | None
    visits: Annotated[list[VisitOut], Field(description="One page of them, by number.")]
    next_cursor: Annotated[
        str | None,
        Field(description="For the next page: `GET /series/{id}?cursor=`. Null: no more."),
    ]
    act_id: Annotated[
        UUID | None, Field(description="What was just done; `POST /series/{id}/undo` undoes it.")
    ] = None


class PlannedOut(Schema):
    number: int
    day: date
    start: datetime
    end: datetime


class InTheWayOut(PlannedOut):
    """A visit that is not possible at its time: why, and the nearest time that is free."""

    nearest: datetime | None
    conflicts: list[ObstacleOut]


class QuestionOut(Schema):
    day: date
    kind: Literal["skipped", "doubled"]
    choices: list[datetime]
    detail: str


class SeriesPreview(Schema):
    """What booking would do."""

    words: str
    visits: list[PlannedOut]
    in_the_way: list[InTheWayOut]


class MoveOut(Schema):
    number: int
    appointment_id: UUID
    before: datetime
    after: datetime


class ChangePreview(Schema):
    """What a change would do. `kept`: changed alone, so they stay as they are."""

    moved: list[MoveOut] = []
    changed: list[UUID] = []
    kept: list[UUID]
    cancelled: list[UUID]
    added: list[PlannedOut] = []
    past: int
    splits: bool = False
    in_the_way: list[InTheWayOut] = []
    act_id: UUID | None = None


class VisitsProblem(Problem):
    """409: the visits that are in the way, with proposals."""

    conflicts: list[ObstacleOut] = []
    visits: list[InTheWayOut] = []
    of: int = 0


# What every act on a series may answer instead.
PROBLEMS = {
    401: Problem,
    403: Problem,
    404: Problem,
    409: VisitsProblem,
    422: Problem,
    429: Problem,
    503: Problem,
}

# What an act answers; more is read page by page.
FIRST_PAGE = Page(limit=200)


def series_out(
    series: Series, act_id: UUID | None = None, page: Page = FIRST_PAGE
) -> dict[str, Any]:
    """The series with one page of its visits. Raises as `_visits_on`."""
    zone = series.timezone
    visits = _visits_on(series, page)
    begins = visits[0] if visits and not page.cursor else visits_of(series).first()
    first = begins.appointment.start if begins else series.created_at
    more = len(visits) > page.limit
    visits = visits[: page.limit]
    return SeriesOut(
        id=series.id,
        rule=series.rule_as_told.as_text(),
        words=in_words(series.rule_as_told),
        short_months=series.short_months,
        timezone=zone,
        start=in_zone(first, zone),
        duration_minutes=int(series.length.total_seconds() // 60),
        left_out=series.left_out,
        not_booked=series.not_booked,
        planned_through=series.planned_through,
        total=series.total,
        revision=series.revision,
        previous_id=series.previous_id,
        ended_at=series.ended_at and in_zone(series.ended_at, zone),
        visits=[visit_out(visit) for visit in visits],
        next_cursor=str(visits[-1].number) if more else None,
        act_id=act_id,
    ).model_dump(mode="json")


def _visits_on(series: Series, page: Page) -> list[Visit]:
    """The visits of the page, and one more if there is one. Raises `InvalidSeries` for what is no
    cursor."""
    found = visits_of(series)
    if page.cursor:
        if not _NUMBER.fullmatch(page.cursor):
            raise InvalidSeries({"cursor": "This is not a cursor from an earlier answer."})
        found = found.filter(number__gt=int(page.cursor))
    return list(found[: page.limit + 1])


_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


def visit_out(visit: Visit) -> VisitOut:
    appointment = visit.appointment
    return VisitOut(
        number=visit.number,
        day=visit.planned,
        appointment_id=appointment.id,
        start=appointment.local_start,
        end=appointment.local_end,
        status=appointment.current_status,
        changed_alone=visit.changed_alone,
    )


def planned_out(planned: Planned, zone: str) -> PlannedOut:
    return PlannedOut(
        number=planned.number,
        day=planned.day,
        start=in_zone(planned.start, zone),
        end=in_zone(planned.end, zone),
    )


def in_the_way_out(visit: InTheWay) -> InTheWayOut:
    zone = visit.timezone
    return InTheWayOut(
        number=visit.number,
        day=visit.day,
        start=in_zone(visit.start, zone),
        end=in_zone(visit.end, zone),
        nearest=visit.nearest and in_zone(visit.nearest, zone),
        conflicts=[obstacle_out(obstacle) for obstacle in visit.obstacles],
    )


def question_out(question: Question) -> QuestionOut:
    return QuestionOut(
        day=question.day,
        kind="doubled" if question.doubled else "skipped",
        choices=list(question.choices),
        detail=question.text,
    )


def series_preview(
    timing: Timing, visits: Sequence[Planned], in_the_way: Sequence[InTheWay]
) -> dict[str, Any]:
    return SeriesPreview(
        words=in_words(timing.rule),
        visits=[planned_out(visit, timing.zone) for visit in visits],
        in_the_way=[in_the_way_out(visit) for visit in in_the_way],
    ).model_dump(mode="json")


def change_preview(preview: Preview, zone: str) -> dict[str, Any]:
    moved = [
        MoveOut(
            number=visit.number,
            appointment_id=visit.appointment_id,
            before=in_zone(before, zone),
            after=in_zone(after, zone),
        )
        for visit, before, after in preview.moved
    ]
    return ChangePreview(
        moved=moved,
        changed=_ids(preview.changed),
        kept=_ids(preview.kept),
        cancelled=_ids(preview.cancelled),
        added=[planned_out(planned, zone) for planned in preview.added],
        past=preview.past,
        splits=preview.splits,
        in_the_way=[in_the_way_out(visit) for visit in preview.in_the_way],
    ).model_dump(mode="json")


def ended_out(ended: Ended) -> dict[str, Any]:
    return ChangePreview(
        kept=_ids(ended.kept),
        cancelled=_ids(ended.cancelled),
        past=ended.past,
        act_id=ended.act.id if ended.act else None,
    ).model_dump(mode="json")


def _ids(visits: Sequence[Visit]) -> list[UUID]:
    return [visit.appointment_id for visit in visits]
