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
from sophiie.web.shared.receipts import location_for_script, saved_before, with_receipt
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

_KEY = "typed_text"
_signer = Signer(salt="sophiie.typed-by")


def keeps_submitted_data(view: View) -> View:
    """Like `members_only`, but stores what a signed-out person sends."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            if request.method == "POST":
                request.session.pop(_KEY, None)
            return with_receipt(request, saved_before(request) or view(request, *args, **kwargs))
        if not (_may_store(request) and _store(request)):
            return location_for_script(
                request, redirect_to_login(request.get_full_path()), status=401
            )
        request.session.set_expiry(STORED_FOR)
        words = _("You are signed out. Sign in, and what you typed is here again; it is not saved.")
        messages.warning(request, words)
        return location_for_script(request, redirect_to_login(_address(request)), status=401)

    return guarded


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
