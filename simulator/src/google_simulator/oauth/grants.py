"""Grants and their tokens: given, refreshed, ended (facts 1.4, 1.7, 1.9, 1.10)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from google_simulator.model import (
    AccessToken,
    AuthorizationCode,
    Client,
    Grant,
    RefreshToken,
)
from google_simulator.oauth.scopes import permissions
from google_simulator.simulator import Simulator

ACCESS_TOKEN_SECONDS = 3599
LIVE_REFRESH_TOKENS = 100
TESTING_SECONDS = 7 * 86_400
UNUSED_SECONDS = 183 * 86_400


def grant_of(simulator: Simulator, client: Client, email: str) -> Grant | None:
    """What the account allows the client's project."""
    return simulator.world.grants.get(f"{client.project}\n{email}")


def allow(simulator: Simulator, client: Client, email: str, scopes: Iterable[str]) -> Grant:
    """Add `scopes` to what the account allows the client's project."""
    grant = grant_of(simulator, client, email)
    if grant is None:
        grant = Grant(client.project, email, [], granted_at=simulator.clock.now())
    grant.scopes = sorted(set(grant.scopes) | set(scopes))
    return simulator.world.save(grant)


def give_access_token(
    simulator: Simulator,
    client: Client,
    email: str,
    scopes: list[str],
    refresh_token: str | None,
) -> AccessToken:
    """A new access token for an hour."""
    _forget_expired(simulator)
    return simulator.world.save(
        AccessToken(
            token=f"ya29.sim-{secrets.token_urlsafe(48)}",
            client_id=client.id,
            account=email,
            scopes=scopes,
            expires_at=simulator.clock.now() + ACCESS_TOKEN_SECONDS,
            refresh_token=refresh_token,
        )
    )


def _forget_expired(simulator: Simulator) -> None:
    """Drop what ended over a day ago, oldest first: the clock may be set back a little."""
    horizon = simulator.clock.now() - 86_400
    shelves: tuple[Mapping[str, AccessToken | AuthorizationCode], ...] = (
        simulator.world.access_tokens,
        simulator.world.codes,
    )
    for shelf in shelves:
        while shelf and (oldest := next(iter(shelf.values()))).expires_at < horizon:
            simulator.world.drop(oldest)


def give_refresh_token(simulator: Simulator, code: AuthorizationCode) -> RefreshToken:
    """A new one. The oldest of more than 100 per account and client dies silently."""
    world, now = simulator.world, simulator.clock.now()
    live = [
        token for token in world.refresh_tokens.values()
        if token.account == code.account and token.client_id == code.client_id and not token.dead
    ]  # fmt: skip
    surplus = len(live) + 1 - LIVE_REFRESH_TOKENS
    for token in sorted(live, key=lambda token: token.issued_at)[: max(0, surplus)]:
        end_refresh_token(simulator, token, "revoked")
    return world.save(
        RefreshToken(
            token=f"1//sim-{secrets.token_urlsafe(48)}",
            client_id=code.client_id,
            account=code.account,
            scopes=code.scopes,
            issued_at=now,
            used_at=now,
        )
    )


def end_refresh_token(simulator: Simulator, token: RefreshToken, cause: str) -> None:
    """No refresh with this token from now on."""
    token.dead = cause
    simulator.world.save(token)


def cause_of_death(simulator: Simulator, token: RefreshToken, client: Client) -> str | None:
    """Why this refresh token no longer works, or None (facts 1.9)."""
    world, now = simulator.world, simulator.clock.now()
    account = world.accounts.get(token.account)
    if account is None or account.deleted:
        return "account_deleted"
    if token.dead or account.token_failure:
        return token.dead or account.token_failure
    if grant_of(simulator, client, token.account) is None:
        return "revoked"
    testing = world.projects[client.project].publishing == "testing"
    if testing and permissions(token.scopes) and now - token.issued_at >= TESTING_SECONDS:
        return "testing_expired"
    if now - token.used_at >= UNUSED_SECONDS:
        return "unused"
    return None


def revoke_grant(simulator: Simulator, project: str, email: str) -> bool:
    """End everything the account allowed the project, across its clients (facts 1.10)."""
    world = simulator.world
    for refresh_token in world.refresh_tokens_of(project, email):
        if not refresh_token.dead:
            end_refresh_token(simulator, refresh_token, "revoked")
    if simulator.switches["access_after_revoke"] == "dies":
        for token in list(world.access_tokens.values()):
            if token.account == email and world.clients[token.client_id].project == project:
                token.dead = True
                world.save(token)
    for code in world.codes.values():
        if code.account == email and world.clients[code.client_id].project == project:
            code.used = True
            world.save(code)
    grant = world.grants.get(f"{project}\n{email}")
    if grant is None:
        return False
    world.drop(grant)
    return True
