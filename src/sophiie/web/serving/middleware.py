"""The log of requests, no caching, and a page for a wrong method."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import patch_cache_control

from sophiie.common.hidden import secrets_in_path
from sophiie.common.logs import log
from sophiie.common.tracing import span
from sophiie.web.shared.errors import wrong_method

logger = log("sophiie.web.requests")


class RequestLogMiddleware:
    """One log line for each request, without its query, in which codes and states travel, and one
    span, which has the route in place of the path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with span("request", **{"http.request.method": request.method}) as traced:
            response = self._answer(request)
            route = request.resolver_match.route if request.resolver_match else ""
            traced.rename(f"{request.method} /{route}" if route else f"{request.method}")
            traced.note(
                **{
                    "http.route": f"/{route}",
                    "http.response.status_code": response.status_code,
                    "request_id": response["X-Request-ID"],
                }
            )
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = uuid.uuid4().hex
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.clear_contextvars()
        response["X-Request-ID"] = request_id
        logger.info(
            "request",
            request_id=request_id,
            method=request.method,
            path=_path(request),
            status=response.status_code,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )
        return response


class NothingIsKeptMiddleware:
    """No cache keeps pages and answers: they are for one person and one moment, and nobody may find
    them by going back after signing out. Static files are served before this."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_cache_control(response, private=True, no_store=True)
        return response


class WrongMethodMiddleware:
    """Gives the refusal of a method, which has no body, an error page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content:
            return response
        page = wrong_method(request)
        page["Allow"] = response["Allow"]
        return page


def _path(request: HttpRequest) -> str:
    """The path without its secrets."""
    path = request.path
    for secret in secrets_in_path(request):
        path = path.replace(secret, "…")
    return path
