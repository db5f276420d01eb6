"""How a log line looks: JSON for programs, or short and in colour for people at a terminal.

Both show what is left after secrets were hidden. What comes from outside cannot steer a terminal
or look like a line of its own.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import structlog

LogStyle = Literal["json", "plain", "coloured"]
# Whoever looks into a problem needs these; in lines that tell of none they are only long.
_FOR_LOOKING_UP = ("logger", "request_id", "trace_id", "span_id")
_OF_MANY_LINES = ("exception", "stack")


def renderers(style: LogStyle) -> list[Any]:
    """The last structlog processors, which make text of an event."""
    if style == "json":
        return [structlog.processors.JSONRenderer()]
    console = structlog.dev.ConsoleRenderer(
        colors=style == "coloured",
        force_colors=style == "coloured",
        pad_event_to=24,
        pad_level=False,
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [_shorten, _disarm, console]


def _shorten(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    moment = datetime.fromisoformat(str(event["timestamp"]))
    event["timestamp"] = f"{moment.astimezone():%H:%M:%S}"
    if event["level"] != "info":
        return event
    return {
        key: value
        for key, value in event.items()
        if key not in _FOR_LOOKING_UP and value is not None and not _is_id(value)
    }


def _is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _disarm(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Writes what does not print as its code. A traceback keeps its lines, each indented."""
    return {
        _printable(key): (
            "\n".join(f"    {_printable(line)}" for line in str(value).splitlines())
            if key in _OF_MANY_LINES
            else _printable(value)
        )
        for key, value in event.items()
    }


def _printable(value: Any) -> Any:
    """Others than texts are shown by `repr`, which does the same."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in value
    )
