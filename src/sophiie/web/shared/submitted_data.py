"""Form data that somebody sent after their session had ended: stored, and offered again.

The data stay for a short while in the session of the browser that sent them. They are shown again,
not saved, to the member who typed them. The form itself names that member, signed when the form was
shown: nobody else who signs in there sees the data, and no other site can put anything into a form.
Only views whose forms hold no secret use `keeps_submitted_data`.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.contrib.auth.views import redirect_to_login
from django.core.signing import BadSignature, Signer
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from sophiie.accounts.limits import Limit
from sophiie.accounts.models import Member
from sophiie.common.addresses import client_network
from sophiie.common.clock import now
from sophiie.web.shared.requests import View

STORED_FOR = timedelta(minutes=30)
# As JSON. The longest form that can be saved takes a fraction of this.
MAX_CHARACTERS = 100_000
# Whoever has a page of a member can send its form again and again without being signed in: so what
# is stored is limited for one member, from one address and altogether.
FOR_ONE_MEMBER = Limit(name="typed-by", amount=20, seconds=1800)
FROM_ONE_ADDRESS = Limit(name="typed-from", amount=60, seconds=1800)
ALTOGETHER = Limit(name="typed", amount=2000, seconds=1800)
# The hidden field that names the form's owner, and the parameter of the address of a restored form.
# Open pages and sessions outlive an update, so what they hold keeps its name.
OWNER_FIELD = "typed_by"
NOT_SAVED = "not-saved"

_KEY, _RECEIPTS_KEY = "typed_text", "receipts"
_signer = Signer(salt="sophiie.typed-by")


# A script sends the form with this header when the connection is in doubt, so that the page stays.
# It goes to the next page itself, and must not use up the message that is meant for it.
IN_BACKGROUND = "X-Saved-In-Background"
# What a script sends has a token. When it is saved, a cookie tells the next page, which throws the
# draft away; and what is sent again, because the answer got lost, is not saved again.
DRAFT_FIELD, RECEIPT_COOKIE = "draft", "sophiie_saved"
RECEIPT_SECONDS = 600
RECEIPTS = 5


def keeps_submitted_data(view: View) -> View:
    """Like `members_only`, but stores what a signed-out person sends."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            if request.method == "POST":
                request.session.pop(_KEY, None)
            saved_before = _receipts(request).get(_token(request))
            response = redirect(saved_before) if saved_before else view(request, *args, **kwargs)
            _give_receipt(request, response)
            return _told_where(request, response, status=204)
        if not (_may_store(request) and _store(request)):
            return _told_where(request, redirect_to_login(request.get_full_path()), status=401)
        request.session.set_expiry(STORED_FOR)
        words = _("You are signed out. Sign in, and what you typed is here again; it is not saved.")
        messages.warning(request, words)
        return _told_where(request, redirect_to_login(_address(request)), status=401)

    return guarded


def _token(request: HttpRequest) -> str:
    token = request.POST.get(DRAFT_FIELD, "")[:20]
    return token if token.isascii() and token.isdigit() else ""


def _receipts(request: HttpRequest) -> dict[str, str]:
    """Where what was saved lately led, by its token."""
    receipts: dict[str, str] = request.session.get(_RECEIPTS_KEY, {})
    return receipts


def _give_receipt(request: HttpRequest, response: HttpResponseBase) -> None:
    """Remembers what was saved, and tells the next page."""
    token = _token(request)
    if not token or response.status_code not in (302, 303):
        return
    receipts = _receipts(request) | {token: response["Location"]}
    request.session[_RECEIPTS_KEY] = dict(list(receipts.items())[-RECEIPTS:])
    response.set_cookie(
        RECEIPT_COOKIE,
        token,
        max_age=RECEIPT_SECONDS,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _told_where(
    request: HttpRequest, response: HttpResponseBase, *, status: int
) -> HttpResponseBase:
    """Tells the script that sent the form where a redirect leads: 204 when it was saved."""
    if IN_BACKGROUND not in request.headers or response.status_code not in (302, 303):
        return response
    told = HttpResponse(status=status, headers={"Location": response["Location"]})
    told.cookies = response.cookies
    return told


def back_to_own_form(request: HttpRequest) -> HttpResponse | None:
    """Leads a member back to their form when they sent it from a page that they had opened before
    they signed in again. None for any other request."""
    if _owner(request) == str(request.user.pk) and _store(request):
        return redirect(_address(request))
    return None


def _may_store(request: HttpRequest) -> bool:
    """Whether there is room for the data of somebody who is signed out."""
    owner = _owner(request)
    if not owner or not Member.objects.filter(pk=owner, is_active=True).exists():
        return False
    return not (
        FOR_ONE_MEMBER.take(owner)
        or FROM_ONE_ADDRESS.take(client_network(request))
        or ALTOGETHER.take("")
    )


def _store(request: HttpRequest) -> bool:
    """Stores the form's data unless it is too long or none of our pages showed the form."""
    owner = _owner(request)
    fields = {
        name: values
        for name, values in request.POST.lists()
        if name not in (OWNER_FIELD, "csrfmiddlewaretoken")
    }
    if not owner or len(json.dumps(fields)) > MAX_CHARACTERS:
        return False
    request.session[_KEY] = {
        "by": owner,
        "path": request.path,
        "at": now().isoformat(),
        "fields": fields,
    }
    return True


def _address(request: HttpRequest) -> str:
    return f"{request.path}?{NOT_SAVED}"


def restored_data(request: HttpRequest) -> QueryDict | None:
    """What this member sent with this form before signing in again.

    Adds a message that it is not saved yet.
    """
    stored = request.session.get(_KEY)
    if request.method != "GET" or NOT_SAVED not in request.GET or not stored:
        return None
    is_old = datetime.fromisoformat(stored["at"]) < now() - STORED_FOR
    if is_old or stored["by"] != str(request.user.pk) or stored["path"] != request.path:
        return None
    words = _("This is what you typed; it is not saved yet. Have a look and save it.")
    messages.warning(request, words)
    data = QueryDict(mutable=True)
    for name, values in stored["fields"].items():
        data.setlist(name, values)
    return data


def submitted_data(request: HttpRequest) -> QueryDict | None:
    """What was sent with this request or before signing in again; None if neither was."""
    return request.POST if request.method == "POST" else restored_data(request)


def form_owner(member: Member) -> str:
    """The signed value of the hidden field: the member to whom the form is shown."""
    return _signer.sign(str(member.pk))


def _owner(request: HttpRequest) -> str:
    try:
        return _signer.unsign(request.POST.get(OWNER_FIELD, ""))
    except BadSignature:
        return ""


@receiver(user_logged_in)
def _drop_data_of_others(request: HttpRequest, user: Member, **_more: Any) -> None:
    stored = request.session.get(_KEY)
    if not stored:
        return
    request.session.set_expiry(None)  # the short life was for the stored data
    if stored["by"] != str(user.pk):
        del request.session[_KEY]
