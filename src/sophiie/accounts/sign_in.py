"""How Sophiie configures django-allauth.

What a guesser cannot change slows guessing at passwords down: first the network address together
with the account, so that nobody locks anybody else out; then the address alone (the library's own
limit); and the account as a whole only at addresses where its owner never signed in.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from sophiie.accounts.known_addresses import is_known_address
from sophiie.accounts.limits import Limit
from sophiie.common.addresses import client_address, client_network

FROM_HERE = Limit(name="sign-in-here", amount=10, seconds=300)
FROM_ANYWHERE = Limit(name="sign-in-anywhere", amount=100, seconds=3600)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Sign-up is `accounts.sign_up`, not the library's."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or "unknown"

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Counts an attempt before making it, so that many at once are no way around."""
        email = str(credentials.get("email") or "").strip().lower()
        taken = self._taken(request, email)
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user:  # only failures count
            for limit, who in taken:
                limit.give_back(who)
        return user

    def _taken(self, request: HttpRequest, email: str) -> list[tuple[Limit, str]]:
        taken = [(FROM_HERE, f"{client_network(request)} {email}")]
        if not is_known_address(request, email=email):
            taken.append((FROM_ANYWHERE, email))
        for limit, who in taken:
            if limit.take(who):
                raise self.validation_error("too_many_login_attempts")
        return taken
