"""The shapes that several resources share, as the contract has them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, StrictStr

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _rfc_3339(value: Any) -> Any:
    """Refuses what a lenient parser would guess: numbers, and times without an offset."""
    if isinstance(value, str) and _RFC_3339.fullmatch(value):
        return value
    raise ValueError("Give a time as RFC 3339 with an offset, e.g. 2026-12-01T09:00:00+11:00.")


def in_utc(moment: datetime) -> datetime:
    """The same instant: RFC 3339 allows offsets up to 23:59, PostgreSQL only below 16 hours.

    Raises `ValueError` before the first year and after the last.
    """
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("Use a date between the years 2000 and 2099.") from None


Instant = Annotated[AwareDatetime, BeforeValidator(_rfc_3339), AfterValidator(in_utc)]
Text = Annotated[StrictStr, Field(max_length=20_000)]


class Strict(Schema):
    """Input. An unknown field is an error: ignoring it would hide a mistake."""

    model_config = ConfigDict(extra="forbid")


class Page(Schema):
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=500)] = ""


class PersonOut(Schema):
    id: UUID
    name: str
    email: str


class Problem(Schema):
    type: str
    title: str
    status: int
    detail: str
