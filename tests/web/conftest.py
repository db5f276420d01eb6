"""Browsers: signed out, Alice's, Bob's and Charlie's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from sophiie.accounts.models import Member


@pytest.fixture
def page_of() -> Callable[[Member], Client]:
    def signed_in(member: Member) -> Client:
        client = Client()
        client.force_login(member)
        return client

    return signed_in
