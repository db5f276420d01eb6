"""Data folders that take long to make: made once in a run, by the test that needs one first.

They lie in the folder of the run's first process, which its workers know, and go with it: none is
ever of other code, of another PostgreSQL or of another date. What uses one works on a copy. Tests
whose subject is the first start make their own.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from sophiie.database.locks import held_alone
from tests.environment import PREPARED
from tests.processes import Demo, sophiie

WAIT_SECONDS = 300.0

ALICE = "alice@example.com"
PASSWORD = "correct horse battery"
# The same in all processes: a key that one of them makes is used by the others.
SECRETS = {
    "SOPHIIE_SECRET_KEY": "of-no-worth-outside-the-tests-" * 2,
    "SOPHIIE_ENCRYPTION_KEYS": base64.b64encode(b"of no worth outside of the tests").decode(),
}


def copy_of_schema(data: Path) -> Path:
    """A data folder whose database has the schema and no row."""
    return _copy(_prepared("schema", _make_schema) / "data", data)


def copy_of_business(data: Path) -> str:
    """A data folder with Alice's business, and her API key."""
    made = _prepared("business", _make_business)
    _copy(made / "data", data)
    return (made / "key").read_text()


def copy_of_demo(data: Path) -> Path:
    """The data folder of a demo that has run before: the next start is quick."""
    return _copy(_prepared("demo", _make_demo) / "data", data)


def _copy(source: Path, data: Path) -> Path:
    subprocess.run(["cp", "-a", source, data], check=True)
    return data


def _prepared(name: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills, which is there completely or not at all."""
    made, draft = PREPARED / name, PREPARED / f"{name}-draft"
    PREPARED.mkdir(mode=0o700, exist_ok=True)
    with held_alone(PREPARED / f"{name}.lock", timeout=WAIT_SECONDS):
        if not made.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            make(draft)
            draft.rename(made)
    return made


def _make_schema(folder: Path) -> None:
    _run(folder / "data", "migrate")


def _make_business(folder: Path) -> None:
    data = copy_of_schema(folder / "data")
    _run(
        data,
        *("create-business", "Harbour Plumbing", "--timezone", "Australia/Sydney"),
        *("--owner-email", ALICE, "--owner-name", "Alice", "--password-stdin"),
        stdin=PASSWORD,
    )
    (folder / "key").write_text(_run(data, "create-api-key", "--member", ALICE))


def _make_demo(folder: Path) -> None:
    assert Demo(copy_of_schema(folder / "data")).wait().stop() == 0


def _run(data: Path, *words: str, stdin: str = "") -> str:
    done = sophiie(
        *words,
        stdin=stdin,
        SOPHIIE_DATA_DIR=str(data),
        SOPHIIE_PUBLIC_URL="http://localhost:8000",
        GOOGLE_CLIENT_ID="unused",
        GOOGLE_CLIENT_SECRET="unused",
        **SECRETS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
