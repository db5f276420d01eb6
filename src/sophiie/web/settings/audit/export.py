"""The audit log as a file, streamed while it is read: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import translation

from sophiie.audit.models import Entry
from sophiie.audit.selectors import Wanted, all_of
from sophiie.common.clock import now
from sophiie.common.spreadsheets import harmless
from sophiie.common.wall_time import in_zone
from sophiie.web.settings.audit.sentences import actor_of, sentence_of
from sophiie.web.shared.shown_times import clock_of, twelve_hours

Rows = Iterable[list[dict[str, Any]]]

_COLUMNS = (
    *("at", "act", "text", "actor_kind", "actor", "actor_id", "actor_email", "api_key"),
    *("subject_kind", "subject", "subject_id", "details"),
    *("address", "agent", "request_id", "id"),
)


@dataclass(frozen=True)
class Format:
    ending: str
    content_type: str
    write: Callable[[Rows], Iterator[str]]


def export(wanted: Wanted, how: Format, *, zone: str) -> HttpResponse:
    """The answer with the file."""
    response = StreamingHttpResponse(how.write(_rows(wanted, zone)), content_type=how.content_type)
    name = f"sophiie-audit-log-{in_zone(now(), zone):%Y-%m-%d}.{how.ending}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast(HttpResponse, response)  # to views this is an ordinary response


def _rows(wanted: Wanted, zone: str) -> Iterator[list[dict[str, Any]]]:
    """In the language and clock of the request, which is over by the time this runs."""
    language, twelve = translation.get_language(), twelve_hours()

    def generate() -> Iterator[list[dict[str, Any]]]:
        for entries in all_of(wanted):
            with translation.override(language), clock_of(twelve_hours=twelve):
                rows = [_row(entry, zone) for entry in entries]
            yield rows

    return generate()


def _row(entry: Entry, zone: str) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "act": entry.act,
        "text": sentence_of(entry, zone),
        "actor_kind": entry.actor_kind,
        "actor": actor_of(entry),
        "actor_id": entry.actor_id and str(entry.actor_id),
        "actor_email": entry.actor_email,
        "api_key": entry.key_prefix,
        "subject_kind": entry.subject_kind,
        "subject": entry.subject_label,
        "subject_id": entry.subject_id and str(entry.subject_id),
        "details": entry.details,
        "address": entry.address,
        "agent": entry.agent,
        "request_id": entry.request_id,
        "id": str(entry.id),
    }


def _as_csv(chunks: Rows) -> Iterator[str]:
    # The byte order mark tells spreadsheets that the file is UTF-8.
    yield "\ufeff" + ",".join(_COLUMNS) + "\r\n"
    for rows in chunks:
        text = io.StringIO()
        csv.writer(text).writerows([_cell(row[name]) for name in _COLUMNS] for row in rows)
        yield text.getvalue()


def _as_json(chunks: Rows) -> Iterator[str]:
    before = "["
    for rows in chunks:
        if rows:
            yield before + ",".join(f"\n{json.dumps(row, ensure_ascii=False)}" for row in rows)
            before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return harmless("" if value is None else str(value))


FORMATS = {
    "csv": Format("csv", "text/csv; charset=utf-8", _as_csv),
    "json": Format("json", "application/json", _as_json),
}
