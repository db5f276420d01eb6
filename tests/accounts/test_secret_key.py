"""The key that signs sessions and links is exchanged without signing anybody out."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.forms import default_token_generator
from django.test import Client

from sophiie.accounts.models import Member


def test_sessions_and_reset_links_outlive_a_new_key(
    alice: Member, page: Client, settings: Any
) -> None:
    token = default_token_generator.make_token(alice)
    before, settings.SECRET_KEY = settings.SECRET_KEY, secrets.token_urlsafe(48)
    settings.SECRET_KEY_FALLBACKS = [before]
    assert page.get("/settings/profile").status_code == 200
    assert default_token_generator.check_token(alice, token)
    settings.SECRET_KEY_FALLBACKS = []
    assert not default_token_generator.check_token(alice, token)
