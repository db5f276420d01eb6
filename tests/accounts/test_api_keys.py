"""API keys: shown once, kept as a digest, dead when their member is."""

from __future__ import annotations

import pytest
from django.utils import timezone

from sophiie.accounts.api_keys import create_api_key, living_key
from sophiie.accounts.models import ApiKey, Member


def test_a_key_acts_as_its_member_and_no_other(alice: Member, bob: Member) -> None:
    first, second = create_api_key(alice), create_api_key(bob)
    assert getattr(living_key(first), "member", None) == alice
    assert getattr(living_key(second), "member", None) == bob


def test_only_a_digest_is_kept(alice: Member) -> None:
    text = create_api_key(alice)
    secret = text.rpartition("_")[2]
    kept = ApiKey.objects.get()
    assert len(secret) == 64
    assert secret not in f"{kept.prefix} {kept.digest}"


def test_a_revoked_key_is_no_key(alice: Member) -> None:
    text = create_api_key(alice)
    ApiKey.objects.update(revoked_at=timezone.now())
    assert living_key(text) is None


def test_the_key_of_a_switched_off_member_is_no_key(alice: Member) -> None:
    text = create_api_key(alice)
    Member.objects.update(is_active=False)
    assert living_key(text) is None


def test_prefix_and_secret_of_different_keys_do_not_mix(alice: Member, bob: Member) -> None:
    first, second = create_api_key(alice).split("_"), create_api_key(bob).split("_")
    assert living_key("_".join([*first[:2], second[2]])) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sophiie",
        "sophiie__",
        "sophiie_0123456789abcdef_",
        "sophiie_\x00123456789abcdef_" + "f" * 64,
        "sophiie_éééééééééééééééé_" + "f" * 64,
        "sophiie_" + "f" * 100_000,
        "_".join("abcdef"),
    ],
)
@pytest.mark.django_db
def test_garbage_is_no_key_and_no_error(text: str) -> None:
    assert living_key(text) is None
