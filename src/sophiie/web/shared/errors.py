"""Error pages; problem+json for addresses of the API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from sophiie.web.shared.submitted_data import back_to_own_form


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(
        request, 400, _("That request was not understood"), _("Go back and try again.")
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(
        request, 403, _("You may not do this"), _("Ask the owner of your business if you need to.")
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if response := back_to_own_form(request):
        return response
    return error_page(
        request,
        403,
        _("This page was open for too long"),
        _("For your safety the form was not used. Go back, reload the page and send it again."),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return error_page(
        request,
        404,
        _("There is nothing here"),
        _("The page does not exist, or it belongs to somebody else."),
    )


def wrong_method(request: HttpRequest) -> HttpResponse:
    return error_page(
        request,
        405,
        _("There is nothing to see at this address"),
        _("It only takes what a button sends. Go back to the page with the button."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return error_page(
        request,
        500,
        _("Something went wrong"),
        _("It is our mistake and was recorded. Try again in a moment."),
    )


def error_page(request: HttpRequest, status: int, title: str, explanation: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": title, "status": status, "detail": explanation}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    context = {"status": status, "title": title, "explanation": explanation}
    # Without the request: the context of every page needs the database, which may be down.
    return HttpResponse(render_to_string("shared/error.html", context), status=status)
