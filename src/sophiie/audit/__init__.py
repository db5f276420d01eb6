"""The audit log: who did what, when, from where. Rows are added and never changed.

`audit.record(...)` records an act in the act's own transaction. Ids and names are stored as they
were then, without foreign keys: the log knows no other package and outlives what it records. What
it protects against, and what not: docs/reference/audit.md.
"""

from sophiie.audit.acts import Act
from sophiie.audit.origin import ActorKind, by_command, by_itself
from sophiie.audit.recording import Subject, record

__all__ = ["Act", "ActorKind", "Subject", "by_command", "by_itself", "record"]
