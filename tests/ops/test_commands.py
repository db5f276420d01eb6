"""The commands as a person runs them: what they print, and one sentence when they cannot."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import psycopg
import pytest

from sophiie.ops.demo import check_simulator
from sophiie.ops.errors import CommandError
from tests.conftest import PASSWORD
from tests.ops.conftest import DORA, Clinic, Run, refusal, sophiie


@pytest.fixture
def database(empty_database: str, migrations: object) -> str:
    """Here the one that the command itself has migrated."""
    return empty_database


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


def test_the_demo_names_the_package_that_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    check_simulator()
    monkeypatch.setitem(sys.modules, "google_simulator", None)
    with pytest.raises(CommandError, match="google-calendar-simulator"):
        check_simulator()
