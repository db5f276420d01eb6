"""Static files: compressed, and cached for ever at addresses that change with the content.

Nothing has to be collected. The process reads all files once, when it starts. Their common digest
is part of every address (`/static/<digest>/sophiie/shared/tokens.css`), so that scripts that import
each other always belong to one release. The compressed copies are in the data folder.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from sophiie.web.serving.bundles import BUNDLES, joined

PACKED = {".css", ".js", ".svg"}


@lru_cache(maxsize=1)
def release() -> str:
    """The digest of the names and contents of all static files."""
    files = {
        name: storage.path(name)
        for finder in reversed(list(finders.get_finders()))
        for name, storage in finder.list(None)
    }
    digest = hashlib.sha256(repr(BUNDLES).encode())
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + Path(files[name]).read_bytes())
    return digest.hexdigest()[:12]


class ReleasedFiles(StaticFilesStorage):
    """Gives pages the addresses that browsers may keep for ever."""

    def url(self, name: str | None) -> str:
        return super().url(f"{release()}/{name}")


class Assets(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serves each file at its plain address for a while, and at that of its release for ever."""

    def add_files_from_finders(self) -> None:
        super().add_files_from_finders()
        for bundle in BUNDLES:
            path = _stored(joined(bundle), ".css")
            self.add_file_to_dictionary(f"{self.static_prefix}{bundle}", str(path))

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: Any = None) -> None:
        name = url.removeprefix(self.static_prefix)
        for address in (url, f"{self.static_prefix}{release()}/{name}"):
            super().add_file_to_dictionary(address, path, stat_cache)

    def immutable_file_test(self, path: str, url: str) -> bool:
        return bool(url.startswith(f"{self.static_prefix}{release()}/"))

    def get_static_file(self, path: str, url: str, stat_cache: Any = None) -> StaticFile:
        plain = super().get_static_file(path, url, stat_cache)
        packed = _packed(Path(path)) if Path(path).suffix in PACKED else None
        if packed is None:
            return plain
        _, own_path, headers = plain.alternatives[-1]
        assert own_path == path
        kept = [(name, value) for name, value in headers if name in KEPT_HEADERS]
        return StaticFile(path, kept, encodings={"gzip": str(packed)})


# Headers that StaticFile does not work out by itself.
KEPT_HEADERS = {"Content-Type", "Cache-Control", "Access-Control-Allow-Origin"}


def _packed(path: Path) -> Path | None:
    """The compressed copy; None if it cannot be written: then the file is served uncompressed."""
    try:
        return _kept(gzip.compress(path.read_bytes(), mtime=0), ".gz", settings.DATA_DIR / "packed")
    except OSError:
        return None


def _stored(content: bytes, ending: str) -> Path:
    """A file with this content; a temporary one where the data folder cannot be written."""
    try:
        return _kept(content, ending, settings.DATA_DIR / "packed")
    except OSError:
        return _kept(content, ending, Path(tempfile.mkdtemp()))


def _kept(content: bytes, ending: str, folder: Path) -> Path:
    """The file in the folder, made if it is missing. Several processes may make it at once."""
    kept = folder / f"{hashlib.sha256(content).hexdigest()}{ending}"
    if not kept.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as unfinished:
            unfinished.write(content)
        os.replace(unfinished.name, kept)
    return kept
