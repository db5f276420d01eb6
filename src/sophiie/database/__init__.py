"""The embedded PostgreSQL: starts it, joins it, leaves it.

Owns one PostgreSQL server per data folder: its files, its life and who uses it.
Knows nothing of Django, settings or the environment; hands out a URL and keeps the server
behind it alive for as long as one process is inside. Reasons: docs/explanation/adr/0002.
"""

from sophiie.database.embedded import EmbeddedPostgres
from sophiie.database.errors import DatabaseError

__all__ = ["DatabaseError", "EmbeddedPostgres"]
