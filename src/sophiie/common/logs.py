"""Structured logs: one JSON line an event, with ids and without secrets."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog

SECRET_NAMES = re.compile(
    r"token|secret|password|authorization|cookie|code_verifier|^code$|api_?key", re.IGNORECASE
)
# What Google's and our own secrets look like, wherever they turn up in a text.
SECRET_SHAPES = re.compile(
    r"ya29\.[\w.~/-]+|1//[\w.~/-]+|4/[\w-]{10,}|sophiie_[0-9a-zA-Z_-]{20,}|eyJ[\w-]+\.[\w-]+\.[\w-]+"
    r"|(?<=[?&]code=)[^&\s\"']+|(?<=[?&]state=)[^&\s\"']+|(?<=/password/reset/key/)[^/\s\"']+"
)
# One of these stands in each of them; most of what is logged has none and need not be searched.
SECRET_SIGNS = frozenset("./_=")
HIDDEN = "[hidden]"


def hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor: hides values by the name of their key and by their shape."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: Any) -> Any:
    if value and _names_a_secret(key):
        return HIDDEN
    if isinstance(value, str):
        return _without_secrets(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {inner: _clean(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _without_secrets(str(value))  # errors, bytes: as they would be written


def without_secrets(value: Any) -> Any:
    """The same as a JSON value in which nothing looks like a secret, by its name or its shape."""
    return _clean("", value)


@lru_cache(maxsize=1000)
def _names_a_secret(key: str) -> bool:
    return SECRET_NAMES.search(key) is not None


def _without_secrets(text: str) -> str:
    return text if SECRET_SIGNS.isdisjoint(text) else SECRET_SHAPES.sub(HIDDEN, text)


def configure_logging(level: str) -> None:
    """Sends the logs of the product and of its libraries to stderr as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        # What the level leaves out is dropped before anything is made of it.
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # Of a line's thread, process and place in the code nothing is written, so it is not looked up.
    # Source: "Optimization" in the documentation of `logging`.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                hide_secrets,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("aiohttp.access").setLevel("WARNING")
    logging.getLogger("procrastinate").setLevel("WARNING")
    # Its "unclosed"/"slow callback" chatter is for developers of asyncio.
    logging.getLogger("asyncio").setLevel("WARNING")


def log(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `logger = log(__name__)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
