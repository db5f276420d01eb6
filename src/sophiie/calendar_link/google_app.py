"""The OAuth client of this installation, from the settings."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.conf import settings

from sophiie.google.app import GoogleApp

MAX_ADDRESS = 2000
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# The characters of an address (RFC 3986): no blanks, control characters or backslashes.
_PLAIN = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")


def google_app() -> GoogleApp:
    return GoogleApp(
        client_id=settings.GOOGLE_CLIENT_ID,
        client_secret=settings.GOOGLE_CLIENT_SECRET,
        auth_url=settings.GOOGLE_AUTH_URL,
        token_url=settings.GOOGLE_TOKEN_URL,
        revoke_url=settings.GOOGLE_REVOKE_URL,
        userinfo_url=settings.GOOGLE_USERINFO_URL,
        api_url=settings.GOOGLE_API_URL,
    )


def address_in_google(text: object) -> str:
    """The address at which a person can see something in Google, or "" if it is not safe.

    Google's answer may hold anybody's text, so only a plain https address becomes a link. If a
    simulator on this machine stands in for Google, its http is accepted too.
    """
    if not isinstance(text, str) or len(text) > MAX_ADDRESS or not _PLAIN.fullmatch(text):
        return ""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if not host or "@" in parts.netloc:
        return ""
    is_simulated = host in LOOPBACK and urlsplit(settings.GOOGLE_API_URL).hostname in LOOPBACK
    return text if parts.scheme == "https" or (parts.scheme == "http" and is_simulated) else ""


def google_is_configured() -> bool:
    return bool(settings.GOOGLE_CLIENT_ID and settings.GOOGLE_CLIENT_SECRET)
