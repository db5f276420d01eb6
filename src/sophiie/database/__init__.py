"""The embedded PostgreSQL: starts it, joins it, leaves it.

Owns one PostgreSQL server for each data folder: its files, its life, and who uses it. It knows
nothing of Django, settings or the environment; it hands out a URL and keeps the server alive while
at least one process is inside. Reasons: docs/explanation/adr/0002-embedded-postgresql.md.
"""

from sophiie.database.embedded import EmbeddedPostgres
from sophiie.database.errors import DatabaseError

__all__ = ["DatabaseError", "EmbeddedPostgres"]
