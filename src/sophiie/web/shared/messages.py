"""Messages for the next page.

They wait in a cookie; those that do not fit wait in the session, for members only, so that nobody
who is signed out can fill the database.
"""

from __future__ import annotations

from typing import Any

from django.contrib.messages.storage.fallback import FallbackStorage


class Messages(FallbackStorage):
    """For somebody signed out, the oldest that do not fit into the cookie are dropped."""

    def _store(self, messages: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        user = getattr(self.request, "user", None)
        if user is not None and user.is_authenticated:
            return super()._store(messages, response, *args, **kwargs)  # type: ignore[misc]
        in_cookie: Any = self.storages[0]
        return in_cookie._store(messages, response, remove_oldest=True)
