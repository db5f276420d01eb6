"""Facts 1.2, 1.3, 1.5: the authorization request, the callback, consent.

All of it happens on pages, so it is tested against the simulator only.
"""

from __future__ import annotations

from urllib.parse import quote

import pytest

from google_simulator.client import SCOPES, answers
from google_simulator.walker import ConsentStopped

ALICE = "alice@example.com"
AUTH = "https://www.googleapis.com/auth/"
EMAIL = f"{AUTH}userinfo.email"
LIST, EVENTS = SCOPES[2:]


# -- 1.2 the request -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": None}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://elsewhere.example/cb"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1:8000/a#b"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://u@127.0.0.1:8000/a"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://127.0.0.1:8000/../a"}, "redirect_uri_mismatch"),
        ({"scope": None}, "invalid_request"),
        ({"scope": "https://example.org/nonsense"}, "invalid_scope"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"prompt": "none consent"}, "invalid_request"),
        ({"prompt": "later"}, "invalid_request"),
        ({"access_type": "sometimes"}, "invalid_request"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
    ],
)
def test_1_2_a_faulty_request_is_shown_and_never_called_back(
    simulator, fresh, changes, error, walk
):
    with pytest.raises(ConsentStopped) as stopped:
        walk(fresh, **changes)
    assert error in stopped.value.text
    assert stopped.value.status >= 400


def test_1_2_registered_redirects_are_exact(simulator, fresh, walk) -> None:
    registered = "https://app.example/oauth/google"
    simulator.client(simulator.client_id, redirect_uris=[registered], any_loopback=False)
    assert "code" in walk(fresh, redirect_uri=registered)
    for other in (registered + "/", registered.replace("https", "http"), registered.upper()):
        with pytest.raises(ConsentStopped):
            walk(fresh, redirect_uri=other)


def test_1_2_without_offline_there_is_no_refresh_token(simulator, fresh, walk) -> None:
    callback = walk(fresh, access_type=None)
    assert "refresh_token" not in fresh.exchange(callback["code"]).json


@pytest.mark.parametrize("state", ["plain", "a b&c=d/é", ""])
def test_1_2_state_comes_back_unchanged(simulator, fresh, state, walk) -> None:
    assert walk(fresh, state=state).get("state", "") == state
    assert walk(fresh, state=state, grant="deny").get("state", "") == state


def test_1_2_consent_is_asked_once_unless_prompted(simulator, fresh, walk) -> None:
    walk(fresh, prompt=None)
    page = fresh.form(
        f"{simulator.base_url}/o/oauth2/v2/auth/step",
        {"request": fresh.authorization_url(prompt=None).partition("?")[2], "account": ALICE},
    )
    assert page.status == 302
    asked = fresh.form(
        f"{simulator.base_url}/o/oauth2/v2/auth/step",
        {"request": fresh.authorization_url().partition("?")[2], "account": ALICE},
    )
    assert asked.status == 200
    assert b"Continue" in asked.content


def test_1_2_prompt_none_never_shows_a_page(simulator, fresh, walk) -> None:
    silent = {"prompt": "none", "login_hint": ALICE}
    assert walk(fresh, **silent)["error"] == "consent_required"
    walk(fresh)
    assert "code" in walk(fresh, **silent)
    assert walk(fresh, prompt="none")["error"] == "login_required"


def test_1_2_login_hint_is_only_a_hint(simulator, fresh, walk) -> None:
    callback = walk(fresh, account="bob@example.com", login_hint=ALICE)
    fresh.exchange(callback["code"])
    assert fresh.userinfo().json["email"] == "bob@example.com"


def test_1_2_included_scopes_join_those_granted_before(simulator, fresh, walk) -> None:
    walk(fresh, scope=f"openid {LIST}")
    callback = walk(fresh, scope=f"openid {EVENTS}", include_granted_scopes="true")
    joined = fresh.exchange(callback["code"]).json["scope"].split()
    assert {LIST, EVENTS} <= set(joined)
    callback = walk(fresh, scope=f"openid {EVENTS}")
    assert LIST not in fresh.exchange(callback["code"]).json["scope"].split()


@pytest.mark.parametrize("verifier", [None, "wrong", ""])
def test_1_2_pkce_is_checked(simulator, fresh, verifier, walk) -> None:
    callback = walk(fresh)
    reply = fresh.exchange(callback["code"], code_verifier=verifier)
    assert (reply.status, reply.json["error"]) == (400, "invalid_grant")


def test_1_2_without_a_challenge_no_verifier_is_needed(simulator, fresh, walk) -> None:
    callback = walk(fresh, code_challenge=None, code_challenge_method=None)
    assert fresh.exchange(callback["code"], code_verifier=None).status == 200


# -- 1.3 the callback ----------------------------------------------------------------------------


def test_1_3_the_callback_carries_more_than_the_code(simulator, fresh) -> None:
    redirect = simulator.authorize(fresh.authorization_url(), account=ALICE)
    callback = answers(redirect)
    assert set(callback) == {"state", "code", "scope", "authuser", "prompt"}
    assert callback["code"].startswith("4/0A")
    assert "code=4%2F0A" in redirect
    assert len(callback["code"]) <= 256


def test_1_3_switch_iss_in_the_callback(simulator, fresh, walk) -> None:
    simulator.switch(callback_iss="on")
    assert walk(fresh)["iss"] == "https://accounts.google.com"


def test_1_3_a_code_is_single_use_short_lived_and_decoded_once(simulator, fresh, walk) -> None:
    code = walk(fresh)["code"]
    malformed = fresh.exchange(quote(code, safe=""))
    assert malformed.json["error_description"] == "Malformed auth code."
    assert fresh.exchange(code).status == 200
    assert fresh.exchange(code).json["error"] == "invalid_grant"
    late = walk(fresh)["code"]
    simulator.advance_clock(601)
    assert fresh.exchange(late).json == {
        "error": "invalid_grant",
        "error_description": "Bad Request",
    }


def test_1_3_denial(simulator, fresh, walk) -> None:
    assert walk(fresh, grant="deny") == {"error": "access_denied", "state": "a-state"}


@pytest.mark.parametrize("error", ["admin_policy_enforced", "org_internal", "disallowed_useragent"])
def test_1_3_some_refusals_never_reach_the_application(simulator, fresh, error, walk) -> None:
    simulator.consent(ALICE, error=error)
    with pytest.raises(ConsentStopped) as stopped:
        walk(fresh)
    assert error in stopped.value.text
    assert "code" in walk(fresh, account="bob@example.com")


def test_1_3_a_deleted_or_internal_client(simulator, fresh, walk) -> None:
    simulator.client(simulator.client_id, internal_domain="corp.example")
    with pytest.raises(ConsentStopped, match="org_internal"):
        walk(fresh)
    simulator.client(simulator.client_id, internal_domain=None, deleted=True)
    with pytest.raises(ConsentStopped, match="deleted_client"):
        walk(fresh)


# -- 1.5 granular consent ------------------------------------------------------------------------


def test_1_5_unticked_permissions_are_not_granted(simulator, fresh, walk) -> None:
    callback = walk(fresh, grant=[EVENTS])
    assert set(fresh.exchange(callback["code"]).json["scope"].split()) == {"openid", EMAIL, EVENTS}
    refused = fresh.call("GET", "users/me/calendarList")
    assert refused.status == 403
    error = refused.json["error"]
    assert error["status"] == "PERMISSION_DENIED"
    assert error["errors"][0]["reason"] == "insufficientPermissions"
    assert error["details"][0]["reason"] == "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    assert error["details"][0]["metadata"]["method"] == "calendar.v3.CalendarList.List"


def test_1_5_a_single_permission_has_no_box(simulator, fresh, walk) -> None:
    page = fresh.form(
        f"{simulator.base_url}/o/oauth2/v2/auth/step",
        {
            "request": fresh.authorization_url(scope=f"openid {EVENTS}").partition("?")[2],
            "account": ALICE,
        },
    )
    assert b'type="checkbox"' not in page.content
    callback = walk(fresh, scope=f"openid {EVENTS}", grant=[])
    assert EVENTS in fresh.exchange(callback["code"]).json["scope"]


def test_1_5_switch_nothing_ticked(simulator, fresh, walk) -> None:
    callback = walk(fresh, grant=[])
    assert set(fresh.exchange(callback["code"]).json["scope"].split()) == {"openid", EMAIL}
    simulator.switch(nothing_ticked="access_denied")
    assert walk(fresh, grant=[])["error"] == "access_denied"


def test_1_5_switch_boxes_empty_at_first_and_sign_in_on_its_own_page(
    simulator, fresh, walk
) -> None:
    simulator.switch(consent_preticked="off", separate_sign_in_page="on")
    form = {"request": fresh.authorization_url().partition("?")[2], "account": ALICE}
    step = f"{simulator.base_url}/o/oauth2/v2/auth/step"
    sign_in = fresh.form(step, form)
    assert b'type="checkbox"' not in sign_in.content
    permissions = fresh.form(step, {**form, "signed_in": "yes"})
    assert permissions.content.count(b'type="checkbox"') == 2
    assert b" checked" not in permissions.content
    assert "code" in walk(fresh)


def test_1_5_an_administrator_may_withhold_a_permission(simulator, fresh, walk) -> None:
    simulator.consent(ALICE, withhold=[EVENTS])
    callback = walk(fresh)
    assert EVENTS not in fresh.exchange(callback["code"]).json["scope"].split()


def test_1_2_a_missing_verifier_is_told_so(fresh, walk) -> None:
    reply = fresh.exchange(walk(fresh)["code"], code_verifier=None)
    assert reply.json == {
        "error": "invalid_grant",
        "error_description": "Missing code verifier.",
    }


@pytest.mark.parametrize(("setting", "status"), [("refused", 400), ("ignored", 200)])
def test_1_2_switch_a_verifier_that_was_not_announced(
    simulator, fresh, walk, setting, status
) -> None:
    simulator.switch(superfluous_verifier=setting)
    code = walk(fresh, code_challenge=None, code_challenge_method=None)["code"]
    reply = fresh.exchange(code)
    assert reply.status == status
    assert reply.json.get("error") == (None if status == 200 else "invalid_grant")


def test_1_2_switch_what_a_wrong_verifier_is_told(simulator, fresh, walk) -> None:
    for said in ("Invalid code verifier.", "Bad Request"):
        simulator.switch(pkce_description=said)
        reply = fresh.exchange(walk(fresh)["code"], code_verifier="wrong")
        assert reply.json["error_description"] == said


def test_1_2_another_account_is_asked_for_consent_as_well(simulator, fresh, walk) -> None:
    fresh.exchange(walk(fresh, account="bob@example.com")["code"])
    again = walk(fresh, account="bob@example.com", login_hint=ALICE, prompt="consent")
    assert "refresh_token" in fresh.exchange(again["code"]).json
