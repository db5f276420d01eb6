"""Who makes a request, and where they came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.booking import find
from sophiie.appointments.errors import UnknownAppointment
from sophiie.appointments.models import Appointment

View = Callable[..., HttpResponseBase]


def members_only(view: View) -> View:
    """Sends somebody signed out to the sign-in page, and back here afterwards."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return _to_sign_in(request)

    return guarded


def confirmed_first(view: View) -> View:
    """Asks whoever presses the button for their password or a code once more, unless they gave it
    some minutes ago, and then does what they pressed. For what outlasts the session: a browser that
    somebody left open must not be enough for that."""
    return members_only(cast(View, reauthentication_required(view, allow_get=True)))


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirects to the sign-in page. A button that was pressed is not pressed again afterwards: the
    way leads back to the page with the button."""
    if request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    messages.warning(
        request, _("You are signed out, so nothing was done. Sign in, and press the button again.")
    )
    return redirect_to_login(_came_from(request) or settings.LOGIN_REDIRECT_URL)


def _came_from(request: HttpRequest) -> str:
    """Our page from which the request came, as far as the browser says; or ""."""
    whole = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(whole, {request.get_host()}):
        return ""
    there = urlsplit(whole)._replace(scheme="", netloc="", fragment="").geturl()
    return there if url_has_allowed_host_and_scheme(there, None) else ""


def signed_in(request: HttpRequest) -> Member:
    """The member who makes the request, in a view that `members_only` guards."""
    assert isinstance(request.user, Member)
    return request.user


def day_asked_for(text: str) -> date | None:
    """The day in an address; None for what is no day of this century."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def address_in_this_browser(request: HttpRequest) -> str:
    """The installation's address under the name that this browser uses.

    On one machine `localhost` and `127.0.0.1` are two sites with two sets of cookies, so the way to
    Google has to lead back to where it began. Only the installation's own names count: no other
    Host header becomes part of an address.
    """
    own = str(settings.PUBLIC_URL)
    if settings.PUBLIC_URL_IS_LOOPBACK:
        public = urlsplit(own)
        port = f":{public.port}" if public.port else ""
        for name in settings.LOOPBACK_HOSTS:
            if request.get_host() == f"{name}{port}":
                return f"{public.scheme}://{name}{port}"
    return own


def appointment_or_404(member: Member, appointment_id: UUID) -> Appointment:
    """The appointment as the member may see it. Raises `Http404` for any other."""
    try:
        return find(member, appointment_id)
    except UnknownAppointment:
        raise Http404 from None
