"""Structured logs: one line for each event, with ids and without secrets."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any
from uuid import UUID

import structlog

from sophiie.common.hidden import (
    HIDDEN,
    hide_known,
    names_a_secret,
    secrets_in_path,
    without_literals,
    without_secrets,
)
from sophiie.common.log_lines import LogStyle, renderers
from sophiie.common.tracing import add_trace

# Django stores statements with all their values in these.
SQL_LOGGERS = "django.db.backends"


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor: hides values by the name of their key and by their shape."""
    return {key: _clean(key, value) for key, value in event.items()}


def hide_what_the_record_knows(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: hides what only the record reveals as a secret, by its request or its
    logger: the `secret` or `key` in the address of a page."""
    record = event.get("_record")
    text = event.get("event")
    if record is None or not isinstance(text, str):
        return event
    for secret in secrets_in_path(getattr(record, "request", None)):
        text = text.replace(secret, HIDDEN)
    if record.name.startswith(SQL_LOGGERS):
        text = without_literals(text)
    event["event"] = text
    return event


def _clean(key: str, value: Any) -> Any:
    if value and names_a_secret(key):
        return HIDDEN
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {_shown_key(inner): _clean(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return without_secrets(str(value))  # errors, bytes: as they would be written


def _shown_key(key: Any) -> Any:
    return without_secrets(key) if isinstance(key, str) else key


def cleaned(value: Any) -> Any:
    """The value as JSON, without anything that looks like a secret by its name or its shape."""
    return _clean("", value)


def configure_logging(level: str, *, known: Iterable[str] = (), style: LogStyle = "json") -> None:
    """Sends the logs of the product and of its libraries to stderr.

    `known`: the secrets that this process was started with.
    """
    hide_known(known)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        # What the level leaves out is dropped before any work is done on it.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # No line shows thread, process or place in the code, so nothing looks them up. Source:
    # "Optimization" in the documentation of `logging`.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                hide_what_the_record_knows,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                hide_secrets,
                *renderers(style),
            ],
        )
    )
    handler.addFilter(_refusals_without_traceback)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("aiohttp.access").setLevel("WARNING")
    logging.getLogger("procrastinate").setLevel("WARNING")
    # Its "unclosed"/"slow callback" chatter is for developers of asyncio.
    logging.getLogger("asyncio").setLevel("WARNING")


def _refusals_without_traceback(record: logging.LogRecord) -> bool:
    """A filter: what Django refuses is the doing of whoever asked, and one line says all of it.
    Only what fails on our side says where."""
    refused = record.name == "django.request" and record.levelno < logging.ERROR
    if refused or record.name.startswith("django.security"):
        record.exc_info = None
    return True


def log(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `logger = log(__name__)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
