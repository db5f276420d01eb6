"""Where messages wait for the next page: in a cookie; for members, what is too long for one, in
their session. Whoever is signed out has no session of ours to fill."""

from __future__ import annotations

from typing import Any

from django.contrib.messages.storage.fallback import FallbackStorage


class Messages(FallbackStorage):
    """Of what does not fit into the cookie of somebody signed out, the oldest goes."""

    def _store(self, messages: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        user = getattr(self.request, "user", None)
        if user is not None and user.is_authenticated:
            return super()._store(messages, response, *args, **kwargs)  # type: ignore[misc]
        in_cookie: Any = self.storages[0]
        return in_cookie._store(messages, response, remove_oldest=True)
