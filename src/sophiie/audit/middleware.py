"""Tells the audit log which request is being answered."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from sophiie.audit.origin import of_request


class OriginMiddleware:
    """Comes after the middleware that names the request. It asks who is signed in only when
    something is recorded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with of_request(request):
            return self.get_response(request)
