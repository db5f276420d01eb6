"""Which live processes belong to a server, told by a marker in their command line and their user.

PostgreSQL shows its `cluster_name`, our marker, in the command line of the postmaster and of all
its children. Everybody may read command lines; in a container without CAP_SYS_PTRACE not even root
may read /proc/PID/cwd of another user's process. A zombie has no command line, and a process that
merely got a dead server's number has another one: neither counts.
"""

import os
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

_PROC = Path("/proc")
_LOOKS = 10
_PAUSE = 0.002


def belongs(pid: int, *, marker: str, uid: int) -> bool:
    """Whether this process is alive and part of the marked server."""
    if _PROC.is_dir():
        return marker in _words(_command(pid, uid))
    return any(number == pid and marker in _words(command) for number, command in _ps(uid))


def find(*, marker: str, uid: int) -> list[int]:
    """All live PostgreSQL processes of the marked server, lowest number first."""
    if _PROC.is_dir():
        pids = [int(name) for name in os.listdir(_PROC) if name.isdigit()]
        listing: Iterable[tuple[int, str]] = ((pid, _command(pid, uid)) for pid in pids)
    else:
        listing = _ps(uid)
    return sorted(
        pid for pid, command in listing if marker in _words(command) and _is_part(command)
    )


def _command(pid: int, uid: int) -> str:
    """The process's command line; empty for a dead one, a zombie and one of another user."""
    folder = _PROC / str(pid)
    try:
        if folder.stat().st_uid != uid:
            return ""
        for _ in range(_LOOKS):
            command = (folder / "cmdline").read_bytes()
            if command or _is_dead(folder):
                break
            time.sleep(_PAUSE)  # one program is just replacing another in the process
        return command.replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _is_dead(folder: Path) -> bool:
    return (folder / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"


def _ps(uid: int) -> Iterator[tuple[int, str]]:
    """Does the same on systems without /proc (macOS)."""
    listing = subprocess.run(
        ["/bin/ps", "-axww", "-o", "pid=,uid=,command="],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    for line in listing.stdout.splitlines():
        pid, owner, command = [*line.split(maxsplit=2), "", "", ""][:3]
        if pid.isdigit() and owner == str(uid):
            yield int(pid), command


def _words(command: str) -> set[str]:
    # "-c cluster_name=MARKER" in the postmaster, "postgres: MARKER: walwriter" in a child.
    return {word.removeprefix("cluster_name=").rstrip(":") for word in command.split()}


def _is_part(command: str) -> bool:
    # Somebody's `grep MARKER` carries the marker as well. The shell is about to become a server.
    return command.split(maxsplit=1)[0].rstrip(":").endswith(("postgres", "/sh"))
