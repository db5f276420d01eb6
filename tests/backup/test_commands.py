"""`sophiie backup` and `sophiie restore` as an operator runs them, on data folders."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from sophiie.backup.archive import MAGIC
from tests.processes import sophiie
from tests.product import ALICE, SECRETS, prepared_folder

PASSPHRASE = "correct horse battery staple"


def run(folder: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return sophiie(*words, stdin=stdin, SOPHIIE_DATA_DIR=str(folder), **SECRETS)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1].removeprefix("sophiie: ")


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of Alice's business."""
    file = tmp_path_factory.mktemp("backup") / "sophiie.backup"
    words = ("backup", str(file), "--passphrase-stdin", "--check")
    done = run(prepared_folder(), *words, stdin=f"{PASSPHRASE}\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{file}: ")
    assert "restored on trial" in done.stdout
    return file


def test_a_backup_moves_to_a_new_data_folder(encrypted: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(encrypted.stat().st_mode) == 0o600
    content = encrypted.read_bytes()
    assert content.startswith(MAGIC)
    assert not any(word.encode() in content for word in (ALICE, "Harbour", *SECRETS.values()))
    words = ("restore", str(encrypted), "--passphrase-stdin")
    done = run(tmp_path / "new", *words, stdin=f"{PASSPHRASE}\n")
    assert done.returncode == 0, done.stderr
    assert "Everybody signs in again" in done.stdout
    key = run(tmp_path / "new", "create-api-key", "--member", ALICE)
    assert key.returncode == 0, key.stderr
    again = run(tmp_path / "new", *words, stdin=f"{PASSPHRASE}\n")
    assert "--replace" in refusal(again)


def test_refusals_are_one_sentence(encrypted: Path, tmp_path: Path) -> None:
    def restored(file: Path, *words: str, stdin: str = "") -> str:
        return refusal(run(tmp_path / "data", "restore", str(file), *words, stdin=stdin))

    assert "encrypted" in restored(encrypted)
    assert "passphrase" in restored(encrypted, "--passphrase-stdin", stdin="another\n")
    other = tmp_path / "other"
    other.write_text("Something else")
    assert "not a backup" in restored(other)
    taken = run(tmp_path / "data", "backup", str(other))
    assert "there already" in refusal(taken)
    short = run(tmp_path / "data", "backup", str(tmp_path / "b"), "--passphrase-stdin", stdin="x\n")
    assert "at least" in refusal(short)


def test_the_help_says_what_is_not_in_it() -> None:
    words = " ".join(sophiie("backup", "--help").stdout.split())
    assert "SOPHIIE_ENCRYPTION_KEYS" in words
    assert "connect their Google Calendar again" in words
