"""Earlier releases as they were, from this repository's history."""

from __future__ import annotations

import io
import subprocess
import tarfile
from functools import cache
from pathlib import Path

import pytest

from tests.environment import FOLDER
from tests.processes import ROOT

# By release, its last commit.
COMMITS = {
    "0.1.0": "bdd09e1f6d51581e08261b09fe8d1ea43524affe",
    "0.2.0": "d7bd02a7fdf64acab05cf66086e5260ad0e425bb",
}


@cache
def source_of(release: str) -> Path:
    """The folder with that release's packages."""
    done = subprocess.run(
        ["git", "archive", "--format=tar", COMMITS[release], "src"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode:  # a shallow clone, or an exported tree
        pytest.skip(f"needs the code of {release}: `git fetch --unshallow` brings it")
    folder = FOLDER / f"release-{release}"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "src"
