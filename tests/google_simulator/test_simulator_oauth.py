"""Authorization, tokens, refresh, revocation."""

from __future__ import annotations

import pytest

from google_simulator.client import SCOPES, GoogleClient, answers
from google_simulator.testing import RunningSimulator
from google_simulator.walker import ConsentStopped

LIST_SCOPE, EVENTS_SCOPE = SCOPES[2:]


def test_sign_in_gives_tokens_for_that_account(sign_in) -> None:
    google = sign_in("bob")
    assert google.refresh_token
    assert google.userinfo().json["email"] == "bob@example.com"


def test_a_code_works_once(simulator: RunningSimulator, new_client) -> None:
    google = new_client()
    redirect = simulator.authorize(google.authorization_url(), account="alice@example.com")
    assert answers(redirect)["state"] == "a-state"
    code = answers(redirect)["code"]
    assert google.exchange(code).status == 200
    again = google.exchange(code)
    assert (again.status, again.json["error"]) == (400, "invalid_grant")


def test_denial_comes_back_without_a_code(simulator: RunningSimulator, new_client) -> None:
    url = new_client().authorization_url()
    redirect = simulator.authorize(url, account="alice@example.com", grant="deny")
    assert answers(redirect) == {"state": "a-state", "error": "access_denied"}


def test_unticked_permissions_are_missing_from_the_scope(
    simulator: RunningSimulator, new_client
) -> None:
    google = new_client()
    redirect = simulator.authorize(
        google.authorization_url(), account="alice@example.com", grant=[LIST_SCOPE]
    )
    granted = set(google.exchange(answers(redirect)["code"]).json["scope"].split())
    assert granted == {
        "openid",
        "https://www.googleapis.com/auth/userinfo.email",
        LIST_SCOPE,
    }
    refused = google.events()
    assert refused.status == 403
    assert refused.json["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "wrong"},
        {"code_verifier": None},
        {"redirect_uri": "http://127.0.0.1:8000/other"},
        {"client_secret": "wrong"},
    ],
)
def test_the_exchange_is_checked(simulator: RunningSimulator, new_client, changes) -> None:
    google = new_client()
    redirect = simulator.authorize(google.authorization_url(), account="alice@example.com")
    assert google.exchange(answers(redirect)["code"], **changes).status in (400, 401)
    assert google.access_token is None


def test_access_tokens_last_an_hour_on_the_simulators_clock(
    simulator: RunningSimulator, alice: GoogleClient
) -> None:
    simulator.advance_clock(3590)
    assert alice.events().status == 200
    simulator.advance_clock(10)
    refused = alice.events()
    assert (refused.status, refused.reason) == (401, "authError")
    alice.access_token = alice.refresh().json["access_token"]
    assert alice.events().status == 200


def test_revoking_ends_the_whole_grant(sign_in) -> None:
    first, second = sign_in("alice"), sign_in("alice")
    assert first.revoke(first.access_token).status == 200
    assert first.refresh().json["error"] == "invalid_grant"
    assert second.refresh().json["error_description"] == "Token has been expired or revoked."
    assert second.events().status == 401
    assert first.revoke(first.access_token).json["error"] == "invalid_token"


def test_the_user_can_revoke_by_hand(simulator: RunningSimulator, alice: GoogleClient) -> None:
    simulator.revoke_grant("alice@example.com")
    assert alice.refresh().json["error"] == "invalid_grant"


def test_an_unknown_client_sees_googles_own_page(simulator: RunningSimulator, new_client) -> None:
    with pytest.raises(ConsentStopped) as stopped:
        simulator.authorize(
            new_client().authorization_url(client_id="nobody"), account="alice@example.com"
        )
    assert "invalid_client" in stopped.value.text


@pytest.mark.parametrize(
    "address", ["/oauth2/v1/certs", "/oauth2/v3/certs", "/.well-known/openid-configuration"]
)
def test_keys_and_configuration_say_how_long_they_may_be_kept(new_client, address) -> None:
    google = new_client()
    reply = google.send("GET", google.endpoints.certs.replace("/oauth2/v3/certs", address))
    assert reply.headers["Cache-Control"].startswith("public, max-age=")


@pytest.mark.parametrize("token", ["access", "refresh", "unknown"])
def test_nobody_may_keep_what_is_said_about_a_token(alice: GoogleClient, token: str) -> None:
    known = {"access": alice.access_token, "refresh": alice.refresh_token}
    form = {"access_token": known.get(token, token)}
    replies = [
        alice.form(alice.endpoints.tokeninfo, form),
        alice.refresh(known.get(token, token)),
        alice.userinfo(),
        alice.revoke(known.get(token, token)),
    ]
    for reply in replies:
        assert "no-store" in reply.headers["Cache-Control"]


def test_oauth_calls_are_logged(simulator: RunningSimulator, alice: GoogleClient) -> None:
    alice.refresh()
    alice.revoke(alice.refresh_token)
    logged = [
        (call["method"], call["account"], call["status"])
        for call in simulator.calls(method="oauth.*")
    ]
    assert logged == [
        ("oauth.authorize", "alice@example.com", 302),
        ("oauth.token", "alice@example.com", 200),
        ("oauth.refresh", "alice@example.com", 200),
        ("oauth.revoke", "alice@example.com", 200),
    ]
