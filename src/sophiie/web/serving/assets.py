"""Static files for ever: under an address that changes with their content, packed for the way.

Nothing has to be collected. All files are read once, when the process starts; their common digest
stands in front of every name (`/static/<digest>/sophiie/app.css`), so that scripts that import each
other are always of one release. The packed copies lie in the data folder.
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

PACKED = {".css", ".js", ".svg"}


@lru_cache(maxsize=1)
def release() -> str:
    """The digest of all static files, names and contents."""
    files = {
        name: storage.path(name)
        for finder in reversed(list(finders.get_finders()))
        for name, storage in finder.list(None)
    }
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + Path(files[name]).read_bytes())
    return digest.hexdigest()[:12]


class ReleasedFiles(StaticFilesStorage):
    """Gives pages the addresses that may be kept for ever."""

    def url(self, name: str | None) -> str:
        return super().url(f"{release()}/{name}")


class Assets(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serves each file under its plain name, for a while, and under its release, for ever."""

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


# What StaticFile does not work out by itself.
KEPT_HEADERS = {"Content-Type", "Cache-Control", "Access-Control-Allow-Origin"}


def _packed(path: Path) -> Path | None:
    """The packed copy, made if it is not there; processes may do so at the same time.

    None where nothing can be written: then the file goes as it is.
    """
    content = path.read_bytes()
    folder: Path = settings.DATA_DIR / "packed"
    copy = folder / f"{hashlib.sha256(content).hexdigest()}.gz"
    try:
        if not copy.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as unfinished:
                unfinished.write(gzip.compress(content, mtime=0))
            os.replace(unfinished.name, copy)
    except OSError:
        return None
    return copy
