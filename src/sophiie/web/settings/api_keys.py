"""Settings, tab API keys: made, shown once, listed, revoked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sophiie.accounts.api_keys import (
    create_api_key,
    living_keys_of,
    living_keys_of_team,
    revoke_api_key,
)
from sophiie.accounts.models import ApiKey
from sophiie.accounts.people import InvalidAccount
from sophiie.common.wall_time import in_zone
from sophiie.web.settings.forms import ApiKeyForm
from sophiie.web.shared.form_fields import show_refusal
from sophiie.web.shared.requests import confirmed_first, members_only, signed_in


@confirmed_first
@require_http_methods(["GET", "POST"])
def api_keys(request: HttpRequest) -> HttpResponse:
    """A member's keys, and for owners and admins those of the team.

    A new key is in this one answer and nowhere else: a message would be stored in the session.
    """
    member = signed_in(request)
    form = ApiKeyForm(request.POST if request.method == "POST" else None)
    fresh = ""
    if request.method == "POST" and form.is_valid():
        try:
            fresh = create_api_key(member, name=form.cleaned_data["name"])
        except InvalidAccount as refusal:
            show_refusal(form, refusal)
        else:
            form = ApiKeyForm()
    zone = member.business.timezone
    context = {
        "form": form,
        "fresh": fresh,
        "keys": [_row(key, zone) for key in living_keys_of(member)],
        "team_keys": [_row(key, zone) for key in living_keys_of_team(member)],
        "api_url": f"{settings.PUBLIC_URL}/api/v1",
    }
    return render(request, "settings/keys.html", context, status=422 if form.errors else 200)


@members_only
@require_POST
def api_key_revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Ends a key at once."""
    key = revoke_api_key(by=signed_in(request), key_id=key_id)
    if key is None:
        raise Http404
    messages.success(
        request,
        _("The key “%(name)s” is revoked. Whatever used it is refused from now on.")
        % {"name": key.name or key.prefix},
    )
    return redirect("settings-keys")


def _row(key: ApiKey, zone: str) -> dict[str, Any]:
    return {
        "id": key.pk,
        "name": key.name,
        "start": f"sophiie_{key.prefix[:6]}…",
        "member_name": key.member.name,
        "created_at": in_zone(key.created_at, zone),
        "last_used_at": in_zone(key.last_used_at, zone) if key.last_used_at else None,
    }
