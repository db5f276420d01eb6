"""What was typed into a form that was sent when its member was no longer signed in.

It is kept for a short while in the session of the browser that sent it, and shown again, not
saved, to the one who typed it. Who that is, the form says itself, signed when it was shown: so
nobody else who signs in there sees it, and no other site can put anything into a form. Only views
whose forms hold no secret are marked with `keeps_typed_text`.
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
from sophiie.web.shared.requests import View

KEPT_FOR = timedelta(minutes=30)
# Of JSON. The longest form that can be saved is a fraction of it.
MOST = 100_000
# What can be kept of people who are signed out: for one member, from one address, and of all, as
# whoever has a page of a member can send its form again and again.
FOR_ONE_MEMBER = Limit(name="typed-by", amount=20, seconds=1800)
FROM_ONE_ADDRESS = Limit(name="typed-from", amount=60, seconds=1800)
ALTOGETHER = Limit(name="typed", amount=2000, seconds=1800)
# The hidden field of a form, and what the address of a form says when it is shown again.
TYPED_BY = "typed_by"
NOT_SAVED = "not-saved"

_KEY = "typed_text"
_signer = Signer(salt="sophiie.typed-by")


def keeps_typed_text(view: View) -> View:
    """Like `members_only`; but what a signed-out person sends is not lost."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            if request.method == "POST":
                request.session.pop(_KEY, None)
            return view(request, *args, **kwargs)
        if not (_may_keep(request) and _keep(request)):
            return redirect_to_login(request.get_full_path())
        request.session.set_expiry(KEPT_FOR)
        words = _("You are signed out. Sign in, and what you typed is here again; it is not saved.")
        messages.warning(request, words)
        return redirect_to_login(_address(request))

    return guarded


def shown_again(request: HttpRequest) -> HttpResponse | None:
    """Leads a signed-in member back to a form of theirs that was sent from a page of before they
    signed in anew; None for anything else."""
    if _typist(request) == str(request.user.pk) and _keep(request):
        return redirect(_address(request))
    return None


def _may_keep(request: HttpRequest) -> bool:
    """Whether there is room for what somebody signed out sends."""
    typist = _typist(request)
    if not typist or not Member.objects.filter(pk=typist, is_active=True).exists():
        return False
    return not (
        FOR_ONE_MEMBER.take(typist)
        or FROM_ONE_ADDRESS.take(client_network(request))
        or ALTOGETHER.take("")
    )


def _keep(request: HttpRequest) -> bool:
    """Keeps a form that was sent, if one of our pages showed it and it is not too long."""
    typist = _typist(request)
    fields = {
        name: values
        for name, values in request.POST.lists()
        if name not in (TYPED_BY, "csrfmiddlewaretoken")
    }
    if not typist or len(json.dumps(fields)) > MOST:
        return False
    request.session[_KEY] = {
        "by": typist,
        "path": request.path,
        "at": now().isoformat(),
        "fields": fields,
    }
    return True


def _address(request: HttpRequest) -> str:
    return f"{request.path}?{NOT_SAVED}"


def typed_before(request: HttpRequest) -> QueryDict | None:
    """What this member typed into this form before signing in again; the page says that it is not
    saved."""
    kept = request.session.get(_KEY)
    if request.method != "GET" or NOT_SAVED not in request.GET or not kept:
        return None
    is_old = datetime.fromisoformat(kept["at"]) < now() - KEPT_FOR
    if is_old or kept["by"] != str(request.user.pk) or kept["path"] != request.path:
        return None
    words = _("This is what you typed; it is not saved yet. Have a look and save it.")
    messages.warning(request, words)
    typed = QueryDict(mutable=True)
    for name, values in kept["fields"].items():
        typed.setlist(name, values)
    return typed


def typed_in(request: HttpRequest) -> QueryDict | None:
    """What was typed into the form: sent now, or before signing in again; None for neither."""
    return request.POST if request.method == "POST" else typed_before(request)


def typed_by(member: Member) -> str:
    """The value of the hidden field: who is shown the form."""
    return _signer.sign(str(member.pk))


def _typist(request: HttpRequest) -> str:
    try:
        return _signer.unsign(request.POST.get(TYPED_BY, ""))
    except BadSignature:
        return ""


@receiver(user_logged_in)
def _let_go_of_what_others_typed(request: HttpRequest, user: Member, **_more: Any) -> None:
    kept = request.session.get(_KEY)
    if not kept:
        return
    request.session.set_expiry(None)  # short it was for the text's sake
    if kept["by"] != str(user.pk):
        del request.session[_KEY]
