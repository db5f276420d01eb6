"""Open pages: many of them cost the others nothing, and they end when their session does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from playwright.sync_api import expect

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, deactivate
from sophiie.accounts.sessions import SignedIn, still_signed_in, who_is_signed_in
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.common.direct import direct_parameters
from sophiie.web.serving import hub as hubs
from sophiie.web.serving.hub import GAP, Hub
from tests.browser import browser_page
from tests.conftest import PASSWORD
from tests.hostile.wire import Wire, got, wire
from tests.linking import browser_of
from tests.processes import until
from tests.site import elsewhere, open_and_listen, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

NAME = settings.SESSION_COOKIE_NAME


@pytest.fixture(scope="module", autouse=True)
def _quick_looks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hubs, "LOOK_SECONDS", 0.2)
        yield


@pytest.fixture(autouse=True)
def _all_end() -> Iterator[None]:
    yield
    until(lambda: not hubs.hub._streams, what="every stream has ended")


def cookie(client: Client) -> str:
    return f"{NAME}={client.cookies[NAME].value}"


def ask_for_stream(connection: Wire, client: Client) -> int:
    connection.ask("/live", Cookie=cookie(client))
    return connection.status()


@contextmanager
def listening(site: str, client: Client) -> Iterator[Wire]:
    """A page of the person who is signed in there, whose stream is open."""
    with wire(site) as connection:
        assert ask_for_stream(connection, client) == 200
        connection.until(b"retry: 2000\n\n")
        yield connection


def people(owner: Member, number: int) -> list[Member]:
    return [
        add_member(
            business=owner.business,
            email=f"bob{n}@example.com",
            name=f"Bob {n}",
            role="member",
            password=None,
        )
        for n in range(number)
    ]


def held_connections() -> int:
    pool = connection.pool.get_stats()  # type: ignore[attr-defined]
    return int(pool["pool_size"] - pool["pool_available"])


def test_open_pages_keep_no_connection_and_no_thread(site: str, alice: Member) -> None:
    clients = [browser_of(member) for member in people(alice, 3)]
    most = hubs.MAX_OF_A_MEMBER
    before = threading.active_count()
    with ExitStack() as stack:
        for client in clients:
            for _ in range(most):
                stack.enter_context(listening(site, client))
        statuses = [got(site, "/calendar", Cookie=cookie(clients[0]))[0] for _ in range(5)]
        assert statuses == [200] * 5
        # A request gives its connection back a moment after the answer. One is this test's own.
        until(lambda: held_connections() <= 1, what="no stream holds a connection")
        assert threading.active_count() - before < 3 * most


def test_each_page_of_a_business_hears_of_a_change(
    site: str, alice: Member, bob: Member, charlie: Member
) -> None:
    changed = uuid4()
    with (
        listening(site, browser_of(alice)) as first,
        listening(site, browser_of(bob)) as second,
        listening(site, browser_of(charlie)) as other,
    ):
        live.announce(alice.business_id, appointment=changed)
        live.announce(charlie.business_id, appointment="theirs")
        assert str(changed).encode() in first.until(b"}\n\n")
        assert str(changed).encode() in second.until(b"}\n\n")
        assert b"theirs" in other.until(b"}\n\n")


# -- bounds ----------------------------------------------------------------------------------------


def test_a_member_has_only_so_many_streams(
    site: str, alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "MAX_OF_A_MEMBER", 2)
    page = browser_of(alice)
    with listening(site, page), wire(site) as one_too_many:
        with listening(site, browser_of(alice)):
            assert ask_for_stream(one_too_many, page) == 503
            assert "retry-after: 30" in one_too_many.head.lower()
            assert got_head(site, page) == 503  # as the page asks for the reason
            with listening(site, browser_of(bob)):
                pass  # others have room
        until(lambda: got_head(site, page) == 204, what="there is room again")
        with listening(site, page):
            pass


def got_head(site: str, client: Client) -> int:
    with wire(site) as connection:
        connection.ask("/live", "HEAD", Cookie=cookie(client))
        return connection.status()


def test_a_process_has_only_so_many_streams(
    site: str, alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "MAX_STREAMS", 1)
    with listening(site, browser_of(alice)), wire(site) as one_too_many:
        assert ask_for_stream(one_too_many, browser_of(bob)) == 503


@pytest.mark.parametrize("key", ["", "nobody", "a" * 32, '"\\000aaaaaaaa"', "x" * 5000])
def test_nobody_listens_who_is_not_signed_in(site: str, alice: Member, key: str) -> None:
    with wire(site) as connection:
        connection.ask("/live", Cookie=f"{NAME}={key}")
        assert connection.status() == 401


def test_a_page_without_room_asks_now_and_then(
    site: str, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No word of a lost connection, and what changed is there all the same."""
    monkeypatch.setattr(hubs, "MAX_STREAMS", 0)
    Member.objects.filter(pk=alice.pk).update(first_steps_done_at=now())
    asked: list[str] = []
    with browser_page() as page:
        page.clock.install()
        sign_in(page, site, alice)
        page.on("request", lambda request: asked.append(request.url))
        with page.expect_response("**/live") as refused:
            page.goto(f"{site}/calendar")
        assert refused.value.status == 503
        page.wait_for_selector("[aria-busy=false]")
        page.clock.run_for(10_000)
        asked.clear()
        with page.expect_response("**/calendar/feed?*"):
            page.clock.run_for(60_000)
        streams = [url for url in asked if url.endswith("/live")]
        assert 1 <= len(streams) <= 6  # with each the question why it was refused
        expect(page.locator("body > .offline-notice")).to_have_count(0)


# -- ends ------------------------------------------------------------------------------------------


def signs_out(page: Client, _: Member) -> None:
    page.post("/logout")


def gets_a_new_password(_: Client, member: Member) -> None:
    other = browser_of(member)
    words = {
        "oldpassword": PASSWORD,
        "password1": "quite another 1",
        "password2": "quite another 1",
    }
    answer = other.post("/password/change", words)
    assert answer.status_code == 302, answer.content


def is_deactivated(_: Client, member: Member) -> None:
    deactivate(Member.objects.get(email="alice@example.com"), member)


def loses_the_session(page: Client, _: Member) -> None:
    Session.objects.filter(session_key=page.cookies[NAME].value).delete()


def stays_for_too_long(page: Client, _: Member) -> None:
    ended = Session.objects.filter(session_key=page.cookies[NAME].value)
    ended.update(expire_date=now() - timedelta(seconds=1))


def is_given_a_password_by_hand(_: Client, member: Member) -> None:
    Member.objects.filter(pk=member.pk).update(password="something else")


ENDS = [
    signs_out,
    gets_a_new_password,
    is_deactivated,
    loses_the_session,
    stays_for_too_long,
    is_given_a_password_by_hand,
]


def ends(site: str, act: Callable[[Client, Member], None], bob: Member) -> None:
    page = browser_of(bob)
    with listening(site, page) as stream:
        act(page, bob)
        assert stream.is_ended_stream()
    assert got_head(site, page) == 401


@pytest.mark.parametrize("act", ENDS, ids=lambda act: act.__name__)
def test_a_stream_ends_with_its_session(
    site: str, alice: Member, bob: Member, act: Callable[[Client, Member], None]
) -> None:
    ends(site, act, bob)


@pytest.mark.parametrize("act", [signs_out, is_deactivated], ids=lambda act: act.__name__)
def test_an_end_that_is_announced_needs_no_look(
    site: str, bob: Member, monkeypatch: pytest.MonkeyPatch, act: Callable[[Client, Member], None]
) -> None:
    monkeypatch.setattr(hubs, "still_signed_in", set)
    ends(site, act, bob)


async def test_a_new_password_is_a_reason_to_look_at_once(bob: Member) -> None:
    def heard() -> list[str]:
        with psycopg.connect(**direct_parameters(), autocommit=True) as listener:
            listener.execute(f"LISTEN {live.CHANNEL}")
            gets_a_new_password(Client(), bob)
            return [n.payload for n in listener.notifies(timeout=20, stop_after=1)]

    payloads = await sync_to_async(heard)()
    hub = Hub()
    with hub.opened(SignedIn("key", bob.pk, bob.business_id, "")):
        for payload in payloads:
            hub.pass_on(payload)
        assert hub._doubt.is_set()


@pytest.mark.parametrize("act", ENDS[:3], ids=lambda act: act.__name__)
def test_an_end_is_noticed_when_the_announcement_is_lost(
    site: str, bob: Member, monkeypatch: pytest.MonkeyPatch, act: Callable[[Client, Member], None]
) -> None:
    monkeypatch.setattr(hubs.hub, "pass_on", lambda _: None)
    ends(site, act, bob)


def test_signing_out_ends_only_this_browser(site: str, alice: Member) -> None:
    here, there = browser_of(alice), browser_of(alice)
    with listening(site, here) as ended, listening(site, there) as other:
        here.post("/logout")
        assert ended.is_ended_stream()
        live.announce(alice.business_id, appointment="still heard")
        heard = other.until(b"still heard")
    assert b"session" not in heard  # whose ended is nobody's business


def test_all_open_pages_are_looked_at_in_one_statement(
    alice: Member, bob: Member, django_assert_num_queries: Any
) -> None:
    keys = [browser_of(member).cookies[NAME].value for member in (alice, bob, alice, bob)]
    sessions = {who_is_signed_in(key) for key in keys} - {None}
    assert len(sessions) == 4
    Session.objects.filter(session_key=keys[0]).delete()
    with django_assert_num_queries(0):  # by Django: it is a statement of our own
        held = still_signed_in([s for s in sessions if s])
    assert {session.key for session in held} == set(keys[1:])


# -- what is missed --------------------------------------------------------------------------------


async def test_who_does_not_keep_up_costs_no_memory_and_asks_for_everything() -> None:
    hub, business = Hub(), uuid4()
    with hub.opened(SignedIn("key", uuid4(), business, "")) as stream:
        for number in range(10_000):
            stream.tell(b"data: %d\n\n" % number)
        assert len(stream._lines) <= hubs.MAX_WAITING
        assert (await stream.news()).startswith(GAP)


async def test_what_is_announced_many_times_is_told_once() -> None:
    hub, business = Hub(), uuid4()
    with hub.opened(SignedIn("key", uuid4(), business, "")) as stream:
        for _ in range(50):
            hub.pass_on(f'{{"business": "{business}", "link": "a"}}')
        assert await stream.news() == b'data: {"link": "a"}\n\n'


async def test_it_is_known_how_long_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(monotonic=lambda: 100.0)
    monkeypatch.setattr(hubs, "time", clock)
    monkeypatch.setattr(hubs, "MAX_REMEMBERED", 2)
    hub, mine, theirs, third = Hub(), uuid4(), uuid4(), uuid4()
    clock.monotonic = lambda: 107.0
    assert hub.seconds_since_a_change(mine) == 7  # no longer than it has listened
    hub.pass_on(f'{{"business": "{mine}", "appointment": "a"}}')
    clock.monotonic = lambda: 109.0
    hub.pass_on(f'{{"business": "{theirs}", "gap": true}}')
    hub.pass_on(f'{{"business": "{mine}", "session_ended": "a"}}')  # changes nothing on a page
    assert (hub.seconds_since_a_change(mine), hub.seconds_since_a_change(theirs)) == (2, 0)
    assert hub.seconds_since_a_change(third) == 9
    clock.monotonic = lambda: 110.0
    hub.pass_on(f'{{"business": "{third}", "appointment": "a"}}')  # one more than it can remember
    assert [hub.seconds_since_a_change(one) for one in (mine, theirs, third)] == [0, 0, 0]


def test_a_page_that_is_newer_than_the_last_change_asks_nothing_again(
    site: str, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    Member.objects.filter(pk=alice.pk).update(first_steps_done_at=now())
    with listening(site, browser_of(alice)), browser_page() as page:
        monkeypatch.setattr(hubs.hub, "_knows_all_since", time.monotonic() - 3600)
        page.add_init_script(
            "window.gaps = 0; document.addEventListener('sophiie:gap', () => gaps++)"
        )
        sign_in(page, site, alice)
        open_and_listen(page, f"{site}/calendar")
        page.wait_for_selector("[aria-busy=false]")
        with page.expect_response("**/calendar/feed?*"):
            elsewhere(lambda: live.announce(alice.business_id, appointment=uuid4()))
        assert page.evaluate("gaps") == 0


def test_a_lost_connection_to_the_database_is_a_gap(site: str, alice: Member) -> None:
    with listening(site, browser_of(alice)) as page:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            )
        assert page.until(GAP)
        live.announce(alice.business_id, appointment="heard again")
        assert page.until(b"heard again")


def test_an_open_page_hears_of_the_gap(site: str, alice: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(first_steps_done_at=now())
    with browser_page() as page:
        sign_in(page, site, alice)
        open_and_listen(page, f"{site}/calendar")
        page.wait_for_selector("[aria-busy=false]")
        with page.expect_response("**/calendar/feed?*"):
            elsewhere(lambda: live.announce(alice.business_id, gap=True))
