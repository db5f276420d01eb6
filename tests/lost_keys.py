"""Secrets in the database whose key is not in the environment (any more)."""

from __future__ import annotations

from cryptography.fernet import Fernet
from django.conf import settings
from django.db.models import Model, TextField, Value
from django.db.models.functions import Cast

LOST = Fernet.generate_key().decode()


def kept(row: Model, column: str) -> str:
    """The column as somebody with a copy of the database sees it."""
    rows = type(row)._base_manager.annotate(kept=Cast(column, TextField()))
    return str(rows.values_list("kept", flat=True).get(pk=row.pk))


def lock_away(row: Model, *columns: str, key: str = LOST) -> None:
    """As if these had been encrypted with another key of ours."""
    for column in columns:
        text = Fernet(key).encrypt(Fernet(settings.ENCRYPTION_KEYS[0]).decrypt(kept(row, column)))
        value = Value(text.decode(), output_field=TextField())
        type(row)._base_manager.filter(pk=row.pk).update(**{column: value})
    row.refresh_from_db()
