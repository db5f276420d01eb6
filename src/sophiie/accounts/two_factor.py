"""Two-factor sign-in: a code from an app on the phone, or a recovery code, besides the password.

`allauth.mfa` does it; here is what Sophiie decides. The secrets are encrypted like all others, and
rotated with them. API keys need no second step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db.models import F, Func, JSONField, Value
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.accounts.people import record_about
from sophiie.audit.failures import record_failure
from sophiie.common.encrypted import UnreadableSecret, decrypt, encrypt

TOTP, RECOVERY = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES
# Where an authenticator of either type keeps its secret.
SECRETS = ("secret", "seed")


class TwoFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """How secrets are stored, and the words for what goes wrong."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("That code is not right. Codes change every half minute."),
        "key_is_lost": _(
            "Codes cannot be checked, because the key is gone that keeps their secret. Whoever runs"
            " Sophiie can bring it back, or switch your second step off."
        ),
    }

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return decrypt(encrypted_text)
        except UnreadableSecret:  # never an empty secret, whose codes anybody could work out
            raise self.validation_error("key_is_lost") from None


@dataclass(frozen=True)
class StoredSecret:
    """One authenticator's secret as it is in the database."""

    pk: int
    name: str
    ciphertext: str

    def replace(self, ciphertext: str) -> bool:
        """False if the secret has changed meanwhile. What else is noted of it stays."""
        same = Authenticator.objects.filter(pk=self.pk, **{f"data__{self.name}": self.ciphertext})
        new = Value(ciphertext, output_field=JSONField())
        changed = Func(
            *(F("data"), Value(f"{{{self.name}}}"), new),
            function="jsonb_set",
            template="%(function)s(%(expressions)s)",
            output_field=JSONField(),
        )
        return bool(same.update(data=changed))


def stored_secrets() -> Iterator[StoredSecret]:
    """All of them, in order."""
    for pk, data in Authenticator.objects.order_by("pk").values_list("pk", "data").iterator():
        for name in SECRETS:
            if data.get(name):
                yield StoredSecret(pk, name, data[name])


def has_two_factor(member: Member) -> bool:
    return bool(Authenticator.objects.filter(user=member, type=TOTP).exists())


def switch_off(member: Member) -> bool:
    """For somebody who has lost their phone and their codes; False if it is off already."""
    deleted, _rows = Authenticator.objects.filter(user=member).delete()
    if deleted:
        record_about(audit.Act.TWO_FACTOR_OFF, member, by=None)
    return bool(deleted)


def connect() -> None:
    """Records in the audit log what the library does."""
    signals.authenticator_added.connect(_on_added, dispatch_uid="audit")
    signals.authenticator_removed.connect(_on_removed, dispatch_uid="audit")
    signals.authenticator_reset.connect(_on_reset, dispatch_uid="audit")
    signals.authenticator_used.connect(_on_used, dispatch_uid="audit")
    signals.authentication_failed.connect(_on_failure, dispatch_uid="audit")


def _on_added(user: Any, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == TOTP:
        record_about(audit.Act.TWO_FACTOR_ON, user, by=user)


def _on_removed(user: Any, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == TOTP:
        record_about(audit.Act.TWO_FACTOR_OFF, user, by=user)


def _on_reset(user: Any, signal: Signal, **_: Any) -> None:
    record_about(audit.Act.RECOVERY_CODES_MADE, user, by=user)


def _on_used(user: Any, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == RECOVERY:
        record_about(audit.Act.RECOVERY_CODE_USED, user, by=user)


def _on_failure(user: Any, **_: Any) -> None:
    record_failure(user)
