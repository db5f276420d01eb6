"""API keys: `sophiie_<prefix>_<secret>`. The prefix finds the row, the digest proves the rest."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from sophiie.accounts.models import ApiKey, Member

_MARK = "sophiie"
_SHAPE = re.compile(rf"{_MARK}_([0-9a-f]{{16}})_[0-9a-f]{{64}}")


def create_api_key(member: Member) -> str:
    """A new key for `member`, as text that is shown once and stored nowhere."""
    prefix = secrets.token_hex(8)
    # Hexadecimal, so that the separator cannot occur in it; 256 bits, so that a plain digest (no
    # slow password hash) is enough.
    text = f"{_MARK}_{prefix}_{secrets.token_hex(32)}"
    ApiKey.objects.create(member=member, prefix=prefix, digest=_digest(text))
    return text


def member_of_api_key(text: str) -> Member | None:
    """The active member a key acts as, or None for anything that is not a living key."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    key = (
        ApiKey.objects.select_related("member__business")
        .filter(prefix=shape[1], revoked_at=None, member__is_active=True)
        .first()
    )
    # Compared even when no row was found, so that a wrong prefix costs the same time.
    known = key.digest if key else "0" * 64
    if not hmac.compare_digest(known, _digest(text)) or key is None:
        return None
    return key.member


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
