"""What a view knows of the one who asks."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from sophiie.accounts.models import Member


def signed_in(request: HttpRequest) -> Member:
    """The member behind a request that passed `login_required`."""
    assert isinstance(request.user, Member)
    return request.user


def base_url(request: HttpRequest) -> str:
    """The address of this installation as this browser uses it.

    On one's own machine `localhost` and `127.0.0.1` are two sites with two sets of cookies, so the
    walk to Google has to come back to the one it started from.
    """
    host = request.get_host()
    if settings.PUBLIC_URL_IS_LOOPBACK and host.rsplit(":", 1)[0] in settings.LOOPBACK_HOSTS:
        return f"http://{host}"
    return str(settings.PUBLIC_URL)
