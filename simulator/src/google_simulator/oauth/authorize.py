"""The authorization request: checked, then answered with a code or an error (facts 1.2, 1.3).

The server keeps nothing of a pending request: the pages carry it along, and every step checks
it again.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from google_simulator.model import Account, AuthorizationCode, Client
from google_simulator.oauth import grants, scopes
from google_simulator.oauth.keys import ISSUER
from google_simulator.simulator import Simulator

CODE_SECONDS = 600
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
PROMPTS = frozenset({"none", "consent", "select_account"})


class ShownError(Exception):
    """Google shows its own error page; the application hears nothing (facts 1.3)."""

    def __init__(self, error: str, explanation: str, status: int = 400) -> None:
        super().__init__(explanation)
        self.error = error
        self.explanation = explanation
        self.status = status


@dataclass(frozen=True)
class AuthorizationRequest:
    """A well-formed request of a known client."""

    query: str
    client: Client
    redirect_uri: str
    scopes: list[str]
    offline: bool
    prompts: frozenset[str]
    state: str | None
    include_granted: bool
    login_hint: str | None
    challenge: str | None
    challenge_method: str | None
    nonce: str | None


def read_request(simulator: Simulator, query: str) -> AuthorizationRequest:
    """Check everything that needs no account. Mistakes are shown, never sent back."""
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    client = _client(simulator, asked.get("client_id"))
    redirect_uri = asked.get("redirect_uri", "")
    _check_redirect_uri(client, redirect_uri)
    if asked.get("response_type") != "code":
        raise ShownError("unsupported_response_type", "response_type must be code.")
    wanted = scopes.normalised(asked.get("scope", ""))
    if not wanted:
        raise ShownError("invalid_request", "Missing required parameter: scope.")
    if strange := scopes.unknown(wanted):
        raise ShownError("invalid_scope", f"Some requested scopes were invalid: {strange}.")
    prompts = frozenset(asked.get("prompt", "").split())
    if prompts - PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise ShownError("invalid_request", f"Invalid prompt: {asked['prompt']}.")
    method = asked.get("code_challenge_method", "plain")
    if "code_challenge" in asked and method not in ("S256", "plain"):
        raise ShownError("invalid_request", "Invalid code_challenge_method.")
    if asked.get("access_type", "online") not in ("online", "offline"):
        raise ShownError("invalid_request", "Invalid access_type.")
    return AuthorizationRequest(
        query=query,
        client=client,
        redirect_uri=redirect_uri,
        scopes=wanted,
        offline=asked.get("access_type") == "offline",
        prompts=prompts,
        state=asked.get("state"),
        include_granted=asked.get("include_granted_scopes") == "true",
        login_hint=asked.get("login_hint"),
        challenge=asked.get("code_challenge"),
        challenge_method=method if "code_challenge" in asked else None,
        nonce=asked.get("nonce"),
    )


def _client(simulator: Simulator, client_id: str | None) -> Client:
    if not client_id:
        raise ShownError("invalid_request", "Missing required parameter: client_id.")
    client = simulator.world.clients.get(client_id)
    if client is None:
        raise ShownError("invalid_client", "The OAuth client was not found.", status=401)
    if client.deleted:
        raise ShownError("deleted_client", "The OAuth client was deleted.", status=401)
    return client


def _check_redirect_uri(client: Client, redirect_uri: str) -> None:
    if not redirect_uri:
        raise ShownError("invalid_request", "Missing required parameter: redirect_uri.")
    if client.any_loopback and not client.redirect_uris:
        allowed = _is_loopback(redirect_uri)
    else:
        allowed = redirect_uri in client.redirect_uris
    if not allowed:
        raise ShownError(
            "redirect_uri_mismatch",
            f"The redirect URI {redirect_uri} is not registered for this client.",
        )


def _is_loopback(redirect_uri: str) -> bool:
    try:
        parts = urlsplit(redirect_uri)
        host = parts.hostname
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and host in LOOPBACK_HOSTS
        and not parts.fragment
        and "@" not in parts.netloc
        and "/.." not in parts.path
    )


def check_account(request: AuthorizationRequest, account: Account) -> None:
    """Refusals that depend on who signs in: also shown, not sent back."""
    if account.deleted:
        raise ShownError("account_deleted", "This account has been deleted or disabled.")
    domain = request.client.internal_domain
    if domain and account.email.rpartition("@")[2] != domain:
        raise ShownError("org_internal", f"{request.client.name} is open to {domain} only.", 403)
    if account.consent_error:
        raise ShownError(account.consent_error, "An administrator's policy blocks access.")


def hinted_account(simulator: Simulator, hint: str | None) -> Account | None:
    """`login_hint` is an email address or a `sub`."""
    for account in simulator.world.accounts.values():
        if hint and hint in (account.email, account.sub):
            return account
    return None


def needs_consent(simulator: Simulator, request: AuthorizationRequest, account: Account) -> bool:
    """Whether the account has to be asked for these scopes."""
    if "consent" in request.prompts:
        return True
    grant = grants.grant_of(simulator, request.client, account.email)
    return grant is None or not set(request.scopes) <= set(grant.scopes)


def approve(
    simulator: Simulator,
    request: AuthorizationRequest,
    account: Account,
    ticked: set[str],
    *,
    consented: bool,
) -> str:
    """The redirect back with a code. `ticked` are the permissions the person left ticked.

    A refresh token comes with the first consent of this account, or when consent was asked for.
    """
    asked = scopes.permissions(request.scopes)
    allowed = [scope for scope in asked if scope in ticked - set(account.withheld_scopes)]
    if asked and not allowed and simulator.switches["nothing_ticked"] == "access_denied":
        return deny(request)
    granted = [scope for scope in request.scopes if scope not in asked] + allowed
    if not granted:
        return deny(request)
    first_time = grants.grant_of(simulator, request.client, account.email) is None
    grant = grants.allow(simulator, request.client, account.email, granted)
    carried = list(grant.scopes) if request.include_granted else granted
    asked_again = consented and "consent" in request.prompts
    code = _give_code(simulator, request, account, carried, first_time or asked_again)
    answer = {
        "code": code.code,
        "scope": scopes.as_granted(carried),
        "authuser": "0",
        "prompt": "consent" if consented else "none",
    }
    if simulator.switches["callback_iss"] == "on":
        answer["iss"] = ISSUER
    return back_to_client(request, answer)


def _give_code(
    simulator: Simulator,
    request: AuthorizationRequest,
    account: Account,
    granted: list[str],
    may_stay: bool,
) -> AuthorizationCode:
    return simulator.world.save(
        AuthorizationCode(
            code=f"4/0A{secrets.token_urlsafe(40)}",
            client_id=request.client.id,
            redirect_uri=request.redirect_uri,
            account=account.email,
            scopes=granted,
            gives_refresh_token=request.offline and may_stay,
            expires_at=simulator.clock.now() + CODE_SECONDS,
            challenge=request.challenge,
            challenge_method=request.challenge_method,
            nonce=request.nonce,
        )
    )


def deny(request: AuthorizationRequest, error: str = "access_denied") -> str:
    """The redirect back with an error."""
    return back_to_client(request, {"error": error})


def back_to_client(request: AuthorizationRequest, answer: dict[str, str]) -> str:
    """The redirect address with the answer, and with `state` as it came."""
    if request.state is not None:
        answer = {"state": request.state, **answer}
    glue = "&" if urlsplit(request.redirect_uri).query else "?"
    return f"{request.redirect_uri}{glue}{urlencode(answer)}"
