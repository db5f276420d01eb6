"""google-auth-library of Node.js against the simulator: a grant from its consent to its end.

The acts stand in `node/sign_in.mjs`; one process does them all.
"""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from tests.google_simulator.node_acts import Acts, run_acts

ALICE = "alice@example.com"
HOUR = 3600


@pytest.fixture(scope="module")
def acts(one_simulator: RunningSimulator) -> Acts:
    one_simulator.quotas(enabled=True, per_user=600, per_project=10_000)
    one_simulator.reset("calendars")
    return run_acts("sign_in.mjs", one_simulator, ALICE)


@pytest.fixture
def subject(one_simulator: RunningSimulator) -> str:
    (alice,) = [one for one in one_simulator.accounts() if one["email"] == ALICE]
    return str(alice["sub"])


def test_a_code_is_exchanged_with_pkce(acts: Acts) -> None:
    act = acts["exchange"]
    assert act["state"] == "a/state?"
    assert set(act["tokens"]) == {
        *("access_token", "refresh_token", "id_token", "scope", "token_type", "expiry_date")
    }
    assert act["tokens"]["expiry_date"] / 1000 == pytest.approx(act["now"] / 1000 + HOUR, abs=60)


@pytest.mark.parametrize(
    ("attempt", "description"),
    [
        ("wrong", "Invalid code verifier."),
        ("missing", "Missing code verifier."),
        ("again", "Bad Request"),
    ],
)
def test_a_refused_exchange_says_why(acts: Acts, attempt: str, description: str) -> None:
    refused = acts["exchange"][attempt]
    assert (refused["message"], refused["status"]) == ("invalid_grant", 400)
    assert refused["data"] == {"error": "invalid_grant", "error_description": description}


def test_a_client_may_name_itself_by_basic_credentials(acts: Acts) -> None:
    assert "refresh_token" in acts["basicCredentials"]


def test_an_id_token_is_verified_by_our_certificates(
    acts: Acts, one_simulator: RunningSimulator, subject: str
) -> None:
    act = acts["verifyIdToken"]
    assert act["id"] == subject
    claims = act["claims"]
    assert (claims["sub"], claims["email"], claims["nonce"]) == (subject, ALICE, "a-nonce")
    assert claims["aud"] == claims["azp"] == one_simulator.client_id
    assert act["stranger"]["message"].startswith("Wrong recipient")
    assert act["forged"]["message"].startswith("Invalid token signature")


def test_the_certificates_are_read_once_and_kept(acts: Acts) -> None:
    assert acts["verifyIdToken"]["readings"] == 1


def test_token_info_tells_scopes_and_person(
    acts: Acts, one_simulator: RunningSimulator, subject: str
) -> None:
    act = acts["getTokenInfo"]
    info = act["info"]
    assert "https://www.googleapis.com/auth/calendar" in info["scopes"]
    assert (info["aud"], info["sub"], info["email"]) == (one_simulator.client_id, subject, ALICE)
    assert info["expiry_date"] / 1000 == pytest.approx(act["now"] / 1000 + HOUR, abs=60)
    for no_access_token in ("unknown", "refreshToken"):
        assert act[no_access_token]["status"] == 400
        assert act[no_access_token]["data"]["error"] == "invalid_token"


def test_userinfo_names_the_person(acts: Acts, subject: str) -> None:
    assert acts["userinfo"] == {"sub": subject, "email": ALICE, "email_verified": True}


def test_calls_at_once_share_one_refresh(acts: Acts) -> None:
    act = acts["refresh"]
    assert act["isNew"]
    assert act["refreshes"] == 1
    (told,) = act["heard"]
    assert {"access_token", "expiry_date", "scope"} <= set(told)


def test_a_refused_token_is_refreshed_and_the_call_repeated(acts: Acts) -> None:
    assert acts["refreshAfterARefusal"] == {
        "status": 200,
        "calls": [
            ["calendar.calendarList.list", 401],
            ["oauth.refresh", 200],
            ["calendar.calendarList.list", 200],
        ],
    }


def test_a_refused_refresh_says_why(acts: Acts) -> None:
    revoked, reauth = acts["refused"]["revoked"], acts["refused"]["reauth"]
    assert (revoked["message"], revoked["status"]) == ("invalid_grant", 400)
    assert revoked["data"]["error_description"] == "Token has been expired or revoked."
    # The library looks for `reauth` in the description and then shows the whole answer.
    assert "invalid_rapt" in reauth["message"]


def test_revoking_ends_the_grant(acts: Acts) -> None:
    act = acts["revoke"]
    assert act["status"] == 200
    assert act["afterwards"]["message"] == "invalid_grant"
    assert act["again"]["data"]["error"] == "invalid_token"
