"""The audit log as it is outside of tests: not even emptied."""

from __future__ import annotations

import pytest
from django.db import connection


@pytest.fixture
def guarded(db: None) -> None:
    """With the refusal of TRUNCATE that tests are spared elsewhere, until the test is over."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_is_not_emptied")
