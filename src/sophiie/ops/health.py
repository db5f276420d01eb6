"""Liveness for load balancers, readiness with reasons, and metrics for Prometheus."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, JsonResponse
from django.http.request import split_domain_port
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET, require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Gauge,
    generate_latest,
)

from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.counting import about_how_many
from sophiie.common.in_thread import in_thread
from sophiie.common.sparing import Sparing
from sophiie.ops.poll_metrics import poll_metrics
from sophiie.sync.messages import REFUSED_BY_GUARD
from sophiie.sync.models import MirroredEvent, MirrorState, SyncAttempt
from sophiie.sync.reports.workers import workers_alive

READY_SECONDS = 3.0
# Holds the host name of the request.
ASKED_HOST = "sophiie.asked_host"
OF_PROXIES = (
    *("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP"),
    *("Forwarded", "Via"),
)


class HealthUnderAnyNameMiddleware:
    """Answers under any host name: a supervisor uses whichever reaches the process (127.0.0.1, a
    container's address), and none of those is an allowed host. Nothing in these answers depends on
    it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in ("/healthz", "/readyz", "/metrics"):
            request.META[ASKED_HOST] = request.META.get("HTTP_HOST", "")
            request.META["HTTP_HOST"] = urlsplit(settings.PUBLIC_URL).netloc
        return self.get_response(request)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process is up. The event loop answers: no thread, session or database is needed."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Checks database, migrations and workers; 503 with the reasons if something is missing."""
    return _readiness(reasons_not_ready())


def _readiness(reasons: list[str]) -> HttpResponse:
    body = {"ready": not reasons, "reasons": reasons}
    return JsonResponse(body, status=503 if reasons else 200)


class Readiness:
    """The same on the event loop, in bounded time: a database that hangs holds one thread, however
    often somebody asks."""

    def __init__(self) -> None:
        self._asking: asyncio.Task[list[str]] | None = None

    async def answer(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return readyz(request)  # which refuses it
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(in_thread(reasons_not_ready))
        asked = self._asking
        await asyncio.wait([asked], timeout=READY_SECONDS)
        return _readiness(asked.result() if asked.done() else ["The database does not answer."])


def reasons_not_ready() -> list[str]:
    """What is missing, in sentences; empty when the product can do all of its work."""
    try:
        connection.ensure_connection()
        if missing_migrations():
            return ["The database schema is older than this version: run `sophiie migrate`."]
        if not workers_alive():
            return ["No worker is running: start `sophiie worker`."]
    except DatabaseError:
        return ["The database cannot be reached."]
    return []


def missing_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus; not public. Served to holders of the token and, while the product serves only
    this machine, to localhost."""
    if not (_has_token(request) or _is_among_ourselves(request)):
        return HttpResponseForbidden("Metrics are not public.\n", content_type="text/plain")
    return HttpResponse(generate_latest(REGISTRY) + _state(), content_type=CONTENT_TYPE_LATEST)


def _state_in_words() -> bytes:
    return generate_latest(_mirror_metrics()) + generate_latest(poll_metrics())


# Some of it is counted row by row. Where that takes long, the answer is some seconds old.
_state = Sparing(_state_in_words)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token: str = settings.METRICS_TOKEN
    return bool(token) and scheme == "Bearer" and constant_time_compare(given.strip(), token)


def _is_among_ourselves(request: HttpRequest) -> bool:
    """Whether the request comes from this machine itself.

    A proxy on this machine forwards strangers and need not say so. Where there may be one, because
    the product has a public address, no request passes. Elsewhere a request with a proxy's header
    or a public host name does not pass either.
    """
    if not settings.PUBLIC_URL_IS_LOOPBACK or any(name in request.headers for name in OF_PROXIES):
        return False
    host, _ = split_domain_port(request.META.get(ASKED_HOST) or request.get_host())
    try:
        address = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return address.is_loopback and host in settings.LOOPBACK_HOSTS


def _mirror_metrics() -> CollectorRegistry:
    """The state of the mirror according to the database, the same from every process."""
    registry = CollectorRegistry()
    events = Gauge("sophiie_mirrored_events", "By state", ["state"], registry=registry)
    for state in MirrorState.values:
        events.labels(state).set(about_how_many(MirroredEvent.objects.filter(state=state)))
    links = Gauge("sophiie_calendar_links", "By state", ["state"], registry=registry)
    for state in LinkState.values:
        links.labels(state).set(about_how_many(CalendarLink.objects.filter(state=state)))
    oldest = Gauge(
        "sophiie_oldest_due_seconds", "Age of the longest waiting due change", registry=registry
    )
    oldest.set(oldest_due_seconds())
    attempts = Gauge(
        "sophiie_sync_attempts_last_hour", "By outcome", ["outcome"], registry=registry
    )
    recent = SyncAttempt.objects.filter(at__gte=now() - timedelta(hours=1))
    for outcome, succeeded in (("succeeded", True), ("failed", False)):
        attempts.labels(outcome).set(recent.filter(succeeded=succeeded).count())
    refused = Gauge(
        "sophiie_writes_refused_by_guard", "In the ledger; zero for ever", registry=registry
    )
    refused.set(SyncAttempt.objects.filter(reason=REFUSED_BY_GUARD).count())
    Gauge("sophiie_workers", "Workers that live", registry=registry).set(workers_alive())
    return registry


def oldest_due_seconds() -> float:
    """For how many seconds the longest waiting change has been due."""
    moment = now()
    first = MirroredEvent.objects.filter(
        state=MirrorState.PENDING,
        hosted_elsewhere=False,
        link__state__in=(LinkState.ACTIVE, LinkState.BACKFILLING),
        next_attempt_at__lte=moment,
    ).aggregate(first=Min("next_attempt_at"))["first"]
    return (moment - first).total_seconds() if first else 0.0
