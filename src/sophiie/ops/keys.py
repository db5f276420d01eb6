"""`sophiie rotate-keys`: encrypts every stored secret with the first key, while the product runs.

Django's registry of models says what is encrypted, so no field is forgotten; the secrets of the
second step of signing in lie in a model of the library's. A secret is replaced
only if it is still the one that was read, so one that a worker renews at the same moment stays.
Nothing is locked for longer than one statement. Idempotent, also after an interruption.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model, TextField, Value
from django.db.models.functions import Cast

from sophiie import audit
from sophiie.accounts import two_factor
from sophiie.common.encrypted import EncryptedTextField, Standing, rotated, standing
from sophiie.common.logs import log

logger = log(__name__)

BATCH = 200


@dataclass(frozen=True)
class Stored:
    """One secret as it is in the database."""

    model: type[Model]
    column: str
    pk: Any
    ciphertext: str

    def replace(self, ciphertext: str) -> bool:
        """False if the secret has changed meanwhile."""
        same = _raw(self.model, self.column).filter(pk=self.pk, kept=self.ciphertext)
        # Written raw: the field itself would encrypt it again.
        changed = same.update(**{self.column: Value(ciphertext, output_field=TextField())})
        return bool(changed)


@dataclass(frozen=True)
class Stock:
    """How many secrets are stored, need an older key, or cannot be read."""

    total: int
    older: int
    lost: int


def rotate() -> str:
    """Rotates, and says in a sentence what was done and what is left."""
    exchanged = 0
    for secret in _stored_secrets():
        if standing(secret.ciphertext) == Standing.OLDER:
            exchanged += secret.replace(rotated(secret.ciphertext))
    left = take_stock()
    logger.info("keys rotated", exchanged=exchanged, older=left.older, lost=left.lost)
    with audit.by_command("rotate-keys"), transaction.atomic():
        audit.record(act=audit.Act.KEYS_ROTATED, business_id=None, details={"exchanged": exchanged})
    words = f"{exchanged} secrets encrypted anew; {left.older} are left on older keys."
    if left.older:
        words += " Something still writes with an older key first: give every process the new list."
    if left.lost:
        words += f" {left.lost} can be read with no key; `sophiie doctor` says what to do."
    return words


def take_stock() -> Stock:
    """Looks at every stored secret, changes nothing."""
    count = dict.fromkeys(Standing, 0)
    for secret in _stored_secrets():
        count[standing(secret.ciphertext)] += 1
    return Stock(sum(count.values()), count[Standing.OLDER], count[Standing.LOST])


def encrypted_columns() -> list[tuple[type[Model], str]]:
    """Every encrypted field of every model."""
    return [
        (model, field.name)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField)
    ]


def _stored_secrets() -> Iterator[Stored | two_factor.StoredSecret]:
    """All secrets, a batch at a time, in a stable order."""
    yield from two_factor.stored_secrets()
    for model, column in encrypted_columns():
        rows = _raw(model, column).exclude(kept="").order_by("pk").values_list("pk", "kept")
        batch = list(rows[:BATCH])
        while batch:
            for pk, ciphertext in batch:
                yield Stored(model, column, pk, ciphertext)
            batch = list(rows.filter(pk__gt=batch[-1][0])[:BATCH])


def _raw(model: type[Model], column: str) -> Any:
    """The rows of a model with one column's ciphertext as `kept`, not decrypted."""
    found = model._base_manager.exclude(**{f"{column}__isnull": True})
    return found.annotate(kept=Cast(column, TextField()))
