"""The rules of the clocks, as this process knows them at the moment.

They come from the system's time zone data or from the package `tzdata`, whichever is newer. Laws
change them, and new data may be installed while the process runs: `zone` looks from time to time
whether a file is another one now. What follows for appointments: `appointments/clock_laws.py`.
"""

from __future__ import annotations

import hashlib
import threading
import time
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

LOOK_SECONDS = 60.0
# All that can be booked lies in between, and rules that differ nowhere in it are the same.
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 2, 1, tzinfo=UTC)
# Nowhere do clocks change twice within it.
STEP = timedelta(days=1)

Identity = tuple[str, int, int, int]

_loaded: dict[str, Identity] = {}
_lock = threading.Lock()
_next_look = 0.0
_forget: list[Callable[[], object]] = []


def zone(name: str) -> ZoneInfo:
    """The zone by the rules of now. Raises as `ZoneInfo` does."""
    if time.monotonic() >= _next_look:
        look_again()
    if name in _loaded:
        return ZoneInfo(name)
    identity = _identity(name)  # before it is read: what replaces the file meanwhile is noticed
    found = ZoneInfo(name)
    _loaded[name] = identity
    return found


def look_again() -> bool:
    """Looks whether the data of a zone in use were replaced; from then on the new ones count.
    Returns whether some were."""
    global _next_look
    with _lock:
        _next_look = time.monotonic() + LOOK_SECONDS
        _use_the_newer_source()
        changed = any(_identity(name) != known for name, known in list(_loaded.items()))
        if changed:
            _loaded.clear()
            ZoneInfo.clear_cache()
            for forget in _forget:
                forget()
        return changed


def forgets_with_the_rules(forget: Callable[[], object]) -> None:
    """Has this called whenever the rules change: for what was worked out by the old ones."""
    _forget.append(forget)


def version(name: str) -> str:
    """The release of the data that a zone comes from, such as "2026a"; "" if nothing tells it."""
    return _version_in(_folder_of(name))


def fingerprint(name: str) -> str:
    """What a zone's clocks do in all the time that can be booked, in short. Two builds of the same
    rules have the same one, whatever their files look like."""
    zone(name)
    return _fingerprint_of(name)


@cache
def _fingerprint_of(name: str) -> str:
    tz, digest = ZoneInfo(name), hashlib.sha256()
    offset, moment = None, FIRST
    while moment < LAST:
        now = moment.astimezone(tz).utcoffset()
        if now != offset:
            digest.update(f"{_change_before(moment, offset, tz)} {now};".encode())
            offset = now
        moment += STEP
    return digest.hexdigest()[:32]


def _change_before(moment: datetime, offset: timedelta | None, tz: ZoneInfo) -> int:
    """The second at which the clocks left `offset`, at most one step ago."""
    low, high = int((moment - STEP).timestamp()), int(moment.timestamp())
    if offset is None:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, tz).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high


forgets_with_the_rules(_fingerprint_of.cache_clear)


# -- where the data are --------------------------------------------------------------------------


def _use_the_newer_source() -> None:
    """Python takes the system's data when there are any, however old they are."""
    system = max((_version_in(Path(folder)) for folder in zoneinfo.TZPATH), default="")
    if system and system < _version_in(_package()):
        zoneinfo.reset_tzpath(to=())
        ZoneInfo.clear_cache()


def _folder_of(name: str) -> Path:
    folders = (Path(folder) for folder in zoneinfo.TZPATH)
    return next((folder for folder in folders if (folder / name).is_file()), _package())


def _package() -> Path:
    return Path(str(files("tzdata.zoneinfo")))


def _identity(name: str) -> Identity:
    """Another one whenever the file was replaced or rewritten."""
    try:
        path = _folder_of(name) / name
        status = path.stat()
    except (OSError, ValueError):  # gone, or no name of a file
        return ("", 0, 0, 0)
    return (str(path), status.st_ino, status.st_size, status.st_mtime_ns)


def _version_in(folder: Path) -> str:
    for name in ("tzdata.zi", "+VERSION"):
        try:
            with (folder / name).open(encoding="ascii", errors="replace") as file:
                return file.readline().removeprefix("# version ").strip()[:20]
        except OSError:
            continue
    return ""


_use_the_newer_source()
