"""The token endpoint, revocation and token info (facts 1.4, 1.7, 1.8, 1.10)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import jwt

from google_simulator.errors import OAuthError
from google_simulator.model import AuthorizationCode, Client
from google_simulator.oauth import grants, scopes
from google_simulator.oauth.keys import ISSUER
from google_simulator.simulator import Simulator

Form = Mapping[str, str]

REVOKED = ("invalid_grant", "Token has been expired or revoked.")
SESSION_POLICY_HELP = "https://support.google.com/a/answer/9368756"
# Cause of death: `error`, `error_description`, `error_subtype`.
DEATHS: dict[str, tuple[str, str | None, str | None]] = {
    "revoked": (*REVOKED, None),
    "expired": (*REVOKED, None),
    "testing_expired": (*REVOKED, None),
    "password_changed": (*REVOKED, None),
    "unused": ("invalid_grant", "Bad Request", None),
    "account_deleted": ("invalid_grant", "The account has been deleted", None),
    "invalid_rapt": ("invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt"),
    "rapt_required": ("invalid_grant", "reauth related error (rapt_required)", "rapt_required"),
    "admin_policy_enforced": ("admin_policy_enforced", None, None),
}


def exchange(simulator: Simulator, form: Form) -> tuple[str, dict[str, Any]]:
    """A code for tokens. Answers the account beside the body, for the call log."""
    client = authenticate_client(simulator, form)
    code = _usable_code(simulator, client, form)
    code.used = True
    simulator.world.save(code)
    refresh_token = None
    if code.gives_refresh_token:
        refresh_token = grants.give_refresh_token(simulator, code).token
    body = _tokens(simulator, client, code.account, code.scopes, refresh_token, code.nonce)
    if refresh_token:
        body["refresh_token"] = refresh_token
        body |= _end_in_testing(simulator, client, refresh_token)
    return code.account, body


def refresh(simulator: Simulator, form: Form) -> tuple[str, dict[str, Any]]:
    """A refresh token for an access token; `scope` mirrors what is still granted."""
    client = authenticate_client(simulator, form)
    if not form.get("refresh_token"):
        raise OAuthError("invalid_request", "Missing required parameter: refresh_token")
    token = simulator.world.refresh_tokens.get(form["refresh_token"])
    if token is None:
        raise OAuthError("invalid_grant", "Bad Request")
    if token.client_id != client.id:
        raise OAuthError("unauthorized_client", "Unauthorized")
    if cause := grants.cause_of_death(simulator, token, client):
        error, description, subtype = DEATHS[cause]
        help_page = SESSION_POLICY_HELP if subtype else None
        raise OAuthError(error, description, subtype=subtype, uri=help_page)
    grant = grants.grant_of(simulator, client, token.account)
    live = [scope for scope in token.scopes if grant and scope in grant.scopes]
    token.used_at = simulator.clock.now()
    simulator.world.save(token)
    body = _tokens(simulator, client, token.account, live, token.token, None)
    return token.account, body | _end_in_testing(simulator, client, token.token)


def _end_in_testing(simulator: Simulator, client: Client, refresh_token: str) -> dict[str, int]:
    """How long a refresh token lives that ends because the app is in Testing (facts 1.9)."""
    token = simulator.world.refresh_tokens[refresh_token]
    testing = simulator.world.projects[client.project].publishing == "testing"
    if not testing or not scopes.permissions(token.scopes):
        return {}
    ends = token.issued_at + grants.TESTING_SECONDS
    return {"refresh_token_expires_in": int(ends - simulator.clock.now() - 0.001)}


def authenticate_client(simulator: Simulator, form: Form) -> Client:
    """`client_id` and `client_secret` of the form; a wrong one is the operator's problem."""
    client = simulator.world.clients.get(form.get("client_id", ""))
    status = int(simulator.switches["invalid_client_status"])
    if client is None:
        raise OAuthError("invalid_client", "The OAuth client was not found.", status=status)
    if client.deleted:
        raise OAuthError("deleted_client", "The OAuth client was deleted.", status=status)
    if not hmac.compare_digest(client.secret.encode(), form.get("client_secret", "").encode()):
        raise OAuthError("invalid_client", "Unauthorized", status=status)
    return client


def _usable_code(simulator: Simulator, client: Client, form: Form) -> AuthorizationCode:
    text = form.get("code", "")
    if not text:
        raise OAuthError("invalid_request", "Missing required parameter: code")
    if not text.startswith("4/"):
        # Decoded once too often or not at all: `4%2F0A...` no longer looks like a code.
        raise OAuthError("invalid_grant", "Malformed auth code.")
    code = simulator.world.codes.get(text)
    if (
        code is None
        or code.used
        or code.client_id != client.id
        or code.expires_at <= simulator.clock.now()
    ):
        raise OAuthError("invalid_grant", "Bad Request")
    if form.get("redirect_uri") != code.redirect_uri:
        raise OAuthError(simulator.switches["exchange_redirect_error"], "Bad Request")
    _check_verifier(simulator, code, form.get("code_verifier"))
    return code


def _check_verifier(simulator: Simulator, code: AuthorizationCode, verifier: str | None) -> None:
    """A verifier must come where a challenge was sent, and only there (facts 1.2)."""
    if code.challenge is None:
        if verifier and simulator.switches["superfluous_verifier"] == "refused":
            raise OAuthError("invalid_grant", "code_verifier or verifier is not needed.")
    elif not verifier:
        raise OAuthError("invalid_grant", "Missing code verifier.")
    elif not _proves(verifier, code):
        raise OAuthError("invalid_grant", simulator.switches["pkce_description"])


def _proves(verifier: str, code: AuthorizationCode) -> bool:
    """RFC 7636: the challenge was made from this verifier."""
    shown = verifier
    if code.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return hmac.compare_digest(shown.encode(), (code.challenge or "").encode())


def _tokens(
    simulator: Simulator,
    client: Client,
    email: str,
    granted: list[str],
    refresh_token: str | None,
    nonce: str | None,
) -> dict[str, Any]:
    access = grants.give_access_token(simulator, client, email, granted, refresh_token)
    body: dict[str, Any] = {
        "access_token": access.token,
        "expires_in": grants.ACCESS_TOKEN_SECONDS,
        "scope": scopes.as_granted(granted),
        "token_type": "Bearer",
    }
    if "openid" in granted:
        body["id_token"] = _id_token(simulator, client, email, granted, nonce, access.token)
    return body


def _id_token(
    simulator: Simulator,
    client: Client,
    email: str,
    granted: list[str],
    nonce: str | None,
    access_token: str,
) -> str:
    now = int(simulator.clock.now())
    claims = identity_claims(simulator, email, granted) | {
        "iss": ISSUER,
        "azp": client.id,
        "aud": client.id,
        "iat": now,
        "exp": now + 3600,
        "at_hash": _half_hash(access_token),
    }
    if nonce:
        claims["nonce"] = nonce
    return simulator.signing_key.sign(claims)


def _half_hash(access_token: str) -> str:
    """`at_hash` ties an id_token to its access token (OpenID Connect Core, 3.1.3.6)."""
    digest = hashlib.sha256(access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def identity_claims(simulator: Simulator, email: str, granted: list[str]) -> dict[str, Any]:
    """Who the account is, as far as the granted scopes tell (facts 1.6)."""
    account = simulator.world.accounts[email]
    claims: dict[str, Any] = {"sub": account.sub}
    if scopes.SIGN_IN_ALIASES["email"] in granted:
        claims |= {"email": account.email, "email_verified": True}
    if scopes.SIGN_IN_ALIASES["profile"] in granted:
        first, _, last = account.name.partition(" ")
        claims |= {"name": account.name, "given_name": first}
        if last:
            claims["family_name"] = last
    return claims


def revoke(simulator: Simulator, token: str) -> str | None:
    """End the whole grant behind an access or refresh token; answers the account."""
    world = simulator.world
    found = world.refresh_tokens.get(token) or world.access_tokens.get(token)
    if found is None or found.dead:
        if simulator.switches["revoke_unknown"] == "200":
            return None
        raise OAuthError("invalid_token", "Token expired or revoked")
    grants.revoke_grant(simulator, world.clients[found.client_id].project, found.account)
    return found.account


def token_info(simulator: Simulator, token: str) -> dict[str, Any]:
    """What an access token is good for. Refresh tokens are unknown here (facts 1.1)."""
    access = simulator.world.access_tokens.get(token)
    now = simulator.clock.now()
    if access is None or access.dead or access.expires_at <= now:
        raise OAuthError("invalid_token", "Invalid Value")
    info: dict[str, Any] = {
        "azp": access.client_id,
        "aud": access.client_id,
        "scope": scopes.as_granted(access.scopes),
        "exp": str(int(access.expires_at)),
        "expires_in": str(int(access.expires_at - now)),
        "access_type": "offline" if access.refresh_token else "online",
    }
    return info | _in_words(identity_claims(simulator, access.account, access.scopes))


def id_token_info(simulator: Simulator, id_token: str) -> dict[str, Any]:
    """The claims of an id_token that is ours and not over."""
    key = simulator.signing_key
    try:
        claims = jwt.decode(
            id_token,
            key.private.public_key(),
            algorithms=["RS256"],
            options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
        )
    except jwt.PyJWTError as error:
        raise OAuthError("invalid_token", "Invalid Value") from error
    if claims["exp"] <= simulator.clock.now():
        raise OAuthError("invalid_token", "Invalid Value")
    return _in_words(claims) | {"alg": "RS256", "kid": key.id, "typ": "JWT"}


def legacy_info(info: dict[str, Any]) -> dict[str, Any]:
    """Token info as versions 1 and 2 spell it."""
    old = {
        "issued_to": info["azp"],
        "audience": info["aud"],
        "scope": info["scope"],
        "expires_in": int(info["expires_in"]),
        "access_type": info["access_type"],
        "user_id": info["sub"],
    }
    if "email" in info:
        old |= {"email": info["email"], "verified_email": info["email_verified"] == "true"}
    return old


def _in_words(claims: dict[str, Any]) -> dict[str, str]:
    """Token info has nothing but strings."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in claims.items()
    }
