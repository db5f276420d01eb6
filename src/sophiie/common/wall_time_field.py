"""A column for what clocks show: a time without a zone."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _Field = models.Field[datetime | None, datetime | None]
else:
    _Field = models.Field


class WallTimeField(_Field):
    """A naive `datetime`. Django's own field knows instants only."""

    def db_type(self, connection: Any) -> str:
        return "timestamp without time zone"
