"""What can go wrong with the embedded PostgreSQL, as one exception."""


class DatabaseError(Exception):
    """Its text is one sentence for the person at the keyboard, at times with lines of a log."""
