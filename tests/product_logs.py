"""The log as the product writes it, in a test's own process, and nothing of it left afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import structlog

from sophiie.common.log_lines import LogStyle
from sophiie.common.logs import configure_logging


@contextmanager
def product_logs(level: str, style: LogStyle = "json") -> Iterator[StringIO]:
    """What a process of the product with this level would write to stderr."""
    root = logging.getLogger()
    handlers, before, config = root.handlers[:], root.level, structlog.get_config()
    configure_logging(level, style=style)
    # Loggers that keep what they were configured with would hide their lines from later tests.
    structlog.configure(**{**structlog.get_config(), "cache_logger_on_first_use": False})
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written := StringIO())
    try:
        yield written
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
        structlog.configure(**config)
