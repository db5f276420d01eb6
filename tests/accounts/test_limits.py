"""How often somebody may do something: for all processes, never flushed, never a lock-out."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.core.internal.ratelimit import cache_lock
from django.core.cache import cache
from django.db import connection
from django.test import Client

from sophiie.accounts import sign_in
from sophiie.accounts.known_addresses import MOST, forget_old_addresses, note_address
from sophiie.accounts.limits import Limit, forget_full_buckets
from sophiie.accounts.models import Allowance, Attempts, KnownAddress, Member
from sophiie.accounts.tidying import forget_what_is_over
from tests.conftest import PASSWORD
from tests.mails import mailed_link

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
THREE = Limit(name="three", amount=3, seconds=60)
HOME, STRANGER = "203.0.113.7", "198.51.100.9"


def at_once(count: int, act: Any) -> list[Any]:
    """What `count` threads answer that do the same at the same moment."""
    start, answers = threading.Barrier(count), []

    def work() -> None:
        try:
            start.wait()
            answers.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db
def test_a_bucket_fills_evenly_and_never_over_its_rim() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        assert [THREE.take("a") for _ in range(3)] == [0.0] * 3
        assert THREE.take("a") == pytest.approx(20)
        assert THREE.take("b") == 0
        clock.shift(15)
        assert THREE.take("a") == pytest.approx(5)
        clock.shift(5)
        assert THREE.take("a") == 0
        clock.shift(3600)
        assert [THREE.take("a") == 0 for _ in range(4)] == [True, True, True, False]
        THREE.give_back("a")
        assert THREE.take("a") == 0
        assert THREE.take("c", units=3) == 0
        assert THREE.take("c") > 0


@pytest.mark.django_db
def test_only_a_full_bucket_is_forgotten() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        THREE.take("a")
        THREE.take("b")
        THREE.take("b")
        assert forget_full_buckets() == 0
        clock.shift(30)
        assert forget_full_buckets() == 1
        assert Allowance.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_get_something_than_there_is() -> None:
    limit = Limit(name="slow", amount=3, seconds=360_000)
    assert at_once(12, lambda: limit.take("a")).count(0.0) == 3


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_has_the_lock_of_the_sign_in_library() -> None:
    assert at_once(8, lambda: cache.add("lock", True, timeout=10)).count(True) == 1
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1)):  # who had it was killed
        assert at_once(8, lambda: cache.add("lock", True, timeout=10)).count(True) == 1


@pytest.mark.django_db
def test_the_cache_keeps_its_promises() -> None:
    with time_machine.travel(NOON, tick=False) as clock, cache_lock("k") as locked:
        assert locked
        assert cache.get("k", []) == []
        cache.set("k", [1.5, 2.5], 60)
        assert cache.get("k") == [1.5, 2.5]
        assert not cache.add("k", [], 60)
        clock.shift(61)
        assert cache.get("k") is None
        assert cache.add("k", [3], None)
        assert cache.delete("k")
        assert not cache.delete("k")
    assert not Attempts.objects.exists()


@pytest.mark.django_db
def test_nothing_is_cleared_to_make_room() -> None:
    """330 other entries flushed everybody's limits."""
    cache.set("mine", [1.0], 3600)
    for number in range(400):
        cache.set(str(number), [1.0], 60)
    assert cache.get("mine") == [1.0]
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        forget_what_is_over()
        assert cache.get("mine") == [1.0]
    assert Attempts.objects.count() == 1


def signs_in(member: Member, address: str, password: str = PASSWORD) -> bool:
    """Whether this password lets in from this address."""
    sent = {"login": member.email, "password": password}
    return Client(REMOTE_ADDR=address).post("/login", sent).status_code == 302


def test_ten_failures_slow_down_their_own_address_and_nobody_else(
    alice: Member, bob: Member
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(10):
            assert not signs_in(alice, STRANGER, "wrong")
        assert not signs_in(alice, STRANGER)
        assert signs_in(alice, HOME)
        assert signs_in(bob, STRANGER)
        clock.shift(31)  # slowed down, not locked out
        assert signs_in(alice, STRANGER)


def test_a_whole_network_is_one_address(alice: Member) -> None:
    for number in range(10):
        signs_in(alice, f"2001:db8:0:1::{number:x}", "wrong")
    assert not signs_in(alice, "2001:db8:0:1:ffff::1")
    assert signs_in(alice, "2001:db8:0:2::1")
    for _ in range(10):  # but not all of IPv4
        signs_in(alice, f"::ffff:{STRANGER}", "wrong")
    assert not signs_in(alice, STRANGER)
    assert signs_in(alice, f"::ffff:{HOME}")


def test_right_passwords_do_not_count_as_failures(alice: Member) -> None:
    assert all(signs_in(alice, HOME) for _ in range(25))


def test_guesses_between_right_passwords_count(alice: Member, bob: Member) -> None:
    """Whoever has an account of their own gets no more guesses at another."""
    for _ in range(10):
        signs_in(alice, STRANGER, "wrong")
        signs_in(bob, STRANGER)
    assert not signs_in(alice, STRANGER)


def test_many_addresses_are_braked_but_the_owner_is_not_where_they_are_known(
    alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert signs_in(alice, HOME)
    few = Limit(name="anywhere", amount=6, seconds=3600)
    monkeypatch.setattr(sign_in, "FROM_ANYWHERE", few)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        for number in range(8):
            signs_in(alice, f"198.51.100.{number}", "wrong")
        assert not signs_in(alice, "198.51.100.200")
        assert not signs_in(alice, HOME, "wrong")
        assert signs_in(alice, HOME)
        clock.shift(601)
        assert signs_in(alice, "198.51.100.200")  # slowed down, not locked out


def test_who_resets_the_password_is_known_where_they_did(
    alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "FROM_ANYWHERE", Limit(name="any", amount=1, seconds=3600))
    signs_in(alice, STRANGER, "wrong")
    assert not signs_in(alice, HOME)
    browser, new = Client(REMOTE_ADDR=HOME), "a quite different phrase"
    browser.post("/password/reset", {"email": alice.email})
    where = browser.get(mailed_link(), follow=True).redirect_chain[-1][0]
    browser.post(where, {"password1": new, "password2": new})
    assert signs_in(alice, HOME, new)
    assert not signs_in(alice, "203.0.113.8", new)


def test_the_brake_tells_nobody_which_accounts_there_are(
    alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "FROM_ANYWHERE", Limit(name="any", amount=2, seconds=3600))

    def answers(email: str) -> list[str]:
        sent = {"login": email, "password": "wrong"}
        said = [Client(REMOTE_ADDR=f"198.51.100.{n}").post("/login", sent) for n in range(3)]
        return ["Too many" in answer.content.decode() for answer in said]

    assert answers("alice@example.com") == answers("nobody@example.com") == [False, False, True]


def test_another_host_name_is_no_way_around(alice: Member, settings: Any) -> None:
    sent = {"login": alice.email, "password": "wrong"}
    for number in range(10):
        Client().post("/login", sent, headers={"Host": ("localhost", "127.0.0.1")[number % 2]})
    answer = Client().post("/login", {**sent, "password": PASSWORD}, headers={"Host": "[::1]"})
    assert "Too many" in answer.content.decode()


def test_known_addresses_are_few_old_ones_go_and_none_can_be_read(alice: Member, rf: Any) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(MOST + 5):
            note_address(rf.get("/", REMOTE_ADDR=f"203.0.113.{number}"), alice)
            clock.shift(1)
        assert KnownAddress.objects.count() == MOST
        assert "203.0.113" not in str(list(KnownAddress.objects.values()))
        clock.shift(timedelta(days=181))
        assert forget_old_addresses() == MOST
