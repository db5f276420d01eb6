"""One log line for each request, without its query: that is where codes and states travel. Caches
keep nothing. And a page where Django answers with none."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.cache import patch_cache_control

from sophiie.common.hidden import secrets_in_path
from sophiie.common.logs import log
from sophiie.web.shared.errors import wrong_method

logger = log("sophiie.web.requests")


class RequestLogMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
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
    """Pages and answers are of one person and one moment: no cache keeps them, and nobody finds
    them by going back after signing out. Static files are answered before this."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_cache_control(response, private=True, no_store=True)
        return response


class WrongMethodMiddleware:
    """A refusal of the method, which has no body, becomes a page like any other error."""

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
    """The path without what only its receiver may know."""
    path = request.path
    for secret in secrets_in_path(request):
        path = path.replace(secret, "…")
    return path
