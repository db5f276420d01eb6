"""The days that a series leaves out, as rows of two dates in a form."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import zip_longest
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from sophiie.common.clock import now
from sophiie.web.shared.typed_times import DATE_ERROR, parse_date

MAX_DAYS_OUT = 2000

Row = tuple[str, str]


class Periods(forms.Widget):
    """Rows of two dates each; the template writes them."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        if not hasattr(data, "getlist"):
            return []
        pairs = zip_longest(data.getlist("leave_from"), data.getlist("leave_to"), fillvalue="")
        rows = [(first.strip()[:40], last.strip()[:40]) for first, last in pairs]
        return [row for row in rows if any(row)]

    def value_omitted_from_datadict(self, data: Any, files: Any, name: str) -> bool:
        return "leave_from" not in data


class PeriodsField(forms.Field):
    """Periods of days, each with its first and last day; one day needs no last."""

    widget = Periods

    def clean(self, value: Any) -> list[tuple[date, date]]:
        rows: Sequence[Row] = value or []
        periods = [self._period(row) for row in rows[: MAX_DAYS_OUT + 1]]
        if sum((last - first).days + 1 for first, last in periods) > MAX_DAYS_OUT:
            raise forms.ValidationError(_("These are too many days to leave out."))
        return periods

    def _period(self, row: Row) -> tuple[date, date]:
        today = now().date()
        first, last = (parse_date(text, today=today) if text else None for text in row)
        if (row[0] and first is None) or (row[1] and last is None):
            raise forms.ValidationError(DATE_ERROR)
        first, last = first or last, last or first
        assert first is not None
        assert last is not None
        if not (2000 <= first.year < 2100 and 2000 <= last.year < 2100):
            raise forms.ValidationError(_("Use a date between the years 2000 and 2099."))
        if last < first:
            raise forms.ValidationError(_("The last day left out is before the first."))
        return first, last

    def has_changed(self, initial: Any, data: Any) -> bool:
        return sorted(map(tuple, initial or [])) != sorted(map(tuple, data or []))
