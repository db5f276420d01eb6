"""The commands as a person runs them: what they print, and one sentence when they cannot."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sophiie.ops.demo import check_simulator
from sophiie.ops.errors import CommandError
from tests.conftest import PASSWORD
from tests.ops.conftest import Run, refusal, sophiie

CLINIC = ("create-business", "Hill Clinic", "--timezone", "Europe/Berlin", "--password-stdin")
DORA = ("--owner-email", "dora@example.com", "--owner-name", "Dora")
PUBLIC = "https://book.example.com"
METRICS_TOKEN = "a-token-for-tests-only"


@dataclass(frozen=True)
class Clinic:
    business_id: str
    key: str


@pytest.fixture
def database(empty_database: str, migrations: object) -> str:
    """Here the one that the command itself has migrated."""
    return empty_database


@pytest.fixture(scope="session")
def clinic(empty_database: str, migrations: object) -> Clinic:
    """A business with its owner Dora, made by command, and her API key."""
    made = sophiie(*CLINIC, *DORA, stdin=PASSWORD + "\n", SOPHIIE_DATABASE_URL=empty_database)
    assert made.returncode == 0, made.stderr
    body = json.loads(made.stdout)
    assert body.keys() >= {"business_id", "member_id"}
    assert UUID(body["business_id"]) != UUID(body["member_id"])
    assert (body["email"], body["role"]) == ("dora@example.com", "owner")
    key = sophiie(
        "create-api-key", "--member", "Dora@Example.com", SOPHIIE_DATABASE_URL=empty_database
    )
    assert key.returncode == 0, key.stderr
    assert len(key.stdout.splitlines()) == 1
    return Clinic(body["business_id"], key.stdout.strip())


def test_without_a_schema_one_is_told_to_migrate(told_to_migrate: str) -> None:
    assert "run `sophiie migrate`" in told_to_migrate


def test_a_check_names_what_is_missing_and_changes_nothing(
    told_to_migrate: str, unmigrated: subprocess.CompletedProcess[str]
) -> None:
    assert unmigrated.returncode == 1, unmigrated.stderr
    missing = unmigrated.stdout.splitlines()
    assert "accounts.0001_initial" in missing
    assert len(missing) == len(set(missing)) > 50


def test_after_migrating_a_check_finds_nothing(run: Run) -> None:
    done = run("migrate", "--check")
    assert (done.returncode, done.stdout) == (0, "")


def test_migrating_twice_is_as_once(
    migrations: tuple[subprocess.CompletedProcess[str], ...],
) -> None:
    first, second = migrations
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "migrations applied" in first.stdout
    assert second.stdout == "The schema is up to date.\n"


def test_a_key_is_shown_once_and_kept_as_a_digest(clinic: Clinic, database: str) -> None:
    secret = clinic.key.rpartition("_")[2]
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT * FROM accounts_apikey").fetchall()
    assert len(rows) == 1
    assert secret not in str(rows)


def test_a_member_is_added_by_name_of_the_business(run: Run, clinic: Clinic, database: str) -> None:
    added = run(
        *("add-member", "Emil@example.com", "--name", "Emil", "--role", "admin"),
        *("--business", "Hill Clinic", "--password-stdin"),
        stdin=PASSWORD,
    )
    assert added.returncode == 0, added.stderr
    body = json.loads(added.stdout)
    assert (body["business_id"], body["role"]) == (clinic.business_id, "admin")
    with psycopg.connect(database) as connection:
        (kept,) = connection.execute(
            "SELECT password FROM accounts_member WHERE email = 'emil@example.com'"
        ).fetchone() or ("",)
    assert kept.startswith("pbkdf2_")
    assert PASSWORD not in kept
    again = run("add-member", "emil@example.com", "--name", "Emil", "--role", "member")
    assert "already a member" in refusal(again)


@pytest.mark.parametrize(
    ("words", "stdin", "says"),
    [
        (
            ("create-business", "X", "--timezone", "Mars/Phobos", *DORA),
            "",
            "'Mars/Phobos' is not an IANA time zone",
        ),
        (
            ("add-member", "n@example.com", "--name", "N", "--role", "admin", "--password-stdin"),
            "12345678\n",
            "too common",
        ),
        (
            ("add-member", "n@example.com", "--name", "N", "--role", "admin", "--business", "No"),
            "",
            "There is no business “No”",
        ),
        (("create-api-key", "--member", "nobody@example.com"), "", "Nobody with the address"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence(
    run: Run, clinic: Clinic, words: tuple[str, ...], stdin: str, says: str
) -> None:
    assert says in refusal(run(*words, stdin=stdin))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"SOPHIIE_SECRET_KEY": None}, "SOPHIIE_SECRET_KEY is not set"),
        ({"SOPHIIE_SECRET_KEY": "s3cret-but-short"}, "too easy to guess: give it at least 50"),
        ({"SOPHIIE_SECRET_KEY": "abab" * 20}, "too easy to guess"),
        ({"SOPHIIE_SECRET_KEY_FALLBACKS": "short"}, "too easy to guess"),
        ({"SOPHIIE_ENCRYPTION_KEYS": None}, "SOPHIIE_ENCRYPTION_KEYS is not set"),
        ({"SOPHIIE_ENCRYPTION_KEYS": "too-short"}, "comma list of Fernet keys"),
        ({"SOPHIIE_PUBLIC_URL": "book.example.com"}, "must begin with http:// or https://"),
        ({"SOPHIIE_DATABASE_URL": "mysql://localhost/x"}, "must begin with postgresql://"),
        ({"SOPHIIE_LOG_LEVEL": "LOUD"}, "must be DEBUG, INFO, WARNING or ERROR"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, str | None], says: str) -> None:
    said = refusal(sophiie("status", **changes))
    assert says in said
    assert next(iter(changes)) in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOPHIIE_ENCRYPTION_KEYS", "my-real-but-broken-key"),
        ("SOPHIIE_SECRET_KEY", "my-real-but-broken-key"),
        ("SOPHIIE_SECRET_KEY_FALLBACKS", "my-real-but-broken-key"),
        ("SOPHIIE_DATABASE_URL", "postgresql://u:my-real/but-broken-key@127.0.0.1:9/x"),
        ("SOPHIIE_DATABASE_URL", "postgresql://u:my-real-but-broken-key@127.0.0.1:9/x"),
        ("SOPHIIE_DATABASE_URL", "postgresql://u:my-real-but-broken-key@127.0.0.1:9x/x"),
        ("SOPHIIE_DATABASE_URL", "postgresql://u:my-real-but-broken-key@127.0.0.1/x?y=z"),
    ],
)
@pytest.mark.parametrize("command", ["status", "doctor", "worker"])
def test_the_secrets_of_a_wrong_setting_are_not_printed(
    command: str, name: str, value: str
) -> None:
    done = sophiie(command, **{name: value})
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "my-real" not in said
    assert "but-broken" not in said
    assert "Traceback" not in said


def test_the_demo_takes_what_it_is_given(database: str) -> None:
    """Whoever tries it out may set anything; nothing of worth hangs on it."""
    weak = {"SOPHIIE_SECRET_KEY": "weak", "SOPHIIE_DATABASE_URL": database}
    assert sophiie("status", SOPHIIE_DEMO="1", **weak).returncode == 0


@pytest.mark.parametrize("port", ["0", "99999", "http"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    done = sophiie("web", "--port", port)
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} is used by another program" in refusal(
            sophiie("web", "--port", str(port))
        )


def test_help_names_every_command() -> None:
    done = sophiie("--help")
    assert done.returncode == 0
    for command in (
        *("demo", "serve", "web", "worker", "simulator", "migrate", "doctor", "status"),
        *("create-business", "add-member", "create-api-key", "erase", "export"),
    ):
        assert f"\n  {command} " in done.stdout


def test_status_says_what_is_missing(run: Run) -> None:
    done = run("status")
    assert done.returncode == 0
    assert "Workers running: 0" in done.stdout
    assert "Not ready: No worker is running: start `sophiie worker`." in done.stdout
    assert "Calendar links: 0" in done.stdout


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    """A web process behind a proxy that speaks https to the world."""

    port: int
    log: Path

    def __call__(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(connection):
            connection.request(method, path, body, names)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def public(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        return self(
            *(method, path, body), Host="book.example.com", X_Forwarded_Proto="https", **headers
        )


@pytest.fixture(scope="module")
def web(
    empty_database: str, clinic: Clinic, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("web") / "stderr"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "sophiie", "web", "--port", str(port)],
            env={
                **os.environ,
                "SOPHIIE_DATABASE_URL": empty_database,
                "SOPHIIE_PUBLIC_URL": PUBLIC,
                "SOPHIIE_METRICS_TOKEN": METRICS_TOKEN,
            },
            stderr=stderr,
        )
        running = Web(port, log)
        try:
            _wait_for(running, process)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) in (0, -signal.SIGTERM)


def _wait_for(web: Web, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert process.poll() is None, web.log.read_text()
        try:
            if web("GET", "/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the web process did not answer")


def test_the_key_of_the_command_works_over_http(web: Web, clinic: Clinic) -> None:
    bearer = f"Bearer {clinic.key}"
    answer = web.public("GET", "/api/v1/members/me", Authorization=bearer)
    assert (answer.status, answer.json["email"]) == (200, "dora@example.com")
    assert web.public("GET", "/api/v1/members/me", Authorization=bearer[:-1] + "_").status == 401
    booking = {"title": "Check-up", "start": "2026-12-01T09:00:00+01:00", "duration_minutes": 30}
    made = web.public("POST", "/api/v1/appointments", json.dumps(booking), Authorization=bearer)
    assert (made.status, made.json["timezone"]) == (201, "Europe/Berlin")


def test_signing_in_behind_https_has_secure_cookies(web: Web) -> None:
    page = web.public("GET", "/login")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    (cookie,) = page.headers.get_all("Set-Cookie", [])
    assert "sophiie_csrf=" in cookie
    token = page.body.decode().partition('name="csrfmiddlewaretoken" value="')[2][:64]
    answer = web.public(
        "POST",
        "/login",
        f"csrfmiddlewaretoken={token}&login=dora%40example.com&password="
        + PASSWORD.replace(" ", "+"),
        Content_Type="application/x-www-form-urlencoded",
        Cookie=cookie.partition(";")[0],
        Referer=f"{PUBLIC}/login",
        Origin=PUBLIC,
    )
    assert (answer.status, answer.headers["Location"]) == (302, "/calendar")
    cookies = [cookie, *answer.headers.get_all("Set-Cookie", [])]
    assert any(kept.startswith("sophiie_session=") for kept in cookies)
    for kept in cookies:
        assert "; Secure" in kept
        assert "; HttpOnly" in kept
        assert "; SameSite=Lax" in kept


def test_a_form_from_another_site_is_refused(web: Web) -> None:
    answer = web.public("POST", "/login", "login=x", Origin="https://evil.example")
    assert answer.status == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "[::1]", ""])
def test_another_host_is_refused(web: Web, host: str) -> None:
    """Also this machine's own name: whoever asks may write any name they like."""
    for path in ("/login", "/api/v1/members/me"):
        assert web("GET", path, Host=host).status == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "10.1.2.3"])
def test_a_supervisor_may_ask_by_any_name(web: Web, path: str, host: str) -> None:
    # Without a token the metrics are refused, but not because of the name.
    expected = (403,) if path == "/metrics" else (200, 503)
    assert web("GET", path, Host=host).status in expected


def test_healthz_readyz_and_metrics(web: Web) -> None:
    assert web("GET", "/healthz").body == b"ok\n"
    ready = web("GET", "/readyz")
    assert ready.status == 503
    assert ready.json == {
        "ready": False,
        "reasons": ["No worker is running: start `sophiie worker`."],
    }
    assert web.public("GET", "/metrics").status == 403
    metrics = web.public("GET", "/metrics", Authorization=f"Bearer {METRICS_TOKEN}")
    assert metrics.status == 200
    assert b"sophiie_workers 0.0" in metrics.body


def test_static_files_are_served(web: Web) -> None:
    answer = web("GET", "/static/sophiie/shared/tokens.css")
    assert (answer.status, answer.headers.get_content_type()) == (200, "text/css")


def test_the_log_is_json_and_holds_no_secret(web: Web, clinic: Clinic) -> None:
    web("GET", f"/login?next=/x&token={clinic.key}")
    web.public("GET", "/integrations/google/callback?state=the-state&code=4/the-code")
    web.public("GET", "/password/reset/key/abc-c8o1xg-0123456789abcdef")
    web.public("GET", "/nothing/here?code=4/the-code")
    web.public("POST", "/api/v1/appointments", "{", Authorization=f"Bearer {clinic.key}")
    lines = [json.loads(line) for line in web.log.read_text().splitlines()]
    paths = {line.get("path") for line in lines if line["event"] == "request"}
    assert {"/login", "/integrations/google/callback", "/nothing/here"} <= paths
    text = web.log.read_text()
    for secret in ("the-state", "the-code", clinic.key, "c8o1xg", PASSWORD, "password="):
        assert secret not in text


def test_a_switched_off_member_is_out(web: Web, clinic: Clinic, database: str) -> None:
    bearer = f"Bearer {clinic.key}"
    switch = "UPDATE accounts_member SET is_active = %s WHERE email = 'dora@example.com'"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(switch, [False])
        try:
            assert web.public("GET", "/api/v1/members/me", Authorization=bearer).status == 401
        finally:
            connection.execute(switch, [True])
    assert web.public("GET", "/api/v1/members/me", Authorization=bearer).status == 200


def test_the_demo_names_the_package_that_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    check_simulator()
    monkeypatch.setitem(sys.modules, "google_simulator", None)
    with pytest.raises(CommandError, match="google-calendar-simulator"):
        check_simulator()
