"""Facts 1.4 and 1.6 to 1.11: tokens, identity, refresh, revocation, scopes."""

from __future__ import annotations

from dataclasses import replace

import jwt
import pytest

from google_simulator.client import SCOPES, answers

ALICE = "alice@example.com"
AUTH = "https://www.googleapis.com/auth/"
EMAIL = f"{AUTH}userinfo.email"
LIST, EVENTS = SCOPES[2:]


# -- 1.4 the exchange ----------------------------------------------------------------------------


def test_1_4_the_answer_of_the_exchange(simulator, fresh, walk) -> None:
    body = fresh.exchange(walk(fresh)["code"]).json
    assert set(body) == {
        "access_token", "expires_in", "refresh_token", "scope", "token_type", "id_token",
    }  # fmt: skip
    assert (body["expires_in"], body["token_type"]) == (3599, "Bearer")
    # The short names of the request come back in full, in Google's own order.
    assert set(body["scope"].split()) == {"openid", EMAIL, LIST, EVENTS}
    assert body["scope"] != " ".join(SCOPES)
    assert len(body["access_token"]) <= 2048
    assert len(body["refresh_token"]) <= 512


def test_1_4_a_second_link_without_prompt_gives_no_refresh_token(simulator, fresh, walk) -> None:
    first = fresh.exchange(walk(fresh, prompt=None)["code"]).json
    assert "refresh_token" in first
    second = fresh.exchange(walk(fresh, prompt=None)["code"]).json
    assert "refresh_token" not in second
    third = fresh.exchange(walk(fresh, prompt="consent")["code"]).json
    assert "refresh_token" in third
    simulator.revoke_grant(ALICE)
    fourth = fresh.exchange(walk(fresh, prompt=None)["code"]).json
    assert "refresh_token" in fourth


def test_1_4_no_id_token_without_openid(simulator, fresh, walk) -> None:
    callback = walk(fresh, scope=f"{LIST} {EVENTS}")
    assert "id_token" not in fresh.exchange(callback["code"]).json


# -- 1.1 addresses ---------------------------------------------------------------------------------


def test_1_1_keys_may_be_kept_and_tokens_may_not(google) -> None:
    keys = google.send("GET", google.endpoints.certs).headers["Cache-Control"]
    assert int(keys.partition("max-age=")[2].split(",")[0]) > 60
    for reply in (google.refresh(), google.refresh("1//unknown")):
        assert "no-store" in reply.headers["Cache-Control"]


# -- 1.6 identity --------------------------------------------------------------------------------


def test_1_6_the_id_token_is_signed_and_names_the_account(simulator, fresh, walk) -> None:
    callback = walk(fresh, nonce="n-1")
    token = fresh.exchange(callback["code"]).json["id_token"]
    keys = fresh.send("GET", fresh.endpoints.certs).json["keys"]
    key_id = jwt.get_unverified_header(token)["kid"]
    key = next(jwt.PyJWK(key) for key in keys if key["kid"] == key_id)
    claims = jwt.decode(
        token, key, algorithms=["RS256"], audience=fresh.client_id,
        issuer="https://accounts.google.com",
    )  # fmt: skip
    assert claims["nonce"] == "n-1"
    assert claims["email"] == ALICE
    assert claims["sub"] == fresh.userinfo().json["sub"]


def test_1_6_without_the_email_scope_there_is_no_address(simulator, fresh, walk) -> None:
    fresh.exchange(walk(fresh, scope=f"openid {LIST} {EVENTS}")["code"])
    assert set(fresh.userinfo().json) == {"sub"}
    entries = fresh.call("GET", "users/me/calendarList").json["items"]
    assert [entry["id"] for entry in entries if entry.get("primary")] == [ALICE]


def test_1_1_token_info_knows_access_tokens_only(simulator, fresh, walk) -> None:
    fresh.exchange(walk(fresh)["code"])
    info = fresh.form(fresh.endpoints.tokeninfo, {"access_token": fresh.access_token})
    assert info.json["aud"] == fresh.client_id
    refused = fresh.form(fresh.endpoints.tokeninfo, {"access_token": fresh.refresh_token})
    assert refused.status == 400


# -- 1.7 refresh ---------------------------------------------------------------------------------


def test_1_7_refresh(google) -> None:
    body = google.refresh().json
    assert "refresh_token" not in body
    assert {"access_token", "expires_in", "scope", "token_type"} <= set(body)


def test_1_7_older_access_tokens_stay_valid(google) -> None:
    older = google.access_token
    google.access_token = google.refresh().json["access_token"]
    assert google.access_token != older
    for token in (older, google.access_token):
        google.access_token = token
        assert google.call("GET", "users/me/calendarList").status == 200


# -- 1.8, 1.9 errors of the token endpoint -------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        ("revoked", ("invalid_grant", "Token has been expired or revoked.")),
        ("unused", ("invalid_grant", "Bad Request")),
        ("account_deleted", ("invalid_grant", "The account has been deleted")),
        ("admin_policy_enforced", ("admin_policy_enforced", None)),
    ],
)
def test_1_8_causes_of_a_dead_refresh_token(simulator, google, cause, expected) -> None:
    simulator.fail_tokens(ALICE, cause)
    reply = google.refresh()
    assert reply.status == 400
    assert (reply.json["error"], reply.json.get("error_description")) == expected
    simulator.fail_tokens(ALICE, None)
    assert google.refresh().status == 200


@pytest.mark.parametrize("cause", ["invalid_rapt", "rapt_required"])
def test_1_8_session_policy_has_its_own_words(simulator, google, cause) -> None:
    """Clients look for `reauth` in the description, for the subtype, or follow the address."""
    simulator.fail_tokens(ALICE, cause)
    assert google.refresh().json == {
        "error": "invalid_grant",
        "error_description": f"reauth related error ({cause})",
        "error_uri": "https://support.google.com/a/answer/9368756",
        "error_subtype": cause,
    }


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
    ],
)
def test_1_8_configuration_errors(google, form, error) -> None:
    reply = google.refresh(**form)
    assert (reply.status, reply.json["error"]) == (400, error)


def test_1_8_a_wrong_secret_is_the_operators_problem(simulator, google) -> None:
    reply = google.refresh(client_secret="wrong")
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    simulator.switch(invalid_client_status="400")
    assert google.refresh(client_id="nobody").status == 400


def test_1_8_switch_another_redirect_uri_at_the_exchange(simulator, fresh, walk) -> None:
    for setting in ("redirect_uri_mismatch", "invalid_grant"):
        simulator.switch(exchange_redirect_error=setting)
        code = walk(fresh)["code"]
        reply = fresh.exchange(code, redirect_uri="http://127.0.0.1:8000/other")
        assert (reply.status, reply.json["error"]) == (400, setting)


def test_1_8_another_clients_refresh_token(simulator, google) -> None:
    simulator.client("other", secret="s", any_loopback=True)
    reply = google.refresh(client_id="other", client_secret="s")
    assert reply.json["error"] == "unauthorized_client"


def test_1_9_six_months_unused(simulator, google) -> None:
    simulator.advance_clock(180 * 86_400)
    assert google.refresh().status == 200
    simulator.advance_clock(180 * 86_400)
    assert google.refresh().status == 200
    simulator.advance_clock(184 * 86_400)
    assert google.refresh().json["error"] == "invalid_grant"


def test_1_9_testing_status_ends_tokens_after_seven_days(simulator, google, fresh, walk) -> None:
    simulator.project(publishing="testing")
    fresh.exchange(walk(fresh)["code"])
    simulator.advance_clock(7 * 86_400 - 10)
    assert fresh.refresh().status == 200
    simulator.advance_clock(20)
    assert fresh.refresh().json["error"] == "invalid_grant"
    # Identity alone is exempt.
    fresh.exchange(walk(fresh, scope="openid email", prompt="consent")["code"])
    simulator.advance_clock(8 * 86_400)
    assert fresh.refresh().status == 200


def test_1_9_of_more_than_a_hundred_refresh_tokens_the_oldest_dies(simulator, fresh) -> None:
    url = fresh.authorization_url()
    form = {"request": url.partition("?")[2], "account": ALICE, "decided": "yes"}
    step = f"{simulator.base_url}/o/oauth2/v2/auth/step"
    tokens = []
    for _ in range(101):
        done = fresh.form(f"{step}?", {**form, "scope": EVENTS, "decision": "continue"})
        code = answers(done.headers["Location"])["code"]
        tokens.append(fresh.exchange(code).json["refresh_token"])
        simulator.advance_clock(1)
    assert fresh.refresh(tokens[0]).json["error"] == "invalid_grant"
    assert fresh.refresh(tokens[1]).status == 200
    assert fresh.refresh(tokens[-1]).status == 200


def test_1_9_a_deleted_account(simulator, google) -> None:
    simulator.delete_account(ALICE)
    assert google.refresh().json["error_description"] == "The account has been deleted"
    assert google.events().status == 401


# -- 1.10 revocation -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_1_10_either_token_ends_the_whole_grant_of_the_project(
    simulator, google, sign_in, kind
) -> None:
    other, bob = sign_in("alice"), sign_in("bob")
    assert google.revoke(getattr(google, kind)).status == 200
    for client in (google, other):
        assert client.refresh().json["error"] == "invalid_grant"
        assert client.events().status == 401
    assert bob.refresh().status == 200


def test_1_10_revocation_reaches_other_clients_of_the_project_only(simulator, google, walk) -> None:
    simulator.client("sibling", secret="s", any_loopback=True)
    simulator.client("stranger", secret="s", any_loopback=True, project="another")
    clients = [
        replace(google, client_id=name, client_secret="s", access_token=None)
        for name in ("sibling", "stranger")
    ]
    for client in clients:
        client.exchange(walk(client)["code"])
    google.revoke(google.refresh_token)
    sibling, stranger = clients
    assert sibling.refresh().json["error"] == "invalid_grant"
    assert stranger.refresh().status == 200


def test_1_10_an_unknown_token(simulator, google) -> None:
    reply = google.revoke("1//nonsense")
    assert (reply.status, reply.json["error"]) == (400, "invalid_token")
    simulator.switch(revoke_unknown="200")
    assert google.revoke("1//nonsense").status == 200


def test_1_10_revoke_is_a_post(google) -> None:
    url = f"{google.endpoints.revoke}?token=x"
    assert google.send("GET", url).status in (404, 405)


def test_1_10_switch_access_tokens_may_outlive_the_grant(simulator, google) -> None:
    simulator.switch(access_after_revoke="lives")
    google.revoke(google.refresh_token)
    assert google.events().status == 200
    simulator.advance_clock(3600)
    assert google.events().status == 401


# -- 1.11 scopes and methods ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "opens", "shuts"),
    [
        ("calendar.events", "calendars/primary/events", "users/me/calendarList"),
        ("calendar.calendarlist.readonly", "users/me/calendarList", "calendars/primary/events"),
        ("calendar.events.readonly", "calendars/primary/events", "colors"),
        ("calendar.readonly", "users/me/settings", "calendars/primary/acl"),
    ],
)
def test_1_11_a_scope_opens_its_methods_only(sign_in, scope, opens, shuts) -> None:
    client = sign_in("alice", scope, "calendar.settings.readonly")
    assert client.call("GET", opens).status == 200
    refused = client.call("GET", shuts)
    assert refused.status == 403
    assert refused.json["error"]["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"


def test_1_11_free_busy_needs_its_own_scope(sign_in) -> None:
    client = sign_in("alice", "calendar.events")
    assert client.call("POST", "freeBusy", {}).status == 403


def test_1_11_switch_what_owned_means(simulator, sign_in, timed) -> None:
    clinic = "clinic@group.calendar.google.com"
    bob = sign_in("bob", "calendar.events.owned", "calendar.calendarlist.readonly")
    assert bob.insert(timed()).status == 200
    assert bob.insert(timed(), clinic).status == 403
    simulator.switch(owned_violation="404")
    assert bob.insert(timed(), clinic).status == 404
    simulator.set_role("bob@example.com", clinic, "owner")
    assert bob.insert(timed(), clinic).status == 200
    simulator.switch(owned_means="data_owner")
    assert bob.insert(timed(), clinic).status == 404


def test_1_11_the_narrow_event_scopes(simulator, sign_in, timed) -> None:
    shy = sign_in("alice", "calendar.events.freebusy")
    simulator.insert_event(ALICE, ALICE, timed(summary="secret"))
    (item,) = shy.events().json["items"]
    assert "start" in item
    assert "summary" not in item
    public = sign_in("alice", "calendar.events.public.readonly")
    assert public.events("en.australian#holiday@group.v.calendar.google.com").status == 200
    assert public.events("primary").status == 404
    maker = sign_in("alice", "calendar.app.created")
    made = maker.call("POST", "calendars", {"summary": "Made here"}).json
    assert maker.insert(timed(), made["id"]).status == 200
    assert maker.insert(timed(), "primary").status == 404


def test_1_4_in_testing_the_answer_names_the_end_of_the_refresh_token(
    simulator, fresh, walk
) -> None:
    assert "refresh_token_expires_in" not in fresh.exchange(walk(fresh)["code"]).json
    simulator.project(publishing="testing")
    body = fresh.exchange(walk(fresh)["code"]).json
    assert body["refresh_token_expires_in"] == 604_799
    simulator.advance_clock(86_400)
    left = fresh.refresh().json["refresh_token_expires_in"]
    assert 0 <= 604_799 - 86_400 - left < 600
    identity_only = fresh.exchange(walk(fresh, scope="openid email")["code"]).json
    assert "refresh_token_expires_in" not in identity_only
