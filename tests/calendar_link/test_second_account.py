"""A grant that is of no use is given back to Google, unless another link lives from it."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import LinkState, Revocation
from sophiie.calendar_link.problems import CALENDAR_GONE, GRANT_DEAD
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.common.reasons import Reason
from tests.linking import browser_of, come_back, consent_url, link, path_of
from tests.mirroring import read_one, sweep_once

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


@pytest.mark.parametrize("problem", [GRANT_DEAD, CALENDAR_GONE], ids=lambda reason: reason.code)
def test_mending_a_link_with_the_wrong_account(
    alice: Member, google: RunningSimulator, problem: Reason
) -> None:
    found = link(alice, google)
    mark_needs_reconnect(found.id, problem)
    text = come_back(browser_of(alice), google, account="bob@example.com").content.decode()
    assert "another Google account" in text
    assert revoked(google) == 1
    assert not Revocation.objects.exists()
    kept = link_of(alice)
    assert kept is not None
    assert (kept.state, kept.google_email) == (LinkState.NEEDS_RECONNECT, "alice@example.com")
    # The grant of her own account is as it was.
    come_back(browser_of(alice), google)
    kept.refresh_from_db()
    assert kept.state == LinkState.ACTIVE
    assert read_one(kept)


def test_a_grant_of_which_google_does_not_say_whose_it_is(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """The token endpoint has answered and the next call fails: nothing is left of it."""
    google.fault(method="oauth.userinfo", kind="error", status=503, count=1)
    assert b"cannot be reached" in come_back(browser_of(alice), google).content
    assert revoked(google) == 1
    # A colleague who lives from the same account keeps it.
    link(bob, google)
    google.fault(method="oauth.userinfo", kind="error", status=503, count=1)
    come_back(browser_of(alice), google)
    assert revoked(google) == 1
