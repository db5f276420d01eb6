"""Page and sync tokens: opaque to clients, self-contained for us (facts 3.10, 4).

They are signed with the world's birth mark: neither an invented token nor one from before the
last reset passes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from google_simulator.model import Json

SIGNATURE_LENGTH = 12


def seal(birth: str, content: Json) -> str:
    """The content as an opaque, signed text."""
    data = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    return _signature(birth, data) + base64.urlsafe_b64encode(data).decode()


def open_token(birth: str, token: str) -> dict[str, Any] | None:
    """The content, or None for a text that is not one of our tokens."""
    signature, text = token[:SIGNATURE_LENGTH], token[SIGNATURE_LENGTH:]
    try:
        data = base64.urlsafe_b64decode(text.encode())
    except ValueError:
        return None
    if not hmac.compare_digest(signature.encode(), _signature(birth, data).encode()):
        return None
    content: dict[str, Any] = json.loads(data)
    return content


def _signature(birth: str, data: bytes) -> str:
    return hmac.new(birth.encode(), data, hashlib.sha256).hexdigest()[:SIGNATURE_LENGTH]
