"""Whatever people and machines do, at whatever level is logged: no secret stands in the log."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import psutil
import psycopg
import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import Client

from google_simulator.control import SimulatorControl
from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink
from tests.conftest import PASSWORD, tomorrow_at
from tests.linking import consent_url, path_of
from tests.mails import delivered
from tests.mirroring import drain_all, read_all, sweep_once
from tests.processes import Demo, running_demo, until
from tests.product_logs import product_logs

NEW_PASSWORD = "seventeen Blue kettles"


def spellings(secret: str) -> Iterator[str]:
    """The secret as it might stand somewhere: as it is, percent-encoded, and inside of base64."""
    yield secret
    yield quote(secret, safe="")
    for shift in range(3):
        whole = base64.urlsafe_b64encode(b"x" * shift + secret.encode()).decode()
        yield whole.rstrip("=")[4:-4]


def assert_hidden(log: str, secrets: Iterable[str]) -> None:
    for secret in {s for s in secrets if s}:
        assert len(secret) >= 12, "too short to be looked for"
        for spelling in spellings(secret):
            lines = [line for line in log.splitlines() if spelling in line]
            assert not lines, f"a secret is in the log: {lines[:3]}"


class Browser:
    """A browser without JavaScript that tells which secrets it saw."""

    def __init__(self, address: str) -> None:
        self._host = urlsplit(address).netloc
        self.cookies: dict[str, str] = {}
        self.seen: set[str] = set()
        self.address = address

    def __call__(
        self, method: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, str, str]:
        """Status, body and `Location`."""
        if form is not None and "csrfmiddlewaretoken" not in form:
            token = self._csrf(path)
            form = {"csrfmiddlewaretoken": token, **form}
        sent = {
            "Host": self._host,
            "Origin": self.address,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        line = HTTPConnection(self._host, timeout=60)
        try:
            line.request(method, path, urlencode(form) if form else None, sent)
            return self._read(line.getresponse())
        finally:
            line.close()

    def _read(self, answer: HTTPResponse) -> tuple[int, str, str]:
        for text in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(text).items():
                self.cookies[name] = morsel.value
                if name != "sophiie_language" and len(morsel.value) >= 12:
                    self.seen.add(morsel.value)
        body = answer.read().decode(errors="replace")
        self.seen |= set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', body))
        self.seen |= set(re.findall(r"sophiie_[0-9a-f]{16}_[0-9a-f]{64}", body))
        return answer.status, body, answer.headers.get("Location", "")

    def _csrf(self, path: str) -> str:
        """The token of the form there, or of another page's."""
        for place in (path, "/settings/profile", "/login"):
            found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self("GET", place)[1])
            if found:
                return found[1]
        raise AssertionError(path)


def newest_mail(demo: Demo, address: str, pattern: str) -> str:
    """What the newest mail to an address holds: waited for."""

    def found() -> str:
        folder = demo.folder / "mail"
        files = (
            sorted(folder.rglob("*.log"), key=lambda f: f.stat().st_mtime)
            if folder.is_dir()
            else []
        )
        texts = [t for f in files if address in (t := f.read_text())]
        matches = [m[1] for t in texts for m in re.finditer(pattern, t.replace("=\n", ""))]
        return matches[-1] if matches else ""

    return str(until(found, what=f"a mail to {address}"))


def visit_the_link(browser: Browser, path: str) -> None:
    """Everything that can go wrong with a link that is a secret, and leaves it in force."""
    stranger = Browser(browser.address)
    last = path.rpartition("/")[2]
    stranger("GET", path)
    stranger("POST", path, {"name": "", "password": "short"})  # 422
    stranger("POST", path, {"csrfmiddlewaretoken": "x" * 64, "name": "A"})  # 403
    stranger(
        "POST", path, {"csrfmiddlewaretoken": "x", "name": "A"}, Referer=stranger.address + path
    )
    stranger("DELETE", path)  # 405
    stranger("GET", path, Host="evil.example")  # 400
    stranger("GET", path + "/more")  # 404
    stranger("GET", path.replace(last, quote(last[:5]) + "%2D" + last[5:]))
    stranger("GET", "/login?" + urlencode({"next": path}))
    stranger("GET", "/" + path)
    stranger("GET", path, Referer=browser.address + path, X_Forwarded_For="203.0.113.7, evil")
    browser("GET", path)  # 409: signed in
    browser("POST", path, {"csrfmiddlewaretoken": "x" * 64})


def stored_secrets(demo: Demo) -> set[str]:
    """All that is secret in the data folder: keys, sessions, digests, tokens, ciphertext."""
    kept = json.loads((demo.folder / "secrets.json").read_text())
    address = psutil.Process(demo.child("web").pid).environ()["SOPHIIE_DATABASE_URL"]
    box = Fernet(kept["encryption_keys"][0])
    found = {kept["secret_key"], *kept["encryption_keys"], "sophiie-demo-secret"}
    if password := urlsplit(address).password:
        found.add(password)
    with psycopg.connect(address) as tables:
        for statement, is_encrypted in (
            ("SELECT session_key FROM django_session", False),
            ("SELECT session_data FROM django_session", False),
            ("SELECT password FROM accounts_member WHERE password LIKE '%$%'", False),
            ("SELECT digest FROM accounts_apikey", False),
            ("SELECT refresh_token FROM calendar_link_calendarlink", True),
            ("SELECT access_token FROM calendar_link_calendarlink", True),
            ("SELECT code_verifier FROM calendar_link_linkattempt", True),
        ):
            texts = {str(text) for (text,) in tables.execute(statement) if text}
            found |= texts
            if is_encrypted:
                found |= {box.decrypt(text.encode()).decode() for text in texts}
    return found


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Demo]:
    """Here from its first start, which makes the secrets."""
    with running_demo(tmp_path / "data", SOPHIIE_LOG_LEVEL="DEBUG") as demo:
        yield demo


def test_the_log_of_the_real_product_at_debug(product: Demo) -> None:
    secrets = {
        NEW_PASSWORD,
        "a Wrong password 123",
        "4/0Aforged-code-of-nobody",
        "forged-channel-token-1",
    }
    alice = Browser(product.url)
    alice("POST", "/login", {"login": "alice@example.com", "password": "a Wrong password 123"})
    status, _, _ = alice(
        "POST", "/login", {"login": "alice@example.com", "password": "sophiie-demo"}
    )
    assert status == 302

    # Invited, and everything that can happen to the link before it is used.
    address = "newcomer@example.com"
    alice("POST", "/settings/team/invite", {"email": address, "role": "member"})
    invitation = newest_mail(product, address, r"/join/([\w-]+)")
    secrets.add(invitation)
    visit_the_link(alice, f"/join/{invitation}")
    newcomer = Browser(product.url)
    status, _, _ = newcomer(
        "POST", f"/join/{invitation}", {"name": "Alice", "password": NEW_PASSWORD}
    )
    assert status == 302

    # A reset.
    stranger = Browser(product.url)
    stranger("POST", "/password/reset", {"email": address})
    reset = newest_mail(product, address, r"/password/reset/key/([\w-]+)")
    secrets.add(reset)
    visit_the_link(alice, f"/password/reset/key/{reset}")

    # A key, used well and badly.
    newcomer("POST", "/reauthenticate", {"password": NEW_PASSWORD})
    _, page, _ = newcomer("POST", "/settings/keys", {"name": "telephone"})
    (key,) = set(re.findall(r"sophiie_[0-9a-f]{16}_[0-9a-f]{64}", page))
    anybody = Browser(product.url)
    start = tomorrow_at(3, days=3)
    book = json.dumps({"title": "x", "start": start.isoformat(), "duration_minutes": 15})
    for token in (key, key[:-1], f"{key}x"):
        bearer = f"Bearer {token}"
        anybody("GET", "/api/v1/members/me", Authorization=bearer)
        anybody("GET", f"/api/v1/nothing?api_key={key}", Authorization=bearer)
        anybody("GET", "/api/v1/members/me", Authorization=f"Basic {key}", X_Api_Key=key)

    # A calendar, linked through Google.
    simulator = SimulatorControl(product.simulator_url)
    simulator.add_account(address)
    _, _, google = newcomer("POST", "/integrations/google/connect", {})
    secrets.add(parse_qs(urlsplit(google).query)["state"][0])
    forged = urlencode({"state": "f" * 40, "code": "4/0Aforged-code-of-nobody"})
    newcomer("GET", f"/integrations/google/callback?{forged}")
    anybody("GET", f"/integrations/google/callback?{forged}")
    back = simulator.authorize(google, account=address, grant="all")
    secrets.add(parse_qs(urlsplit(back).query)["code"][0])
    for _ in range(2):  # the second time it is used up
        newcomer("GET", path_of(back))
    newcomer("POST", "/settings/calendar/choose", {"calendar_id": address})
    api = HTTPConnection(urlsplit(product.url).netloc, timeout=60)
    api.request(
        "POST",
        "/api/v1/appointments",
        book,
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    assert api.getresponse().status == 201
    api.close()
    until(lambda: simulator.events(address), what="the event is shown")

    # Messages, feeds, and addresses that nobody gave out.
    for channel in ("not-a-channel", "00000000-0000-4000-8000-000000000000"):
        anybody(
            *("POST", "/integrations/google/notifications"),
            X_Goog_Channel_ID=channel,
            X_Goog_Channel_Token="forged-channel-token-1",
        )
    feed = "bWFkZS11cC1mb3ItdGhl-feed0123456789AB"
    secrets.add(feed)
    anybody("GET", f"/feeds/{feed}.ics")
    anybody("GET", f"/feeds/{feed}.ics", Host="evil.example")

    secrets |= stored_secrets(product)
    newcomer("POST", "/settings/calendar/unlink", {"events": "keep"})
    newcomer("POST", "/logout", {})
    secrets |= alice.seen | newcomer.seen | stranger.seen | anybody.seen
    assert len(secrets) > 30
    assert '"level": "debug"' in product.output
    assert_hidden(product.output, secrets)


@pytest.fixture(params=["json", "plain"])
def everything_logged(request: pytest.FixtureRequest) -> Iterator[StringIO]:
    """What this process would write with every logger at its lowest level, statements included."""
    root = logging.getLogger()
    with product_logs("DEBUG", style=request.param) as written:
        loggers = [logging.getLogger(name) for name in list(logging.root.manager.loggerDict)]
        levels = [(logger, logger.level) for logger in loggers]
        for logger, _ in levels:
            logger.setLevel(1)
        root.setLevel(1)
        yield written
        for logger, before in levels:
            logger.setLevel(before)


@pytest.mark.django_db(transaction=True)
def test_the_log_of_every_library_at_its_lowest_level(
    alice: Member, google: RunningSimulator, everything_logged: StringIO, settings: Any
) -> None:
    connection.force_debug_cursor = True
    browser = Client(raise_request_exception=False)
    try:
        browser.post("/login", {"login": alice.email, "password": "a Wrong password 123"})
        browser.post("/login", {"login": alice.email, "password": PASSWORD})
        browser.post("/settings/team/invite", {"email": "newcomer@example.com", "role": "member"})
        Client().post("/password/reset", {"email": alice.email})
        bodies = "".join(str(message.body) for message in delivered())
        links = re.findall(r"/(?:join|password/reset/key)/[\w-]+", bodies)
        assert len(links) == 2
        for path in links:
            for visitor in (browser, Client(), Client(enforce_csrf_checks=True)):
                visitor.get(path)
                visitor.post(path, {"name": "", "password": "a Wrong password 123"})
                visitor.put(path)
                visitor.get(path, headers={"Host": "evil.example"})
        browser.post("/reauthenticate", {"password": PASSWORD})
        page = browser.post("/settings/keys", {"name": "telephone"}).content.decode()
        (key,) = set(re.findall(r"sophiie_[0-9a-f]{16}_[0-9a-f]{64}", page))
        browser.get("/api/v1/members/me", headers={"Authorization": f"Bearer {key}"})
        back = google.authorize(consent_url(browser), account="alice@example.com")
        browser.get(path_of(back), follow=True)
        browser.post("/settings/calendar/choose", {"calendar_id": "alice@example.com"})
        drain_all()
        read_all()
        google.expire_access_tokens("alice@example.com")
        read_all()
        link = link_of(alice)
        assert link is not None
        tokens = {link.refresh_token, link.access_token}
        for path in ("/calendar", "/settings/calendar", "/overview", "/settings/team"):
            assert browser.get(path).status_code == 200
        sessions = {morsel.value for morsel in browser.cookies.values() if len(morsel.value) > 12}
        browser.post("/settings/calendar/unlink", {"events": "keep"})
        sweep_once()
        assert CalendarLink.objects.count() == 1
    finally:
        connection.force_debug_cursor = False
    query = parse_qs(urlsplit(back).query)
    log = everything_logged.getvalue()
    assert "Failed lookup for key" in log  # a template at its most talkative
    assert "SELECT" in log
    alice.refresh_from_db()
    assert_hidden(
        log,
        {
            *("a Wrong password 123", PASSWORD, key, *tokens, *sessions, alice.password),
            *(path.rpartition("/")[2] for path in links),
            *(query["code"][0], query["state"][0]),
            *(settings.SECRET_KEY, *settings.ENCRYPTION_KEYS),
        },
    )
