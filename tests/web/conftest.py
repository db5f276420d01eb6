"""Browsers: signed out, Alice's, Bob's and Charlie's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from sophiie.accounts.models import Member


@pytest.fixture(autouse=True)
def _no_attempts_remembered() -> Iterator[None]:
    """The limits on sign-in attempts are counted in the cache; every test begins at zero."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def page_of() -> Callable[[Member], Client]:
    def signed_in(member: Member) -> Client:
        client = Client()
        client.force_login(member)
        return client

    return signed_in
