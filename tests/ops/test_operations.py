"""The commands in `docs/how-to/operations.md` do what the page says, one after the other."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from sophiie.database import EmbeddedPostgres
from tests.prepared import ALICE, SECRETS, copy_of_business
from tests.processes import ROOT, clean_environment

PAGE = ROOT / "docs" / "how-to" / "operations.md"
_BLOCK = re.compile(r"^## (.+?)$|^<!-- tested -->\n```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[tuple[str, str]]:
    """Each block of commands, with the part of the page that it is in."""
    part = ""
    for heading, commands in _BLOCK.findall(PAGE.read_text()):
        part = heading or part
        if commands:
            yield part, commands


def test_every_part_has_commands_that_are_tested() -> None:
    text = PAGE.read_text()
    parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert {part for part, _ in blocks()} == set(parts) - {"Install"}
    assert len(list(blocks())) == text.count("```sh")


def test_the_commands_work(tmp_path: Path) -> None:
    data = tmp_path / "data"
    copy_of_business(data)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "sophiie").write_text(f'#!/bin/sh\nexec {sys.executable} -m sophiie "$@"\n')
    (programs / "sophiie").chmod(0o755)
    environment = clean_environment(
        **SECRETS,
        SOPHIIE_DATA_DIR=str(data),
        SOPHIIE_PUBLIC_URL="http://localhost:8000",
        BACKUPS=str(tmp_path / "backups"),
        KEY=str(tmp_path / "backup.key"),
    )
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    said: dict[str, str] = {}
    with EmbeddedPostgres(data, durable=False):  # so that no command has to start it
        for part, commands in blocks():
            done = subprocess.run(
                ["bash", "-eu", "-o", "pipefail", "-c", commands],
                env=environment,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, (part, commands, done.stdout, done.stderr)
            said[part] = said.get(part, "") + done.stdout
    assert "restored on trial" in said["Back up"]
    assert said["Upgrade"].startswith("sophiie ")
    assert "Restored" in said["Move"]
    assert "Restored" in said["When it goes wrong"]
    assert (tmp_path / "data-new").is_dir()
    for backup in (tmp_path / "backups").iterdir():
        assert ALICE.encode() not in backup.read_bytes()
