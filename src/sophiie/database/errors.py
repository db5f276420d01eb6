"""The one exception for everything that can go wrong with the embedded PostgreSQL."""


class DatabaseError(Exception):
    """The message is one sentence for the person at the keyboard, sometimes with lines of a log."""
