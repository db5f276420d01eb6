"""To Google and back: every way it can end, each with words of its own and nothing half-saved."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import connection
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkAttempt, LinkState, Revocation
from sophiie.google.app import EVENTS
from tests.linking import browser_of, come_back, consent_url, link, path_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_person_is_sent_to_google_with_what_the_job_needs(
    page: Client, google: RunningSimulator
) -> None:
    url = consent_url(page)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert url.startswith(google.base_url)
    assert set(query["scope"].split()) == {
        "openid",
        "email",
        "https://www.googleapis.com/auth/calendar.calendarlist.readonly",
        "https://www.googleapis.com/auth/calendar.events",
    }
    assert query["access_type"] == "offline"
    assert query["prompt"] == "consent"
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"].endswith("/integrations/google/callback")
    assert len(query["state"]) >= 32


def test_after_consent_the_calendars_are_shown_and_save_activates(
    page: Client, alice: Member, google: RunningSimulator
) -> None:
    shown = come_back(page, google).content.decode()
    assert "Choose a calendar" in shown
    assert "jobs-alice@group.calendar.google.com" in shown
    assert "code=" not in shown
    saved = page.post(
        "/settings/calendar/choose",
        {"calendar_id": "jobs-alice@group.calendar.google.com"},
        follow=True,
    ).content.decode()
    assert 'role="status"' in saved
    assert "synchronization is active" in saved
    assert "Jobs" in saved
    found = link_of(alice)
    assert found
    assert found.state == LinkState.ACTIVE
    assert found.google_email == "alice@example.com"


def test_the_callback_leads_to_a_clean_address(page: Client, google: RunningSimulator) -> None:
    back = google.authorize(consent_url(page), account="alice@example.com")
    answer = page.get(path_of(back))
    assert answer.status_code == 302
    assert answer["Location"] == "/settings/calendar"


@pytest.mark.parametrize(
    "calendar_id",
    ["", "nobody@example.com", "team@group.calendar.google.com", "x" * 5000],
    ids=["none", "unknown", "read-only", "absurd"],
)
def test_only_a_calendar_that_can_be_written_is_saved(
    page: Client, alice: Member, google: RunningSimulator, calendar_id: str
) -> None:
    come_back(page, google)
    answer = page.post("/settings/calendar/choose", {"calendar_id": calendar_id})
    assert answer.status_code == 422
    assert b'role="alert"' in answer.content
    assert b"Choose a calendar" in answer.content
    found = link_of(alice)
    assert found
    assert found.state == LinkState.CHOOSING


PROBLEM = "/settings/calendar/problem"


def problem(answer: Any) -> str:
    """What the page says to which a failed attempt leads: at an address without the answer."""
    assert answer.status_code == 400
    assert answer.redirect_chain[-1] == (PROBLEM, 302)
    return str(answer.content.decode())


def test_denied(page: Client, alice: Member, google: RunningSimulator) -> None:
    assert "You did not give permission" in problem(come_back(page, google, grant="deny"))
    assert link_of(alice) is None


@pytest.mark.parametrize("length", [80, 81, 3000])
def test_of_what_google_answers_no_more_is_shown_than_there_is_room_for(
    page: Client, google: RunningSimulator, length: int
) -> None:
    state = parse_qs(urlsplit(consent_url(page)).query)["state"][0]
    answer = {"state": state, "error": "x" * length}
    shown = problem(page.get("/integrations/google/callback", answer, follow=True))
    assert f"Google answered “{'x' * 80}”" in shown


def test_what_went_wrong_can_be_loaded_again_until_it_is_tried_again(
    page: Client, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    assert page.get(PROBLEM, follow=True).redirect_chain == [("/settings/calendar", 302)]
    shown = problem(come_back(page, google, grant="deny"))
    assert "Try again" in shown
    assert re.search(r'id="tab-calendar"[^>]* aria-selected="true"', shown)
    for _ in range(2):
        assert "You did not give permission" in page.get(PROBLEM).content.decode()
    assert "You did not give permission" not in page.get("/settings/calendar").content.decode()
    assert browser_of(bob).get(PROBLEM).status_code == 302  # nobody else's business
    come_back(page, google)
    assert page.get(PROBLEM)["Location"] == "/settings/calendar"


def test_an_unticked_permission_is_named_and_the_grant_given_back(
    page: Client, alice: Member, google: RunningSimulator
) -> None:
    text = problem(come_back(page, google, grant=[EVENTS]))
    assert "A permission is missing" in text
    assert "See the list of Google calendars" in text
    assert "View and edit events" not in text
    assert link_of(alice) is None
    assert google.calls(method="oauth.revoke")
    assert not Revocation.objects.exists()


def test_an_answer_works_once(page: Client, alice: Member, google: RunningSimulator) -> None:
    back = path_of(google.authorize(consent_url(page), account="alice@example.com"))
    assert page.get(back).status_code == 302
    page.post("/settings/calendar/cancel-linking")
    assert "used already" in problem(page.get(back, follow=True))
    assert link_of(alice) is None


def test_a_wrong_state_is_refused(page: Client, alice: Member, google: RunningSimulator) -> None:
    back = path_of(google.authorize(consent_url(page), account="alice@example.com"))
    forged = back.replace("state=", "state=x")
    assert "does not belong to you" in problem(page.get(forged, follow=True))
    assert "does not belong to you" in problem(
        page.get("/integrations/google/callback", follow=True)
    )
    assert link_of(alice) is None


def test_an_attempt_of_another_session_or_member_is_refused(
    page: Client, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """Else an attacker could hang their Google account on somebody else's profile."""
    back = path_of(google.authorize(consent_url(page), account="bob@example.com"))
    assert "does not belong to you" in problem(browser_of(bob).get(back, follow=True))
    assert "does not belong to you" in problem(browser_of(alice).get(back, follow=True))
    assert not CalendarLink.objects.exists()
    assert page.get(back).status_code == 302  # and its owner can still use it


def test_an_attempt_expires(page: Client, alice: Member, google: RunningSimulator) -> None:
    back = path_of(google.authorize(consent_url(page), account="alice@example.com"))
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=11)):
        assert "took too long" in problem(page.get(back, follow=True))
    assert link_of(alice) is None


@pytest.mark.parametrize(
    ("ahead", "is_kept"),
    [
        (timedelta(days=-1, minutes=-1), False),  # a day later nobody comes back
        (timedelta(days=-1, minutes=1), True),  # until then they are told that it expired
        (timedelta(minutes=10), True),
        (timedelta(minutes=12), False),  # none lasts so long: the clock was wrong
    ],
)
def test_attempts_of_before_are_forgotten(
    page: Client, google: RunningSimulator, ahead: timedelta, is_kept: bool
) -> None:
    consent_url(page)
    LinkAttempt.objects.update(expires_at=datetime.now(UTC) + ahead)
    consent_url(page)
    assert LinkAttempt.objects.count() == 1 + is_kept


def test_signed_out_on_the_way_back(page: Client, alice: Member, google: RunningSimulator) -> None:
    back = path_of(google.authorize(consent_url(page), account="alice@example.com"))
    answer = Client().get(back)
    assert answer.status_code == 302
    assert answer["Location"] == "/login"  # and the code is not passed on
    assert link_of(alice) is None


def test_no_refresh_token(page: Client, alice: Member, google: RunningSimulator) -> None:
    """Google leaves it out at will; a link of one hour would be a promise broken."""
    come_back(page, google)
    page.post("/settings/calendar/cancel-linking")
    url = consent_url(page).replace("access_type=offline", "access_type=online")
    back = google.authorize(url, account="alice@example.com")
    assert "no lasting permission" in problem(page.get(path_of(back), follow=True))
    assert link_of(alice) is None


def test_google_not_answering_at_the_exchange(
    page: Client, alice: Member, google: RunningSimulator
) -> None:
    back = path_of(google.authorize(consent_url(page), account="alice@example.com"))
    google.fault(method="oauth.token", kind="cut", when="before", count=1)
    assert "cannot be reached" in problem(page.get(back, follow=True))
    assert link_of(alice) is None


def test_wrong_credentials_of_the_installation(
    page: Client, alice: Member, google: RunningSimulator, settings: Any
) -> None:
    back = path_of(google.authorize(consent_url(page), account="alice@example.com"))
    settings.GOOGLE_CLIENT_SECRET = "wrong"
    assert "not set up correctly" in problem(page.get(back, follow=True))
    assert link_of(alice) is None


def test_without_credentials_nobody_is_sent_anywhere(page: Client, settings: Any) -> None:
    settings.GOOGLE_CLIENT_ID = ""
    assert "not set up correctly" in problem(page.post("/integrations/google/connect", follow=True))


def test_two_answers_at_once_make_one_link(
    page: Client, alice: Member, google: RunningSimulator
) -> None:
    first = path_of(google.authorize(consent_url(page), account="alice@example.com"))
    second = path_of(google.authorize(consent_url(page), account="alice@example.com"))
    assert page.get(first).status_code == 302
    assert page.get(second).status_code == 302
    assert CalendarLink.objects.filter(member=alice).count() == 1


def test_another_account_cannot_replace_a_living_link(
    page: Client, alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    text = problem(come_back(page, google, account="bob@example.com"))
    assert "another Google account" in text
    found = link_of(alice)
    assert found
    assert found.google_email == "alice@example.com"
    assert found.state == LinkState.ACTIVE


def test_choosing_another_account_before_save_gives_the_first_grant_back(
    page: Client, alice: Member, google: RunningSimulator
) -> None:
    come_back(page, google, account="bob@example.com")
    come_back(page, google, account="alice@example.com")
    found = link_of(alice)
    assert found
    assert found.google_email == "alice@example.com"
    assert Revocation.objects.count() == 1  # the worker's sweep carries it out
    come_back(page, google, account="alice@example.com")  # the same once more
    assert Revocation.objects.count() == 1


def test_secrets_are_ciphertext_in_the_database(
    page: Client, alice: Member, google: RunningSimulator
) -> None:
    consent_url(page)
    link(alice, google)
    found = link_of(alice)
    assert found is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_token, access_token FROM calendar_link_calendarlink")
        row = cursor.fetchone()
        cursor.execute("SELECT code_verifier FROM calendar_link_linkattempt")
        verifiers = [verifier for (verifier,) in cursor.fetchall()]
    assert found.refresh_token
    assert found.access_token
    assert found.refresh_token not in row[0]
    assert found.access_token not in row[1]
    plain = LinkAttempt.objects.values_list("code_verifier", flat=True)
    assert verifiers
    assert not set(plain) & set(verifiers)


def test_nothing_secret_is_logged(
    page: Client,
    alice: Member,
    google: RunningSimulator,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level("DEBUG"):
        link(alice, google)
    found = link_of(alice)
    assert found is not None
    # Ours are printed in tests; those of libraries are not.
    logged = caplog.text + capsys.readouterr().out
    assert "google account linked" in logged
    for secret in (found.refresh_token, found.access_token, google.client_secret, "code="):
        assert secret not in logged
