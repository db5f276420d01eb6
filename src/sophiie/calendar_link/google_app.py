"""The OAuth client of this installation, from the settings."""

from __future__ import annotations

from django.conf import settings

from sophiie.google.app import GoogleApp


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


def google_is_configured() -> bool:
    return bool(settings.GOOGLE_CLIENT_ID and settings.GOOGLE_CLIENT_SECRET)
