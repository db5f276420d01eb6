"""Clients that send slowly, too much, or nothing, and clients that do not read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import psutil
import pytest

from sophiie.ops import connections
from sophiie.web.serving import whole_requests
from sophiie.web.serving.whole_requests import THREADS, WholeRequests
from tests.hostile.wire import got, wire, wires
from tests.processes import Demo, until
from tests.site import running_site

PAGE = "/help/google-calendar"
MEGABYTE = 1_000_000


# The pages that are asked for here need no database.


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.2)


# -- bodies ----------------------------------------------------------------------------------------


def test_a_real_process_answers_whatever_others_leave_half_done(product: Demo) -> None:
    before = len(product.output)
    with wires(product.url, 500) as idle, wires(product.url, 60) as slow:
        for connection in idle[:250]:
            connection.send("GET /login HTTP/1.1\r\nHost: loc")
        for connection in slow:
            connection.ask("/login", "POST", "l", Content_Length="500")
        assert got(product.url, "/healthz") == (200, b"ok\n")
        assert got(product.url, "/login")[0] == 200
        assert got(product.url, "/readyz")[0] == 200
    assert '"level": "error"' not in product.output[before:]


def test_slow_bodies_take_no_thread(site: str) -> None:
    with wires(site, 3 * THREADS) as slow:
        for connection in slow:
            connection.ask("/login", "POST", "l", Content_Length="500")
        assert got(site, PAGE)[0] == 200


def test_a_body_that_does_not_come_is_not_waited_for(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_requests, "BODY_SECONDS", 0.2)
    with wire(site) as connection:
        connection.ask("/login", "POST", "l", Content_Length="500", Accept_Language="de")
        status, page = connection.answer()
        assert status == 408
        assert b"Das Senden hat zu lange gedauert" in page


@pytest.mark.parametrize(
    "said",
    [{"Content_Length": "60000000"}, {"Content_Length": "60000000", "Expect": "100-continue"}],
    ids=["length", "asks first"],
)
def test_a_body_that_says_it_is_too_large_is_not_read(site: str, said: dict[str, str]) -> None:
    with wire(site) as connection:
        connection.ask("/login", "POST", **said)
        assert connection.answer()[0] == 413  # nothing of it was sent


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "multipart"])
def test_a_large_body_is_refused_early_and_kept_by_nobody(site: str, chunked: bool) -> None:
    before = psutil.Process().memory_info().rss
    piece = b"x" * MEGABYTE
    length = {"Transfer_Encoding": "chunked"} if chunked else {"Content_Length": str(60 * MEGABYTE)}
    with wire(site) as connection:
        connection.ask("/login", "POST", Content_Type="multipart/form-data; boundary=b", **length)
        for _ in range(60):
            connection.send(b"f4240\r\n" + piece + b"\r\n" if chunked else piece)
        if chunked:
            connection.send("0\r\n\r\n")
        assert connection.answer()[0] == 413
        connection.ask("/healthz")  # what came after all was thrown away
        assert connection.answer() == (200, b"ok\n")
    assert psutil.Process().memory_info().rss - before < 20 * MEGABYTE


def test_the_api_says_so_as_a_problem(site: str) -> None:
    with wire(site) as connection:
        connection.ask("/api/v1/appointments", "POST", Content_Length="1000001")
        status, problem = connection.answer()
    assert status == 413
    assert "application/problem+json" in connection.head
    assert b"larger than one megabyte" in problem


def test_all_bodies_together_have_a_bound(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_requests, "MAX_BODIES", 10_000)
    with wires(site, 2) as (first, second):
        first.ask("/login", "POST", "x" * 9_000, Content_Length="9500")
        # The first must have arrived: it is answered once its rest is there.
        until(lambda: _is_refused(second), what="the second body is one too many")
        first.send("x" * 500)
        assert first.answer()[0] == 403
        assert got(site, PAGE)[0] == 200


def _is_refused(connection: Any) -> bool:
    connection.ask("/login", "POST", "x" * 2_000, Content_Length="2000")
    status = connection.answer()[0]
    assert status in (403, 503)
    return bool(status == 503 and "retry-after: 5" in connection.head.lower())


@pytest.mark.parametrize("expect", [False, True], ids=["plain", "asks first"])
def test_a_body_in_chunks_arrives(site: str, expect: bool) -> None:
    with wire(site) as connection:
        said = {"Expect": "100-continue"} if expect else {}
        kind = {"Content_Type": "application/json", "Transfer_Encoding": "chunked"}
        connection.ask("/api/v1/appointments", "POST", **kind, **said)
        if expect:
            assert connection.status() == 100
        connection.send("2\r\n{}\r\n0\r\n\r\n")
        assert connection.answer()[0] == 401  # who asks is looked at when all of it is there


# -- heads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_one", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("one_header", [False, True], ids=["many headers", "one header"])
def test_endless_heads_are_refused_early(site: str, one_header: bool, after_one: bool) -> None:
    before = psutil.Process().memory_info().rss
    with wire(site) as connection:
        if after_one:
            connection.ask("/healthz")
            assert connection.answer()[0] == 200
        connection.send("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        piece = b"a" * 1000 + (b"" if one_header else b"\r\nX-A: ")
        try:
            for _ in range(120):
                connection.send(piece * 1000)
        except OSError:
            pass  # cut off
        assert connection.status() == 431
        assert connection.is_ended()
    assert psutil.Process().memory_info().rss - before < 20 * MEGABYTE


@pytest.mark.parametrize("one_header", [False, True], ids=["many headers", "one header"])
def test_what_follows_a_body_has_an_end_too(site: str, one_header: bool) -> None:
    before = psutil.Process().memory_info().rss
    piece = b"a" * 1000 + (b"" if one_header else b"\r\nX-A: ")
    with wire(site) as connection:
        connection.ask("/login", "POST", Transfer_Encoding="chunked")
        connection.send("1\r\nx\r\n0\r\nX-A: ")
        with suppress(OSError):  # cut off
            for _ in range(60):
                connection.send(piece * 1000)
        assert connection.status() == 431
        assert connection.is_ended()
    assert psutil.Process().memory_info().rss - before < 30 * MEGABYTE


def test_a_whole_head_that_is_too_large_is_refused(site: str) -> None:
    with wire(site) as connection:
        connection.ask("/healthz", X_A="a" * connections.MAX_HEAD_BYTES)
        assert connection.status() == 431
        assert connection.is_ended()


SILENCES: dict[str, Callable[[Any], None]] = {
    "nothing": lambda _: None,
    "half a head": lambda connection: connection.send("GET /healthz HTTP/1.1\r\nHo"),
    "half a head after a request": lambda connection: (
        connection.ask("/healthz"),
        connection.answer(),
        connection.send("GET /he"),
    )[0],
    "empty lines after a request": lambda connection: (
        connection.ask("/healthz"),
        connection.answer(),
        connection.send("\r\n\r\n"),
    )[0],
    "a refused body": lambda connection: (
        connection.ask("/login", "POST", "x", Content_Length="60000000"),
        connection.answer(),
        connection.send("x"),
    )[0],
}


@pytest.mark.parametrize("act", SILENCES.values(), ids=SILENCES.keys())
def test_who_sends_no_whole_head_is_cut_off(
    site: str, monkeypatch: pytest.MonkeyPatch, act: Callable[[Any], None]
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    with wire(site) as connection:
        act(connection)
        assert connection.is_ended()


def test_the_longest_silent_makes_room_for_the_next(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.PatientProtocol, "most", 20)
    with wires(site, 20) as idle, wire(site) as late:
        late.ask("/healthz")
        assert late.answer()[0] == 200
        assert idle[0].is_ended()


# -- ways of asking --------------------------------------------------------------------------------


def test_requests_that_come_at_once_are_answered_in_order(site: str) -> None:
    with wire(site) as connection:
        for path in (PAGE, "/healthz", "/nowhere"):
            connection.ask(path)
        assert [connection.answer()[0] for _ in range(3)] == [200, 200, 404]


@pytest.mark.django_db(transaction=True)  # the sign-in library counts it
def test_head_has_no_body(site: str) -> None:
    with wire(site) as connection:
        connection.ask("/login", "HEAD")
        assert connection.status() == 200
        connection.ask("/healthz", Connection="close")
        assert connection.answer() == (200, b"ok\n")


@pytest.mark.parametrize("path", ["/%ff", "/login?q=%ff&\x80", "/login\xff", "//", "/%00"])
def test_odd_addresses_are_no_mistake_of_ours(site: str, path: str) -> None:
    with wire(site) as connection:
        connection.send(b"GET " + path.encode("latin-1") + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.status() < 500


# -- threads ---------------------------------------------------------------------------------------

SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "query_string": b"",
    "headers": [],
    "client": ("127.0.0.1", 1),
}


async def nothing() -> dict[str, Any]:
    raise AssertionError("there is no body to wait for")


class Told:
    """What an application answers."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def __call__(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages[1:])


def answering(*pieces: bytes, wait: threading.Event | None = None) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if wait:
            assert wait.wait(30)
        start_response("200 OK", [])
        return pieces

    return application


async def test_who_does_not_read_keeps_no_thread() -> None:
    pages = WholeRequests(answering(*[b"x" * MEGABYTE] * 4))

    begun = asyncio.Semaphore(0)

    async def never(_: Any) -> None:
        begun.release()
        await asyncio.Event().wait()

    stuck = [asyncio.create_task(pages(SCOPE, nothing, never)) for _ in range(2 * THREADS)]
    async with asyncio.timeout(30):
        for _ in stuck:
            await begun.acquire()
    told = Told()
    await asyncio.wait_for(pages(SCOPE, nothing, told), 30)
    assert told.body == b"x" * 4 * MEGABYTE
    for task in stuck:
        task.cancel()
    await asyncio.gather(*stuck, return_exceptions=True)


def test_who_does_not_read_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.3)
    pages, given_up = WholeRequests(answering(*[b"x" * MEGABYTE] * 40)), threading.Event()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await pages(scope, receive, send)
        given_up.set()

    with running_site(application) as site, wire(site, receive_buffer=4096) as connection:
        connection.ask("/")
        assert given_up.wait(20)
        assert connection.is_ended()
        assert len(connection.received) < 40 * MEGABYTE


def test_who_asks_far_ahead_is_cut_off(site: str) -> None:
    before = psutil.Process().memory_info().rss
    with wire(site) as connection, pytest.raises(OSError, match=r"reset|pipe"):
        connection.send("GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1_000_000)
    assert psutil.Process().memory_info().rss - before < 80 * MEGABYTE  # 47 of them are ours
    assert got(site, PAGE)[0] == 200


@pytest.mark.parametrize("most", [0, 100], ids=["no room to wait", "waited too long"])
async def test_nobody_waits_for_minutes(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(whole_requests, "MAX_WAITING", most)
    monkeypatch.setattr(whole_requests, "WAIT_SECONDS", 0.1)
    free = threading.Event()
    pages = WholeRequests(answering(b"done", wait=free))
    answers = [Told() for _ in range(THREADS)]
    busy = [asyncio.create_task(pages(SCOPE, nothing, told)) for told in answers]
    await asyncio.sleep(0)  # each has its thread
    told = Told()
    await pages(SCOPE, nothing, told)
    assert told.status == 503
    assert (b"retry-after", b"5") in told.messages[0]["headers"]
    free.set()
    await asyncio.gather(*busy)
    assert {told.status for told in answers} == {200}
    later = Told()
    await pages(SCOPE, nothing, later)
    assert later.body == b"done"


@pytest.mark.parametrize("then", ["ends", "hangs"])
async def test_who_waits_while_the_server_stops_is_told_to_ask_again(then: str) -> None:
    """Nor is it an error for the log: the server cancels what does not end in time."""
    free, sending = threading.Event(), asyncio.Event()
    pages, told = WholeRequests(answering(b"done", wait=free)), Told()

    async def send(message: Any) -> None:
        await told(message)
        if then == "hangs":
            sending.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(pages(SCOPE, nothing, send))
    await asyncio.sleep(0)  # it has its thread
    task.cancel()
    if then == "hangs":
        await sending.wait()
        task.cancel()
    await asyncio.wait_for(task, 30)
    assert told.status == 503
    assert (b"retry-after", b"5") in told.messages[0]["headers"]
    free.set()


def test_no_header_stands_for_another(site: str) -> None:
    """`X_Forwarded_For` is not `X-Forwarded-For`: a proxy takes care of the second alone."""
    scope = SCOPE | {"headers": [(b"x_forwarded_for", b"1.2.3.4"), (b"x-b", b"1"), (b"x-b", b"2")]}
    environ = whole_requests.environ_of(scope)
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert environ["HTTP_X_B"] == "1,2"
