"""What strangers can find out, take over and leave behind: nothing, and little."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth import hashers
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.api_keys import create_api_key, living_key, living_keys_of
from sophiie.accounts.models import ApiKey, Business, Member
from sophiie.common import sql
from sophiie.web.shared import submitted_data
from sophiie.web.shared.messages import Messages
from sophiie.web.shared.submitted_data import form_owner
from tests.conftest import PASSWORD
from tests.mails import delivered, invited, mailed_link
from tests.web.pages import parsed
from tests.web.routes import ROUTES
from tests.web.test_walls import GUARDED, address

pytestmark = pytest.mark.django_db
NEW = "a quite different phrase"
DORA = "dora@example.com"


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.SIGN_UP_OPEN = True


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], tuple[Any, ...]]:
    """What a request costs, where its time goes: statements, password hashes, mails."""

    def measured(act: Callable[[], Any]) -> tuple[Any, ...]:
        hashed, sent = [], []
        encode, send = hashers.MD5PasswordHasher.encode, sql.send

        def counting_hash(self: Any, *args: Any) -> str:
            hashed.append(1)
            return encode(self, *args)

        def counting_send(statement: str, /, **values: Any) -> Any:
            sent.append(statement)
            return send(statement, **values)

        with monkeypatch.context() as patched, CaptureQueriesContext(connection) as captured:
            patched.setattr(hashers.MD5PasswordHasher, "encode", counting_hash)
            patched.setattr(sql, "send", counting_send)
            answer = act()
        shapes = [re.split(" WHERE | VALUES |SAVEPOINT ", query["sql"])[0] for query in captured]
        content = answer.content.decode()
        return answer.status_code, answer.get("Location"), len(content), len(hashed), shapes, sent

    return measured


# One answer, whether an address is known


@pytest.mark.parametrize("known", ["alice@example.com", "bob@example.com"])
@pytest.mark.parametrize(
    ("path", "field"),
    [("/password/reset", "email"), ("/signup", "email"), ("/settings/profile/email", "email")],
)
def test_an_address_that_is_known_is_answered_like_any_other(
    alice: Member, bob: Member, charlie: Member, work: Any, path: str, field: str, known: str
) -> None:
    """`work` stands for the time: the same statements, the same hashes, no mail."""
    Member.objects.filter(email="bob@example.com").update(is_active=False)

    browser = Client()
    if path.startswith("/settings"):
        browser.force_login(charlie, backend=django_settings.AUTHENTICATION_BACKENDS[0])

    def ask(email: str) -> Any:
        browser.cookies.pop("messages", None)
        return browser.post(path, {field: email, "password": PASSWORD})

    ask("somebody@example.com")  # what is made once is made
    assert work(lambda: ask(known)) == work(lambda: ask("nobody@example.com"))


def test_signing_in_costs_the_same_for_an_address_that_is_unknown(alice: Member, work: Any) -> None:
    def cost(email: str) -> Any:
        sent = {"login": email, "password": "wrong"}
        return work(lambda: Client().post("/login", sent))[3]

    assert cost("alice@example.com") == cost("nobody@example.com") == 1


def test_the_mail_alone_says_that_an_account_is_there(alice: Member) -> None:
    Client().post("/signup", {"email": "ALICE@example.com"})
    (message,) = delivered()
    assert message.to == [alice.email]
    assert "has an account already" in str(message.body)
    assert "/signup/" not in str(message.body)


# Somebody else's address


def test_who_signs_up_as_somebody_else_has_nothing_and_stands_in_nobodys_way(
    alice: Member,
) -> None:
    """The pre-hijack: sign up as a person who is not here yet, make a key, wait for them."""
    attacker = Client()
    taken = {"email": DORA, "password": PASSWORD, "name": "Dora", "timezone": "Europe/Berlin"}
    response = attacker.post("/signup", {**taken, "business_name": "Trap"})
    assert response["Location"] == "/signup/sent"
    link_of_mail = mailed_link(DORA)
    assert not Session.objects.exists()
    assert attacker.post("/login", {"login": DORA, "password": PASSWORD}).status_code == 200
    for path in ("/settings/keys", "/calendar"):
        assert attacker.get(path)["Location"].startswith("/login")
    assert (ApiKey.objects.count(), Business.objects.count()) == (0, 1)
    # Dora comes, in whatever way, and what is hers is hers alone.
    browser = Client()
    mine = {"business_name": "Dora’s", "timezone": "Europe/Berlin", "name": "Dora"}
    assert browser.post(link_of_mail, {**mine, "password": NEW})["Location"] == "/calendar"
    assert not attacker.post("/login", {"login": DORA, "password": PASSWORD}).has_header("Location")
    assert attacker.post(link_of_mail, {**mine, "password": PASSWORD}).status_code == 404
    (owner,) = Member.objects.filter(email=DORA)
    assert owner.business.name == "Dora’s"
    assert not living_keys_of(owner)


def test_whose_address_somebody_tried_can_still_be_invited(alice: Member) -> None:
    Client().post("/signup", {"email": DORA})
    secret = invited(by=alice, email=DORA, role="member")
    joined = Client().post(f"/join/{secret}", {"name": "Dora", "password": NEW})
    assert joined["Location"] == "/calendar"


# A new password


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("way", ["change", "reset"])
def test_a_new_password_ends_sessions_and_keys_unless_they_are_kept_on_purpose(
    alice: Member, bob: Member, page: Client, way: str, kept: bool
) -> None:
    elsewhere = Client()
    elsewhere.force_login(alice, backend=django_settings.AUTHENTICATION_BACKENDS[0])
    keys, others = [create_api_key(alice) for _ in range(2)], create_api_key(bob)
    typed = {"password1": NEW, "password2": NEW, **({"keep_keys": "on"} if kept else {})}
    if way == "change":
        form, where = page.get("/password/change"), "/password/change"
        typed["oldpassword"] = PASSWORD
    else:
        page.post("/password/reset", {"email": alice.email})
        page = Client()
        form = page.get(mailed_link(), follow=True)
        where = form.redirect_chain[-1][0]
    shown = parsed(form)
    assert "Keep 2 API keys working" in shown.words
    box = shown.one("input", name="keep_keys")
    assert (box["type"], "checked" in box.attributes) == ("checkbox", False)
    assert page.post(where, typed).status_code == 302
    assert elsewhere.get("/calendar").status_code == 302
    assert [living_key(key) is not None for key in keys] == [kept, kept]
    assert getattr(living_key(others), "member", None) == bob


def test_without_keys_there_is_nothing_to_keep(page: Client) -> None:
    assert "keep_keys" not in page.get("/password/change").content.decode()


# What the Host header is good for


@pytest.mark.parametrize("host", ["localhost:6666", "127.0.0.1", "[::1]:8000"])
def test_no_link_in_a_mail_is_made_from_the_host_header(page: Client, host: str) -> None:
    headers = {"Host": host}
    anybody = Client(headers=headers)
    anybody.post("/password/reset", {"email": "alice@example.com"})
    anybody.post("/signup", {"email": DORA})
    page.post("/settings/team/invite", {"email": DORA, "role": "member"}, headers=headers)
    mine = {"email": "alice.new@example.com", "password": PASSWORD}
    page.post("/settings/profile/email", mine, headers=headers)
    messages = delivered()
    assert len(messages) == 4
    for message in messages:
        links = [word for word in str(message.body).split() if "://" in word]
        assert links
        assert all(link.startswith("http://localhost:8000/") for link in links)


def test_the_walk_to_google_comes_back_only_to_a_name_of_ours(page: Client, google: Any) -> None:
    for host, back in (
        ("127.0.0.1:8000", "http%3A%2F%2F127.0.0.1%3A8000%2F"),
        ("localhost:8000", "http%3A%2F%2Flocalhost%3A8000%2F"),
        ("localhost:6666", "http%3A%2F%2Flocalhost%3A8000%2F"),
        ("127.0.0.1", "http%3A%2F%2Flocalhost%3A8000%2F"),
    ):
        answer = page.post("/integrations/google/connect", headers={"Host": host})
        assert f"redirect_uri={back}" in answer["Location"]


# What strangers leave behind


def test_no_request_of_a_stranger_makes_a_session(alice: Member) -> None:
    stranger = Client()
    for name, route in ROUTES.items():
        if name in GUARDED or "(" not in route:
            where = address(route, alice.pk)
            stranger.get(where)
            stranger.post(where, {"email": DORA, "login": DORA, "password": "x", "title": "x"})
    assert not Session.objects.exists()


@pytest.mark.parametrize("known", [False, True])
def test_more_messages_than_fit_into_a_cookie_are_kept_for_members_alone(
    alice: Member, rf: Any, known: bool
) -> None:
    """A stranger presses a button a thousand times and never looks at the page."""
    request = rf.get("/")
    request.user, request.session = (alice if known else AnonymousUser()), SessionStore()
    kept = Messages(request)
    for _ in range(100):
        kept.add(messages.INFO, secrets.token_hex(50))
    kept.update(HttpResponse())
    assert request.session.modified is known


def kept_texts() -> int:
    return sum("typed_text" in session.get_decoded() for session in Session.objects.all())


def send_late(by: str, address: str) -> None:
    typed = {"typed_by": by, "title": "x", "notes": "y" * 50_000}
    Client(REMOTE_ADDR=address).post("/appointments/new", typed)


@pytest.mark.parametrize(
    ("limit", "most"), [("FOR_ONE_MEMBER", 20), ("FROM_ONE_ADDRESS", 60), ("ALTOGETHER", 2000)]
)
def test_what_is_kept_of_people_who_are_signed_out_is_bounded(
    alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    """Whoever once had a page of a member could send its form for ever."""
    assert getattr(submitted_data, limit).amount == most
    for name in ("FOR_ONE_MEMBER", "FROM_ONE_ADDRESS", "ALTOGETHER"):
        amount = 3 if name == limit else 100
        small = submitted_data.Limit(name=name, amount=amount, seconds=1800)
        monkeypatch.setattr(submitted_data, name, small)
    for number in range(8):
        by = form_owner(bob if limit != "FOR_ONE_MEMBER" and number % 2 else alice)
        send_late(by, "203.0.113.1" if limit == "FROM_ONE_ADDRESS" else f"203.0.113.{number}")
    assert kept_texts() == 3
    if limit == "FOR_ONE_MEMBER":  # of whom another loses nothing
        send_late(form_owner(bob), "203.0.113.9")
        assert kept_texts() == 4


def test_nothing_is_kept_for_who_left_the_business(alice: Member, bob: Member) -> None:
    by = form_owner(bob)
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    send_late(by, "203.0.113.1")
    assert not Session.objects.exists()


# The demo


def test_the_demo_says_where_its_mails_are(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    for demo in (True, False):
        settings.DEMO = demo
        for path in ("/signup/sent", "/password/reset/done"):
            shown = Client().get(path).content.decode()
            assert (str(settings.EMAIL_FILE_PATH) in shown) is demo
