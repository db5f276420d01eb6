"""OAuth 2.0 for web servers, with PKCE.

Source: developers.google.com/identity/protocols/oauth2/web-server.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt

from sophiie.google.app import ASKED_SCOPES, GoogleApp
from sophiie.google.errors import GoogleError, Unreachable, calendar_error, oauth_error
from sophiie.google.http import send


@dataclass(frozen=True)
class Grant:
    """What the token endpoint answered. `expires_in` is in seconds from the answer."""

    access_token: str = field(repr=False)
    expires_in: int
    scopes: frozenset[str]
    refresh_token: str = field(repr=False, default="")
    # Whose it is, where the answer says so; `account_of` asks.
    sub: str = ""


@dataclass(frozen=True)
class Account:
    """`sub` names a Google account for ever; its address may change."""

    sub: str
    email: str


def new_code_verifier() -> str:
    """RFC 7636 4.1: 43 to 128 unreserved characters."""
    return secrets.token_urlsafe(64)


def authorization_url(
    app: GoogleApp,
    *,
    redirect_uri: str,
    state: str,
    code_verifier: str,
    login_hint: str = "",
    scopes: Sequence[str] = ASKED_SCOPES,
    lasting: bool = True,
) -> str:
    """Where to send the person. Only `prompt=consent` always yields a refresh token; without
    `lasting` there is none, and the access ends within an hour."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest())
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": " ".join(scopes),
        "access_type": "offline" if lasting else "online",
        "prompt": "consent",
        "state": state,
        "code_challenge": challenge.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if login_hint:
        query["login_hint"] = login_hint
    return f"{app.auth_url}?{urlencode(query)}"


async def exchange_code(
    http: aiohttp.ClientSession,
    app: GoogleApp,
    *,
    code: str,
    code_verifier: str,
    redirect_uri: str,
) -> Grant:
    """Turns the code of a callback into tokens; works once for each code."""
    return await _ask_for_tokens(
        http,
        app,
        grant_type="authorization_code",
        code=code,
        code_verifier=code_verifier,
        redirect_uri=redirect_uri,
    )


async def refresh(http: aiohttp.ClientSession, app: GoogleApp, *, refresh_token: str) -> Grant:
    """A new access token. Raises `AccessLost` when the refresh token is dead."""
    return await _ask_for_tokens(http, app, grant_type="refresh_token", refresh_token=refresh_token)


async def _ask_for_tokens(http: aiohttp.ClientSession, app: GoogleApp, **form: str) -> Grant:
    form |= {"client_id": app.client_id, "client_secret": app.client_secret}
    answer = await send(http, "POST", app.token_url, meaning=oauth_error, data=form)
    try:
        return Grant(
            access_token=str(answer["access_token"]),
            expires_in=int(answer.get("expires_in", 3600)),
            scopes=frozenset(str(answer.get("scope", "")).split()),
            refresh_token=str(answer.get("refresh_token", "")),
            sub=_subject_of(str(answer.get("id_token", ""))),
        )
    except (KeyError, ValueError, TypeError):
        raise Unreachable(
            "Google's answer held no access token.", reason="notATokenAnswer"
        ) from None


def _subject_of(id_token: str) -> str:
    """Straight from Google over TLS, so its signature need not be checked. Source: OpenID Connect
    Core 3.1.3.7, number 6."""
    try:
        claims = jwt.decode(id_token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return ""
    return str(claims.get("sub", ""))


async def revoke(http: aiohttp.ClientSession, app: GoogleApp, *, token: str) -> None:
    """Revokes the account's whole grant to the project. A dead token counts as revoked."""
    try:
        await send(
            http,
            "POST",
            app.revoke_url,
            meaning=oauth_error,
            may_be_empty=True,
            data={"token": token},
        )
    except GoogleError as error:
        if error.reason not in ("invalid_token", "invalid_grant"):
            raise


async def account_of(http: aiohttp.ClientSession, app: GoogleApp, *, access_token: str) -> Account:
    """The Google account behind an access token (OpenID Connect userinfo)."""
    headers = {"Authorization": f"Bearer {access_token}"}
    answer: dict[str, Any] = await send(
        http, "GET", app.userinfo_url, meaning=calendar_error, headers=headers
    )
    if not isinstance(answer.get("sub"), str):
        raise Unreachable("Google did not say whose account this is.", reason="noSub")
    return Account(sub=answer["sub"], email=str(answer.get("email", "")))
