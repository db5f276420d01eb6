"""Where an export is written: a folder of its own, or an archive."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile


class NotEmpty(Exception):
    """An export is not mixed with existing files; the message says so."""


class Folder:
    """A folder that only its owner can read. Raises `NotEmpty`, and `OSError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise NotEmpty(f"{path} is not empty; name a folder that is, or that does not exist.")
        path.chmod(0o700)

    @contextmanager
    def file(self, name: str) -> Iterator[IO[str]]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = os.open(self._path / name, flags, 0o600)
        os.fchmod(descriptor, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file


class Archive:
    """A zip file; close it, or nobody can read it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED)

    @contextmanager
    def file(self, name: str) -> Iterator[IO[str]]:
        with (
            self._zip.open(name, "w", force_zip64=True) as raw,
            io.TextIOWrapper(raw, encoding="utf-8", newline="") as text,
        ):
            yield text

    def close(self) -> None:
        self._zip.close()
