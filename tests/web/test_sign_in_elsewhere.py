"""Signing in with another OpenID provider: only verified addresses of members, nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from django.conf import settings as django_settings
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.sign_in_elsewhere import ProviderAdapter
from sophiie.audit.models import Entry
from sophiie.config.environment import Environment
from sophiie.config.sign_in import SignInProvider
from tests.linking import path_of
from tests.web.test_two_factor import is_signed_in, signed_in, switch_on

pytestmark = pytest.mark.django_db

CALLBACK = "http://localhost:8000/login/with/oidc/callback"


def provide(settings: Any, issuer: str, client_id: str = "", secret: str = "") -> None:
    """The operator has configured this provider."""
    provider = SignInProvider(
        id="oidc", name="Our house", issuer=issuer, client_id=client_id, client_secret=secret
    )
    settings.SIGN_IN_PROVIDERS = [provider]
    registry.register(OpenIDConnectProvider)  # as at the start of a process that has one
    app = {
        "provider_id": provider.id,
        "name": provider.name,
        "client_id": client_id,
        "secret": secret,
        "settings": {"server_url": issuer},
    }
    known = django_settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {**known, "APPS": [app]}}


@pytest.fixture
def provider(google: RunningSimulator, settings: Any) -> RunningSimulator:
    provide(settings, google.base_url, google.client_id, google.client_secret)
    return google


def walk(provider: RunningSimulator, browser: Client, account: str) -> Any:
    """Presses the button, says yes over there, comes back."""
    away = browser.post("/login/with/oidc", headers={"host": "localhost:8000"})
    assert away.status_code == 302, away.content
    back = provider.authorize(away["Location"], account=account)
    assert back.startswith(CALLBACK)
    return browser.get(path_of(back), headers={"host": "localhost:8000"})


def test_a_member_signs_in_by_their_verified_address(
    alice: Member, provider: RunningSimulator
) -> None:
    browser = Client()
    assert b"Sign in with Our house" in browser.get("/login").content
    answer = walk(provider, browser, "alice@example.com")
    assert answer["Location"] == "/calendar"
    assert is_signed_in(browser)
    assert Entry.objects.filter(act="member.signed_in").exists()
    assert not SocialAccount.objects.exists()  # nothing is kept
    assert signed_in(alice).get("/settings/profile").status_code == 200  # the password still works


def test_whoever_is_no_member_stays_outside(alice: Member, provider: RunningSimulator) -> None:
    browser = Client()
    answer = walk(provider, browser, "bob@example.com")
    assert answer.status_code == 403
    assert b"Nobody to sign in" in answer.content
    assert not is_signed_in(browser)
    assert Member.objects.count() == 1


@pytest.mark.parametrize("claim", [False, None, "true", 1])
def test_an_address_that_is_not_verified_is_anybodys(
    alice: Member, rf: RequestFactory, claim: Any
) -> None:
    """Whatever else the provider says in that place."""
    said = SocialLogin(
        account=SocialAccount(provider="oidc", uid="1"),
        email_addresses=[EmailAddress(email=alice.email, verified=claim)],
    )
    request = rf.get(CALLBACK)
    request.user = AnonymousUser()
    with pytest.raises(ImmediateHttpResponse) as refusal:
        ProviderAdapter().pre_social_login(request, said)
    assert refusal.value.response.status_code == 403


def test_a_deactivated_member_stays_outside(alice: Member, provider: RunningSimulator) -> None:
    Member.objects.update(is_active=False)
    browser = Client()
    assert walk(provider, browser, "alice@example.com").status_code == 403
    assert not is_signed_in(browser)


def test_the_second_step_is_asked_for_here_too(alice: Member, provider: RunningSimulator) -> None:
    switch_on(signed_in(alice))
    browser = Client()
    assert walk(provider, browser, "alice@example.com")["Location"] == "/two-factor/code"
    assert not is_signed_in(browser)


def test_an_answer_that_nobody_asked_for_is_refused(
    alice: Member, provider: RunningSimulator
) -> None:
    """Somebody sends Alice a link with a code of their own."""
    away = Client().post("/login/with/oidc", headers={"host": "localhost:8000"})
    back = provider.authorize(away["Location"], account="alice@example.com")
    other = Client()
    answer = other.get(path_of(back), headers={"host": "localhost:8000"})
    assert answer.status_code == 403
    assert not is_signed_in(other)


def test_it_takes_a_press_on_the_button(provider: RunningSimulator) -> None:
    assert Client().get("/login/with/oidc").status_code == 405


def test_a_provider_that_is_away_is_said_so(alice: Member, settings: Any) -> None:
    provide(settings, "http://127.0.0.1:9", "client", "secret")
    answer = Client().post("/login/with/oidc")
    assert answer.status_code == 502
    assert b"That did not work" in answer.content


def test_it_is_off_unless_configured(alice: Member) -> None:
    assert b"Sign in with" not in Client().get("/login").content
    assert Client().post("/login/with/oidc").status_code == 404


@pytest.mark.parametrize("is_configured", [True, False])
def test_each_process_loads_the_library_only_if_there_is_a_provider(is_configured: bool) -> None:
    """What it brings along takes memory in every process."""
    names = ("CLIENT_ID", "CLIENT_SECRET") if is_configured else ()
    configured = {f"SOPHIIE_SIGN_IN_GOOGLE_{name}": "x" for name in names}
    code = (
        "import os, sys; from tests import environment\n"
        f"os.environ.update({configured}, DJANGO_SETTINGS_MODULE='sophiie.config.settings')\n"
        "import django; django.setup()\n"
        "import sophiie.config.urls, sophiie.sync.worker\n"
        "from allauth.socialaccount.providers import registry\n"
        "print('openid_connect' in registry.provider_map, 'requests' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TESTS_DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split()[-2:] == [str(is_configured)] * 2


def test_a_half_configured_provider_is_off_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPHIIE_SIGN_IN_OIDC_ISSUER", "https://id.example.com")
    monkeypatch.setenv("SOPHIIE_SIGN_IN_GOOGLE_CLIENT_ID", "id")
    monkeypatch.setenv("SOPHIIE_SIGN_IN_GOOGLE_CLIENT_SECRET", "secret")
    environment = Environment()
    assert [provider.id for provider in environment.sign_in_providers] == ["google"]
    assert environment.half_a_sign_in_provider == [
        "SOPHIIE_SIGN_IN_OIDC_CLIENT_ID",
        "SOPHIIE_SIGN_IN_OIDC_CLIENT_SECRET",
    ]
