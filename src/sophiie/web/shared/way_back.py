"""Where a person came from, so that *Back*, *Delete* and *Undo* lead there and not to this week.

The browser says it on the first visit (Referer); forms carry it in a hidden field, and the session
carries it over the redirect after a form. Only pages of ours that are named here count: an address
from outside can lead nobody anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy

FIELD = "back"
MAX_LENGTH = 4000
PLACES = {
    "calendar": gettext_lazy("Back to the calendar"),
    "calendar-search": gettext_lazy("Back to the search"),
    "overview": gettext_lazy("Back to the overview"),
    "waiting-list": gettext_lazy("Back to the waiting list"),
    "series": gettext_lazy("Back to the series"),
    "day-sheet": gettext_lazy("Back to the day sheet"),
}
# What an address says once, and not again on the way back.
_ONCE = {"deleted"}
_KEY = "way_back"


@dataclass(frozen=True)
class WayBack:
    address: str
    words: str
    is_calendar: bool


def way_back(request: HttpRequest, *, day: date | None = None) -> WayBack:
    """The place from which the person came; without one, the calendar, on `day` if it is given."""
    given = request.POST.get(FIELD, "") or request.GET.get(FIELD, "")
    known = place(given) or place(_referrer(request)) or _noted(request)
    address = known or reverse("calendar") + (f"?{urlencode({'date': day})}" if day else "")
    name = resolve(urlsplit(address).path).url_name or ""
    return WayBack(address, str(PLACES[name]), name == "calendar")


def keep_way_back(request: HttpRequest) -> None:
    """Notes the form's way back for the page to which the answer redirects."""
    if address := place(request.POST.get(FIELD, "")):
        request.session[_KEY] = address


def place(address: str) -> str:
    """The address if it is one of `PLACES`, without its host; else ""."""
    if not address.startswith("/") or len(address) > MAX_LENGTH:
        return ""
    if not url_has_allowed_host_and_scheme(address, None):
        return ""
    parts = urlsplit(address)
    try:
        found = resolve(parts.path)
    except Resolver404:
        return ""
    if found.url_name not in PLACES:
        return ""
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in _ONCE]
    return parts.path + (f"?{urlencode(query, safe=',')}" if query else "")


def with_note(address: str, **notes: object) -> str:
    """The address with something more to say there, first."""
    path, _, query = address.partition("?")
    return f"{path}?{urlencode(notes)}" + (f"&{query}" if query else "")


def _noted(request: HttpRequest) -> str:
    """On the way from another page of ours, such as the appointment's own: what was noted last."""
    return place(str(request.session.get(_KEY, ""))) if _referrer(request) else ""


def _referrer(request: HttpRequest) -> str:
    whole = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(whole, {request.get_host()}):
        return ""
    return urlsplit(whole)._replace(scheme="", netloc="", fragment="").geturl()
