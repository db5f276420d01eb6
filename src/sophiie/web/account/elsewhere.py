"""Signing in with another provider: there and back again."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from sophiie.web.shared.rate_limits import too_many


@never_cache
@require_POST
def leave(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Only by a press on the button, so that no link signs anybody in as somebody else."""
    return _ask(request, provider_id, "login")


@never_cache
@require_GET
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    return _ask(request, provider_id, "callback")


def _ask(request: HttpRequest, provider_id: str, view: str) -> HttpResponse:
    if provider_id not in {provider.id for provider in settings.SIGN_IN_PROVIDERS}:
        raise Http404
    if refused := too_many(request, action="login"):
        return refused
    # Only here: without a provider nobody needs them, and they take 5 MB.
    from allauth.socialaccount.providers.openid_connect import views
    from requests import RequestException

    ask: Any = getattr(views, view)
    try:
        answer: HttpResponse = ask(request, provider_id)
    except (RequestException, KeyError, ValueError):  # away, or it answers nonsense
        return render(request, "account/failed_elsewhere.html", status=502)
    return answer


def said_no(request: HttpRequest) -> HttpResponse:
    """Where the library sends people who changed their mind over there."""
    return redirect("account_login")


urlpatterns = [
    path("login/with/<str:provider_id>", leave, name="openid_connect_login"),
    path("login/with/<str:provider_id>/callback", come_back, name="openid_connect_callback"),
]
