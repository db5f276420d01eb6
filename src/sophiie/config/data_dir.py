"""Where Sophiie keeps its data unless it is told."""

from __future__ import annotations

import os
from pathlib import Path

from sophiie.config.errors import ConfigurationError


def default_data_dir() -> Path:
    """`var/` in a checkout; when installed, `sophiie/` where the user's programs keep their data.

    See the XDG Base Directory Specification, which says to ignore a relative path.
    """
    sources, root = Path(__file__).resolve().parents[2:4]
    if sources.name == "src" and (root / "pyproject.toml").is_file():
        return root / "var"
    named = Path(os.environ.get("XDG_DATA_HOME", ""))
    try:
        share = named if named.is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError:  # this user has no home
        raise ConfigurationError(
            "SOPHIIE_DATA_DIR is not set and this user has no home folder: "
            "name a folder in which Sophiie may keep its data."
        ) from None
    return share / "sophiie"
