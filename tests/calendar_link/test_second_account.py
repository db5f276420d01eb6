"""A grant that is of no use is given back to Google, unless another link lives from it."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import Revocation
from tests.linking import browser_of, come_back, consent_url, link, path_of
from tests.mirroring import sweep_once

pytestmark = pytest.mark.django_db(transaction=True)


def revoked(google: RunningSimulator) -> int:
    return len(google.calls(method="oauth.revoke"))


def test_a_second_account_while_one_is_linked(alice: Member, google: RunningSimulator) -> None:
    before = link(alice, google)
    text = come_back(browser_of(alice), google, account="bob@example.com").content.decode()
    assert "another Google account" in text
    assert revoked(google) == 1
    assert not Revocation.objects.exists()
    kept = link_of(alice)
    assert kept is not None
    assert (kept.refresh_token, kept.google_email) == (before.refresh_token, "alice@example.com")


def test_a_second_account_that_a_colleague_lives_from(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    link(bob, google, account="bob@example.com")
    come_back(browser_of(alice), google, account="bob@example.com")
    assert revoked(google) == 0
    assert not Revocation.objects.exists()


def test_google_being_away_it_is_given_back_later(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google)
    google.fault(method="oauth.revoke", kind="error", status=503, count=1)
    come_back(browser_of(alice), google, account="bob@example.com")
    assert Revocation.objects.count() == 1
    Revocation.objects.update(next_attempt_at=found.created_at)
    sweep_once()
    assert not Revocation.objects.exists()


def test_a_grant_for_one_hour_only(alice: Member, google: RunningSimulator) -> None:
    page = browser_of(alice)
    url = consent_url(page).replace("access_type=offline", "access_type=online")
    back = google.authorize(url, account="alice@example.com")
    assert b"no lasting permission" in page.get(path_of(back), follow=True).content
    assert revoked(google) == 1
