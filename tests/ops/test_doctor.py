"""`sophiie doctor`: line by line what is right, what is not, and what to do about it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from sophiie.accounts.models import Member
from sophiie.config.environment import Environment
from sophiie.ops import demo_people
from sophiie.ops.doctor import Doctor
from tests.ops.conftest import Run, sophiie

NOBODY = "postgresql://nobody@127.0.0.1:9/nothing"


class _SaysNo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def google() -> Iterator[dict[str, str]]:
    """Addresses at which somebody answers, if only with an error, as Google does to a GET."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SaysNo)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    yield {"SOPHIIE_GOOGLE_TOKEN_URL": f"{base}/token", "SOPHIIE_GOOGLE_API_URL": f"{base}/v3"}
    server.shutdown()
    server.server_close()


def test_all_is_well_with_a_worker(run: Run, database: str, google: dict[str, str]) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        try:
            done = run("doctor", **google)
        finally:
            connection.execute("DELETE FROM procrastinate_workers")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    for part in (
        *("SOPHIIE_SECRET_KEY: set", "SOPHIIE_ENCRYPTION_KEYS: set", "Google credentials: set"),
        "Redirect address for Google: http://localhost:8000/integrations/google/callback",
        *("Database (named): PostgreSQL", "btree_gist", "pg_trgm", "Schema: 0 migrations missing"),
        "Workers running: 1",
    ):
        assert part in done.stdout
    for secret in (os.environ["SOPHIIE_SECRET_KEY"], os.environ["SOPHIIE_ENCRYPTION_KEYS"]):
        assert secret not in done.stdout


def test_what_is_wrong_has_its_advice_beside_it(run: Run) -> None:
    done = run("doctor", GOOGLE_CLIENT_ID=None)
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if not line.startswith("ok ")]
    assert [line.removeprefix("WRONG   ").partition(": ")[0] for line in wrong] == [
        "Google credentials",
        "Google's token server 127.0.0.1:9",
        "Google's calendar server 127.0.0.1:9",
        "Workers running",
    ]
    assert "use `sophiie demo`" in wrong[0]
    assert "check the network and the address" in wrong[1]
    assert "start `sophiie worker`" in wrong[3]


def test_without_secrets_it_says_so_and_stops_there() -> None:
    done = sophiie("doctor", SOPHIIE_SECRET_KEY=None, SOPHIIE_ENCRYPTION_KEYS=None)
    assert done.returncode == 1
    assert "WRONG   SOPHIIE_SECRET_KEY: not set: set SOPHIIE_SECRET_KEY" in done.stdout
    assert "WRONG   SOPHIIE_ENCRYPTION_KEYS: not set" in done.stdout
    assert "Database" not in done.stdout
    assert done.stderr == ""


def test_a_secret_key_that_can_be_guessed_is_named_and_never_shown() -> None:
    fine = os.environ["SOPHIIE_SECRET_KEY"]
    done = sophiie("doctor", SOPHIIE_SECRET_KEY="s3cret-but-short")
    assert done.returncode == 1
    assert "WRONG   SOPHIIE_SECRET_KEY: too easy to guess: make a long random one" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr
    done = sophiie("doctor", SOPHIIE_SECRET_KEY_FALLBACKS=f"{fine[::-1]},short")
    assert "ok      SOPHIIE_SECRET_KEY_FALLBACKS: 2 still accepted" in done.stdout
    assert "WRONG   SOPHIIE_SECRET_KEY_FALLBACKS: too easy to guess" in done.stdout


def test_without_a_database_the_rest_is_still_told() -> None:
    done = sophiie("doctor", SOPHIIE_DATABASE_URL=NOBODY)
    assert done.returncode == 1
    assert "ok      SOPHIIE_SECRET_KEY: set" in done.stdout
    assert "WRONG   Database (named): " in done.stdout
    assert "refused" in done.stdout
    assert "Traceback" not in done.stderr


def test_how_google_reaches_us_is_said(run: Run, database: str) -> None:
    route = "integrations/google/notifications"
    for variables, words in (
        ({}, "none without https"),
        ({"SOPHIIE_PUBLIC_URL": "https://s.example"}, f"to https://s.example/{route}"),
        ({"SOPHIIE_ALLOW_HTTP_PUSH": "1"}, f"to http://localhost:8000/{route}"),
    ):
        done = run("doctor", **variables)
        assert f"Notifications from Google: {words}" in done.stdout


def test_a_data_folder_that_others_can_read_is_told_of_and_then_put_right(
    run: Run, tmp_path: Path
) -> None:
    mail = tmp_path / "data" / "mail"
    mail.mkdir(parents=True)
    mail.parent.chmod(0o755)
    (mail / "1.log").write_text("a link that resets a password")
    (mail / "1.log").chmod(0o644)
    folder = {"SOPHIIE_DATA_DIR": str(mail.parent)}
    told = run("doctor", **folder).stdout
    assert f"WRONG   SOPHIIE_DATA_DIR: others can get at {mail.parent} and 2 more" in told
    assert f"chmod -R go= {mail.parent}" in told
    assert (mail / "1.log").stat().st_mode & 0o077  # it only tells
    run("status", **folder)
    assert "others can get at" not in run("doctor", **folder).stdout
    assert not (mail / "1.log").stat().st_mode & 0o077


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_database_of_nobody_is_warned_of(tmp_path: Path) -> None:
    cluster = tmp_path / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    environment = Environment(SOPHIIE_DATA_DIR=str(tmp_path), SOPHIIE_DATABASE_URL="")
    for owner, warned in (("nobody", True), ("daemon", False)):
        os.chown(cluster, pwd.getpwnam(owner).pw_uid, -1)
        doctor = Doctor(environment)
        doctor._folder()
        assert ("warning Database (embedded): runs as the user nobody" in doctor.report()) is warned


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("demo", "password", "named"),
    [(False, demo_people.PASSWORD, True), (True, demo_people.PASSWORD, False), (False, "", False)],
)
def test_an_account_with_the_demos_password_is_named_outside_the_demo(
    alice: Member, demo: bool, password: str, named: bool
) -> None:
    """Whoever serves the demo's data folder lets everybody in."""
    alice.set_password(password or "correct horse battery")
    alice.save()
    doctor = Doctor(Environment.model_construct(demo=demo))
    doctor.look_at_database()
    assert ("demo's password: alice@example.com" in doctor.report()) is named


def test_a_folder_is_fine_if_it_can_be_made_and_its_parents_too(tmp_path: Path) -> None:
    """As in the home of somebody who has not kept any program's data yet."""
    folder = tmp_path / ".local" / "share" / "sophiie"
    examination = Doctor(Environment(SOPHIIE_DATA_DIR=folder, SOPHIIE_DATABASE_URL=""))
    examination._folder()
    assert examination.healthy, examination.report()
    (tmp_path / ".local").write_text("a file")
    examination = Doctor(Environment(SOPHIIE_DATA_DIR=folder, SOPHIIE_DATABASE_URL=""))
    examination._folder()
    assert not examination.healthy
