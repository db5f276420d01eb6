"""The language and clock of an answer: the member's choice, or else the browser's language and the
business's clock.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from sophiie.accounts.models import Member
from sophiie.web.shared.shown_times import clock_of


class PreferencesMiddleware:
    """For members, after the middleware that knows them; `LocaleMiddleware` serves the rest."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/"):  # the API speaks one language
            with translation.override("en"):
                return self.get_response(request)
        member = request.user
        if not isinstance(member, Member):
            return self.get_response(request)
        known = dict(settings.LANGUAGES)
        language = member.language if member.language in known else translation.get_language()
        with clock_of(twelve_hours=member.reads_twelve_hours), translation.override(language):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or "en")
            return response
