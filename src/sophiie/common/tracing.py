"""Traces for OpenTelemetry, if the operator names where they go: what a request, an act or a job
did, and how long each part took.

The library is an optional part and is loaded only then; otherwise a span costs one comparison. A
span says what was done and to which of our ids. It carries no people, addresses, titles, queries
or messages of errors, and passes the filter that keeps secrets out of the logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from sophiie.common.hidden import HIDDEN, names_a_secret, without_secrets
from sophiie.common.ids import is_event_id

P = ParamSpec("P")
R = TypeVar("R")

FLUSH_SECONDS = 2.0
_MAIL_ADDRESS = re.compile(r"[^\s/@]+(?:@|%40)[^\s/]+", re.IGNORECASE)
# In the addresses of Google's API the words after these are a calendar's and an event's id. The id
# of a calendar is mostly a mail address.
_IDS = re.compile(r"/(calendars|calendarList|events)/([^/]+)")


class TracesUnavailable(Exception):
    """The library is not installed."""


class Span(Protocol):
    """What is being traced, for what is known only later."""

    def note(self, **attributes: Any) -> None: ...
    def rename(self, name: str) -> None: ...


class _NoSpan:
    def note(self, **attributes: Any) -> None:
        pass

    def rename(self, name: str) -> None:
        pass


_OFF: AbstractContextManager[Span] = nullcontext(_NoSpan())
_provider: Any = None
_tracer: Any = None


def begin(endpoint: str, *, release: str) -> None:
    """From now on spans are gathered and sent by a thread. Raises `TracesUnavailable`."""
    global _provider, _tracer
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise TracesUnavailable from None
    named = Resource.create({"service.name": "sophiie", "service.version": release})
    _provider = TracerProvider(resource=named, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", timeout=FLUSH_SECONDS)
    _provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = _provider.get_tracer("sophiie", release)


def end() -> None:
    """Sends what is waiting, before the process ends."""
    global _provider, _tracer
    if _provider is not None:
        provider, _provider, _tracer = _provider, None, None
        provider.force_flush(int(FLUSH_SECONDS * 1000))
        provider.shutdown()


def span(name: str, **attributes: Any) -> AbstractContextManager[Span]:
    """Traces the block. Within another span it is a part of that."""
    return _OFF if _tracer is None else _traced(name, attributes)


def traced(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Traces every call of a function."""

    def decorate(act: Callable[P, R]) -> Callable[P, R]:
        @wraps(act)
        def traced_act(*args: P.args, **kwargs: P.kwargs) -> R:
            with span(name):
                return act(*args, **kwargs)

        @wraps(act)
        async def traced_task(*args: P.args, **kwargs: P.kwargs) -> Any:
            with span(name):
                return await cast(Any, act)(*args, **kwargs)

        return cast(Callable[P, R], traced_task) if iscoroutinefunction(act) else traced_act

    return decorate


def add_trace(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: names the trace in which a line was written."""
    if _tracer is not None:
        from opentelemetry.trace import get_current_span

        context = get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = f"{context.trace_id:032x}"
            event["span_id"] = f"{context.span_id:016x}"
    return event


def masked(url: str) -> str:
    """An address without its query, and of its path only what is nobody's."""
    parts = urlsplit(url)
    path = _IDS.sub(lambda found: f"/{found[1]}/{_id(found[2])}", parts.path)
    return f"{parts.scheme}://{parts.hostname}{_shown(path)}"


def _id(text: str) -> str:
    """Ids of our own making stay."""
    return text if is_event_id(text) else "…"


@contextmanager
def _traced(name: str, attributes: dict[str, Any]) -> Iterator[Span]:
    from opentelemetry.trace import StatusCode

    # An exception's words may hold anything, so only its kind is told.
    asked = _tracer.start_as_current_span(
        name, record_exception=False, set_status_on_exception=False
    )
    with asked as made:
        begun = _Traced(made)
        begun.note(**attributes)
        try:
            yield begun
        except BaseException as error:
            begun.note(**{"error.type": type(error).__qualname__})
            if isinstance(error, Exception):
                made.set_status(StatusCode.ERROR)
            raise


class _Traced:
    def __init__(self, made: Any) -> None:
        self._made = made

    def note(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            if value is not None:
                self._made.set_attribute(name, HIDDEN if names_a_secret(name) else _shown(value))

    def rename(self, name: str) -> None:
        self._made.update_name(name)


def _shown(value: Any) -> bool | int | float | str:
    if isinstance(value, bool | int | float):
        return value
    return _MAIL_ADDRESS.sub(HIDDEN, without_secrets(str(value)))
