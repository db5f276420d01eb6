"""Scopes: their long names, what Google calls them on the consent page, who they belong to."""

from __future__ import annotations

from collections.abc import Iterable

PREFIX = "https://www.googleapis.com/auth/"
SIGN_IN_ALIASES = {"email": f"{PREFIX}userinfo.email", "profile": f"{PREFIX}userinfo.profile"}
SIGN_IN = frozenset({"openid", *SIGN_IN_ALIASES.values()})

_CALENDAR_LABELS = {
    "calendar": "See, edit, share, and permanently delete all the calendars you can access"
    " using Google Calendar",
    "calendar.readonly": "See and download any calendar you can access using your Google Calendar",
    "calendar.events": "View and edit events on all your calendars",
    "calendar.events.readonly": "View events on all your calendars",
    "calendar.events.owned": "See, create, change, and delete events on Google calendars you own",
    "calendar.events.owned.readonly": "See the events on Google calendars you own",
    "calendar.events.freebusy": "See the availability on Google calendars you have access to",
    "calendar.events.public.readonly": "See the events on public calendars",
    "calendar.freebusy": "View your availability in your calendars",
    "calendar.calendarlist": "See, add, and remove Google calendars you're subscribed to",
    "calendar.calendarlist.readonly": "See the list of Google calendars you're subscribed to",
    "calendar.calendars": "See and change the properties of Google calendars you have access to,"
    " and create secondary calendars",
    "calendar.calendars.readonly": "See the title, description, default time zone, and other"
    " properties of Google calendars you have access to",
    "calendar.app.created": "Make secondary Google calendars, and see, create, change, and delete"
    " events on them",
    "calendar.acls": "See and change the sharing permissions of Google calendars you own",
    "calendar.acls.readonly": "See the sharing permissions of Google calendars you own",
    "calendar.settings": "See and change your Calendar settings",
    "calendar.settings.readonly": "View your Calendar settings",
}
LABELS = {PREFIX + short: label for short, label in _CALENDAR_LABELS.items()} | {
    "openid": "Associate you with your personal info on Google",
    SIGN_IN_ALIASES["email"]: "See your primary Google Account email address",
    SIGN_IN_ALIASES["profile"]: "See your personal info, including any personal info you've made"
    " publicly available",
}


def normalised(text: str) -> list[str]:
    """The scopes of a request in Google's spelling, each once, in the order asked."""
    return list(dict.fromkeys(SIGN_IN_ALIASES.get(scope, scope) for scope in text.split()))


def unknown(scopes: Iterable[str]) -> list[str]:
    """Those that Google does not know."""
    return [scope for scope in scopes if scope not in LABELS]


def permissions(scopes: Iterable[str]) -> list[str]:
    """Those that the consent page asks about; sign-in scopes are not among them."""
    return [scope for scope in scopes if scope not in SIGN_IN]


def as_granted(scopes: Iterable[str]) -> str:
    """The `scope` of an answer: Google's order is not the order of the request (facts 1.4)."""
    return " ".join(sorted(scopes, reverse=True))
