"""Receipts for forms that a script sends, or sends again because an answer got lost.

What is sent has a token. When it is saved, a cookie tells the next page, which throws the draft
away; and what comes a second time is not saved a second time.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

FIELD, COOKIE = "draft", "sophiie_saved"
COOKIE_SECONDS = 600
KEPT = 5
# A script sends the form with this header when the connection is in doubt, so that the page stays.
# It goes to the next page itself, and must not use up the message that is meant for it.
IN_BACKGROUND = "X-Saved-In-Background"

_KEY = "receipts"


def saved_before(request: HttpRequest) -> HttpResponse | None:
    """Where it led when the same was saved a moment ago; None if it was not."""
    place = _receipts(request).get(_token(request))
    return redirect(place) if place else None


def with_receipt(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer to a member's form: a redirect means that it was saved."""
    token = _token(request)
    if token and _is_redirect(response):
        receipts = _receipts(request) | {token: response["Location"]}
        request.session[_KEY] = dict(list(receipts.items())[-KEPT:])
        response.set_cookie(
            COOKIE,
            token,
            max_age=COOKIE_SECONDS,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return location_for_script(request, response, status=204)


def location_for_script(
    request: HttpRequest, response: HttpResponseBase, *, status: int
) -> HttpResponseBase:
    """Tells the script that sent the form where a redirect leads: 204 when it was saved, 401 when
    the person is signed out."""
    if IN_BACKGROUND not in request.headers or not _is_redirect(response):
        return response
    answer = HttpResponse(status=status, headers={"Location": response["Location"]})
    answer.cookies = response.cookies
    return answer


def _is_redirect(response: HttpResponseBase) -> bool:
    return response.status_code in (302, 303)


def _token(request: HttpRequest) -> str:
    token = request.POST.get(FIELD, "")[:20]
    return token if token.isascii() and token.isdigit() else ""


def _receipts(request: HttpRequest) -> dict[str, str]:
    receipts: dict[str, str] = request.session.get(_KEY, {})
    return receipts
