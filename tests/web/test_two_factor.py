"""Two-factor sign-in: switched on by a person, asked for at every sign-in, never of an API key."""

from __future__ import annotations

import json
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.fernet import Fernet
from django.test import Client

from sophiie.accounts.attempts import Attempts
from sophiie.accounts.models import Member
from sophiie.accounts.two_factor import has_two_factor
from sophiie.audit.models import Entry
from sophiie.ops import keys, people
from tests.conftest import PASSWORD, ApiCaller

pytestmark = pytest.mark.django_db


def signed_in(member: Member) -> Client:
    """A browser in which the member has typed their password."""
    browser = Client()
    browser.post("/login", {"login": member.email, "password": PASSWORD})
    return browser


def code_now(secret: str) -> str:
    """What an app shows on the phone."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def code_of(secret: str) -> str:
    """The same, which is good once, while the tests are quicker than a phone."""
    Attempts.objects.all().delete()
    return code_now(secret)


def switch_on(browser: Client) -> str:
    """Types the password once more and scans the code; returns the secret in it."""
    browser.post("/reauthenticate", {"password": PASSWORD})
    page = browser.get("/two-factor/on")
    assert page.status_code == 200
    assert b"data:image/svg+xml" in page.content
    found = re.search(r'<code class="breakable">(\w+)</code>', page.content.decode())
    assert found
    answer = browser.post("/two-factor/on", {"code": code_of(found[1])})
    assert answer["Location"] == "/two-factor/recovery-codes"
    return found[1]


def recovery_codes(browser: Client) -> list[str]:
    page = browser.get("/two-factor/recovery-codes").content.decode()
    return re.findall(r"<code>(\d{8})</code>", page)


def is_signed_in(browser: Client) -> bool:
    return bool(browser.get("/settings/profile").status_code == 200)


def acts() -> list[str]:
    return list(Entry.objects.order_by("id").values_list("act", flat=True))


def test_it_is_asked_for_after_the_password(alice: Member) -> None:
    secret = switch_on(signed_in(alice))
    browser = Client()
    answer = browser.post("/login", {"login": alice.email, "password": PASSWORD})
    assert answer["Location"] == "/two-factor/code"
    assert not is_signed_in(browser)
    wrong = browser.post("/two-factor/code", {"code": "000000"})
    assert b"That code is not right" in wrong.content
    assert not is_signed_in(browser)
    assert acts()[-1] == "member.sign_in_failed"
    browser.post("/two-factor/code", {"code": code_of(secret)})
    assert is_signed_in(browser)


def test_guessing_codes_is_slowed_down(alice: Member, settings: object) -> None:
    secret = switch_on(signed_in(alice))
    browser = signed_in(alice)
    for guess in range(400):
        if b"Too many" in browser.post("/two-factor/code", {"code": f"{guess:06}"}).content:
            break
    else:
        pytest.fail("somebody may guess for ever")
    code = code_now(secret)
    browser.post("/two-factor/code", {"code": code})
    assert not is_signed_in(browser)


def test_a_recovery_code_lets_in_once(alice: Member) -> None:
    first = signed_in(alice)
    switch_on(first)
    codes = recovery_codes(first)
    assert len(codes) == 10
    for expected in (True, False):
        browser = signed_in(alice)
        browser.post("/two-factor/code", {"code": codes[0]})
        assert is_signed_in(browser) is expected
    assert "recovery_code.used" in acts()


@pytest.mark.parametrize("path", ["on", "off", "recovery-codes/new"])
def test_changing_it_takes_the_password_once_more(alice: Member, page: Client, path: str) -> None:
    if path != "on":
        switch_on(signed_in(alice))
    answer = page.post(f"/two-factor/{path}", {"code": "123456"})
    assert answer.status_code == 302
    assert "/confirm" in answer["Location"] or "/reauthenticate" in answer["Location"]


def test_api_keys_go_on_working(alice: Member, api: ApiCaller) -> None:
    switch_on(signed_in(alice))
    assert api("GET", "/members/me").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_what_happens_to_it_is_in_the_audit_log(alice: Member) -> None:
    browser = signed_in(alice)
    switch_on(browser)
    assert acts()[-1] == "two_factor.on"
    browser.post("/two-factor/recovery-codes/new")
    assert acts()[-1] == "recovery_codes.made"
    browser.post("/two-factor/off")
    assert acts()[-1] == "two_factor.off"
    assert not has_two_factor(alice)
    log = browser.get("/settings/audit").content.decode()
    assert "Alice switched their second step of signing in on" in log


def test_secrets_are_encrypted_and_rotated(alice: Member, settings: object) -> None:
    secret = switch_on(signed_in(alice))
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    old = settings.ENCRYPTION_KEYS  # type: ignore[attr-defined]
    new = Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = (new, *old)  # type: ignore[attr-defined]
    assert keys.take_stock().older == 2
    keys.rotate()
    settings.ENCRYPTION_KEYS = (new,)  # type: ignore[attr-defined]
    assert keys.take_stock().lost == 0
    browser = signed_in(alice)
    browser.post("/two-factor/code", {"code": code_of(secret)})
    assert is_signed_in(browser)


def test_without_its_key_nobody_gets_in_and_nothing_breaks(alice: Member, settings: object) -> None:
    first = signed_in(alice)
    secret = switch_on(first)
    settings.ENCRYPTION_KEYS = (Fernet.generate_key().decode(),)  # type: ignore[attr-defined]
    browser = signed_in(alice)
    answer = browser.post("/two-factor/code", {"code": code_of(secret)})
    assert b"the key is gone" in answer.content
    assert not is_signed_in(browser)
    for path in ("", "/recovery-codes", "/recovery-codes/download"):
        assert first.get(f"/two-factor{path}")["Location"] == "/settings/profile"
    people.reset_two_factor(alice.email)
    assert is_signed_in(signed_in(alice))
    assert acts().count("two_factor.off") == 1


def test_its_pages_speak_german(alice: Member) -> None:
    Member.objects.update(language="de")
    browser = signed_in(alice)
    assert "Zwei-Faktor-Anmeldung" in browser.get("/two-factor").content.decode()
