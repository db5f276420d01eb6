"""API keys: `sophiie_<prefix>_<secret>`. The prefix finds the row, the digest proves the rest."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import ApiKey, Business, Member
from sophiie.accounts.people import InvalidAccount
from sophiie.common.blank import is_blank
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.common.sql import Columns, execute

logger = log(__name__)

# A member with more has lost count of them.
MAX_LIVING = 50
_USE_NOTED_EVERY = timedelta(hours=1)
_MARK = "sophiie"
_KEY, _MEMBER, _BUSINESS = Columns(ApiKey), Columns(Member), Columns(Business)
_SHAPE = re.compile(rf"{_MARK}_([0-9a-f]{{16}})_[0-9a-f]{{64}}")


def create_api_key(member: Member, *, name: str = "") -> str:
    """Makes a key for `member` and returns its text, which is shown once and stored nowhere.

    Raises `InvalidAccount`.
    """
    name = "" if is_blank(name) else " ".join(name.split())
    if len(name) > 100 or "\x00" in name:
        raise InvalidAccount(_("The name of a key may have at most 100 characters."), field="name")
    if living_keys_of(member).count() >= MAX_LIVING:
        raise InvalidAccount(
            _("There are %(n)s keys. Revoke those that nobody uses first.") % {"n": MAX_LIVING}
        )
    prefix = secrets.token_hex(8)
    # Hexadecimal, so the separator cannot occur in it; 256 bits, so a plain digest (no slow
    # password hash) is enough.
    text = f"{_MARK}_{prefix}_{secrets.token_hex(32)}"
    with transaction.atomic():
        key = ApiKey.objects.create(member=member, prefix=prefix, digest=_digest(text), name=name)
        audit.record(
            act=audit.Act.API_KEY_MADE,
            business_id=member.business_id,
            by=member,
            subject=audit.Subject("api_key", key.id, name or prefix),
            details=_whose(member),
        )
    logger.info("api key made", member_id=str(member.id), prefix=prefix)
    return text


def living_keys_of(member: Member) -> QuerySet[ApiKey]:
    """The member's working keys, newest first."""
    return ApiKey.objects.filter(member=member, revoked_at=None).order_by("-created_at", "id")


def living_keys_of_team(by: Member) -> QuerySet[ApiKey]:
    """The working keys of the other active members; owners and admins see them, others none."""
    keys = ApiKey.objects.filter(
        member__business=by.business_id, member__is_active=True, revoked_at=None
    ).exclude(member=by)
    keys = keys.select_related("member").order_by("member__name", "-created_at", "id")
    return keys if by.manages_business else keys.none()


def revoke_api_key(*, by: Member, key_id: UUID) -> ApiKey | None:
    """Ends a key at once: one's own, or for owners and admins anybody's in the business.

    None if this person may end no such key. Idempotent.
    """
    keys = ApiKey.objects.select_related("member").filter(member__business=by.business_id)
    if not by.manages_business:
        keys = keys.filter(member=by)
    key = keys.filter(pk=key_id).first()
    if key is not None and key.revoked_at is None:
        with transaction.atomic():
            key.revoked_at = now()
            key.save(update_fields=["revoked_at"])
            audit.record(
                act=audit.Act.API_KEY_REVOKED,
                business_id=by.business_id,
                by=by,
                subject=audit.Subject("api_key", key.id, key.name or key.prefix),
                details=_whose(key.member),
            )
        logger.info("api key revoked", prefix=key.prefix, by=str(by.id))
    return key


def revoke_all_keys_of(member: Member) -> int:
    """Ends every key of a member and returns how many; a change of password does this."""
    revoked = ApiKey.objects.filter(member=member, revoked_at=None).update(revoked_at=now())
    if revoked:
        logger.info("api keys revoked with the password", member_id=str(member.pk), keys=revoked)
    return revoked


def living_key(text: str) -> ApiKey | None:
    """The key with its member; None for anything but a working key."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    key = _key_with(shape[1])
    # Compared even if no row was found, so that a wrong prefix takes the same time.
    known = key.digest if key else "0" * 64
    if not hmac.compare_digest(known, _digest(text)) or key is None:
        return None
    moment = now()
    if key.last_used_at is None or abs(moment - key.last_used_at) > _USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=moment)
    return key


def _key_with(prefix: str) -> ApiKey | None:
    """The key with its member and their business, as every request of the API needs them.

    By a statement of our own: Django takes 1 ms to make the same one anew for each request.
    """
    rows = execute(
        f"""
        SELECT {_KEY.of("key")}, {_MEMBER.of("member")}, {_BUSINESS.of("business")}
        FROM accounts_apikey AS key
        JOIN accounts_member AS member ON member.id = key.member_id
        JOIN accounts_business AS business ON business.id = member.business_id
        WHERE key.prefix = %(prefix)s AND key.revoked_at IS NULL AND member.is_active
        """,  # noqa: S608 - columns, no values
        prefix=prefix,
    )
    if not rows:
        return None
    values = iter(rows[0])
    key, key.member = _KEY.built(values), _MEMBER.built(values)
    key.member.business = _BUSINESS.built(values)
    return key


def _whose(member: Member) -> dict[str, str]:
    return {"for": member.name, "for_id": str(member.id)}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
