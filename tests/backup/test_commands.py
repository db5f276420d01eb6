"""`sophiie backup` and `sophiie restore` refuse in a sentence; `tests/ops/test_operations.py` has
what they do."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sophiie.backup.archive import Manifest, write_archive
from tests.prepared import SECRETS
from tests.processes import sophiie


def run(folder: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return sophiie(*words, stdin=stdin, SOPHIIE_DATA_DIR=str(folder), **SECRETS)


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, (done.stdout, done.stderr)
    (line,) = done.stderr.strip().splitlines()
    return line.removeprefix("sophiie: ")


def test_refusals_are_one_sentence(tmp_path: Path) -> None:
    """And come before a database is started for nothing."""
    encrypted = tmp_path / "encrypted"
    write_archive(encrypted, Manifest("", "", {"t": 1}), [b""], secret=b"a passphrase")

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
    assert not (tmp_path / "data").exists()


def test_the_help_says_what_is_not_in_it() -> None:
    words = " ".join(sophiie("backup", "--help").stdout.split())
    assert "SOPHIIE_ENCRYPTION_KEYS" in words
    assert "connect their Google Calendar again" in words
