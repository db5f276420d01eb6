"""Answers to requests that never reach a view: too large, too slow, too many."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from sophiie.web.shared.errors import error_page

RETRY_AFTER_SECONDS = 5


class Refused(Exception):
    """The request is refused with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def refusal(environ: dict[str, Any], refused: Refused) -> HttpResponse:
    """The page or the API's problem, in the browser's language, without the database."""
    request = WSGIRequest(environ)
    api = request.path.startswith("/api/")
    language = "en" if api else translation.get_language_from_request(request)
    with translation.override(language):
        response = error_page(request, refused.status, *_words(refused.status))
    if refused.status == 503:
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def _words(status: int) -> tuple[str, str]:
    if status == 413:
        return (
            _("That is too much at once"),
            _("What was sent is larger than one megabyte. Go back and shorten it."),
        )
    if status == 408:
        return (
            _("Sending that took too long"),
            _("The connection was too slow, so nothing was done. Go back and try again."),
        )
    return (
        _("Too many people are asking at the moment"),
        _("Nothing was done. Try again in a few seconds."),
    )
