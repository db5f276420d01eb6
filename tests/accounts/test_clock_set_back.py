"""The server's clock was ahead and is set back: nobody stays locked out, no mail stays behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client

from sophiie.accounts.attempts import forget_old_attempts
from sophiie.accounts.invitations import GOOD_FOR, invitation_of, invite, link_secret
from sophiie.accounts.limits import Limit, forget_full_buckets
from sophiie.accounts.mail import post
from sophiie.accounts.mail_sending import send_due
from sophiie.accounts.models import Allowance, Attempts, MailKind, Member
from sophiie.accounts.tidying import forget_what_is_over
from sophiie.common.clock import now
from tests.clock_jumps import ahead_of_time, by_a_wrong_clock
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

THREE = Limit(name="three", amount=3, seconds=60)


@ahead_of_time
def test_an_empty_bucket_of_a_wrong_clock_is_a_full_one(off: timedelta) -> None:
    with by_a_wrong_clock(off):
        assert [THREE.take("a") == 0 for _ in range(4)] == [True, True, True, False]
    assert [THREE.take("a") == 0 for _ in range(4)] == [True, True, True, False]


@ahead_of_time
def test_whoever_failed_to_sign_in_by_a_wrong_clock_is_not_locked_out(
    alice: Member, off: timedelta
) -> None:
    sent = {"login": alice.email, "password": "a wrong one"}
    with by_a_wrong_clock(off):
        for _ in range(12):
            Client(REMOTE_ADDR="192.0.2.7").post("/login", sent)
    sent["password"] = PASSWORD
    assert Client(REMOTE_ADDR="192.0.2.7").post("/login", sent).status_code == 302


@ahead_of_time
def test_counts_and_locks_of_the_sign_in_library(off: timedelta) -> None:
    with by_a_wrong_clock(off):
        cache.set("counts", [now().timestamp()], 3600)
        assert cache.add("counts:lock", True, timeout=10)
    earlier = now().timestamp()
    assert cache.get("counts") == []
    cache.set("counts", [earlier], 3600)
    assert cache.get("counts") == [earlier]
    assert cache.add("counts:lock", True, timeout=10)
    assert not cache.add("counts:lock", True, timeout=10)


def test_rows_of_a_wrong_clock_do_not_stay_for_a_year() -> None:
    with by_a_wrong_clock(timedelta(days=365)):
        cache.set("counts", [1.0], 3600)
        THREE.take("a")
    cache.set("for ever", [1.0], None)
    assert (forget_old_attempts(), forget_full_buckets()) == (1, 1)
    assert Attempts.objects.count() == 1
    assert not Allowance.objects.exists()


@ahead_of_time
def test_a_mail_that_was_posted_by_a_wrong_clock_leaves_at_once(
    alice: Member, off: timedelta, mailoutbox: list[object]
) -> None:
    with by_a_wrong_clock(off):
        post(MailKind.RESET, to=alice.email)
    assert send_due() == 1
    assert send_due() == 0


@ahead_of_time
def test_an_invitation_is_good_for_a_week_from_now_at_most(alice: Member, off: timedelta) -> None:
    with by_a_wrong_clock(off):
        invitation = invite(by=alice, email="new@example.com", role="member")
        secret = link_secret(invitation)
    assert invitation_of(secret) is not None
    forget_what_is_over()
    found = invitation_of(secret)
    assert found is not None
    assert found.expires_at <= now() + GOOD_FOR + timedelta(minutes=1)


@ahead_of_time
def test_a_session_lasts_no_longer_than_one_that_begins_now(
    alice: Member, off: timedelta, settings: object
) -> None:
    with by_a_wrong_clock(off):
        page = Client()
        page.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    forget_what_is_over()
    assert page.get("/settings/profile").status_code == 200
    lasts = timedelta(seconds=settings.SESSION_COOKIE_AGE)  # type: ignore[attr-defined]
    assert Session.objects.get().expire_date <= now() + lasts + timedelta(minutes=1)
