"""The secrets that a demo makes for itself, in its data folder."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

from sophiie.config.errors import ConfigurationError

SECRETS_FILE = "secrets.json"


def kept_secrets(data_dir: Path) -> dict[str, Any] | None:
    """`secret_key` and `encryption_keys`; None where no demo made any.

    Raises `ConfigurationError`.
    """
    path = data_dir / SECRETS_FILE
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from None
    return kept


def keep_own_secrets(data_dir: Path) -> None:
    """Makes the demo's secrets once, readable by their owner alone."""
    path = data_dir / SECRETS_FILE
    fresh = {
        "secret_key": secrets.token_urlsafe(48),
        "encryption_keys": [Fernet.generate_key().decode()],
    }
    # Written under another name first: a second start at the same moment, or a kill, must never
    # leave half a file or two different keys.
    temporary = data_dir / f".{SECRETS_FILE}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(fresh, file)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
