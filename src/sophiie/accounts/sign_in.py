"""What Sophiie asks of django-allauth."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """Members are added by their business, so nobody signs up alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
