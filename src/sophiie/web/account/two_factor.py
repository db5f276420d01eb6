"""The addresses of the second step of signing in; the library brings the views."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.base import views as base
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.cache import never_cache

from sophiie.web.shared.requests import members_only

View = Callable[..., HttpResponseBase]


def _says_so_when_the_key_is_lost(view: View) -> View:
    """Of codes whose secret no key opens there is nothing to show."""

    @wraps(view)
    def shown(request: HttpRequest, *words: Any, **named: Any) -> HttpResponseBase:
        try:
            answer = view(request, *words, **named)
            if hasattr(answer, "render"):
                answer.render()
        except ValidationError as error:
            for text in error.messages:
                messages.error(request, text)
            return redirect("settings-profile")
        return answer

    return _of_members(shown)


def _of_members(view: View) -> View:
    """Asked before the library does anything: a stranger leaves not even a session behind."""
    return never_cache(members_only(view))


urlpatterns = [
    path("two-factor", _says_so_when_the_key_is_lost(base.index), name="mfa_index"),
    path("two-factor/code", never_cache(base.authenticate), name="mfa_authenticate"),
    path("two-factor/confirm", _of_members(base.reauthenticate), name="mfa_reauthenticate"),
    path("two-factor/on", _of_members(totp.activate_totp), name="mfa_activate_totp"),
    path("two-factor/off", _of_members(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path(
        "two-factor/recovery-codes",
        _says_so_when_the_key_is_lost(recovery_codes.view_recovery_codes),
        name="mfa_view_recovery_codes",
    ),
    path(
        "two-factor/recovery-codes/new",
        _says_so_when_the_key_is_lost(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "two-factor/recovery-codes/download",
        _says_so_when_the_key_is_lost(recovery_codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
]
