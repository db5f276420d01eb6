"""Mails leave by the worker: whatever was away meanwhile, each once, and nothing secret waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection

from sophiie.accounts import mail_sending
from sophiie.accounts.invitations import FOR_ONE_PERSON, FROM_ONE_BUSINESS, invite, withdraw
from sophiie.accounts.mail import FOR_ONE_ADDRESS, post
from sophiie.accounts.mail_sending import KEPT_FOR, send_due
from sophiie.accounts.mail_texts import plain_name
from sophiie.accounts.models import Invitation, MailKind, Member, OutgoingMail
from sophiie.accounts.people import InvalidAccount, deactivate
from tests.mails import delivered, mailed_link

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
DORA = "dora@example.com"


class Away(EmailBackend):
    """A mail server that is away: `Away.for_attempts` times, then there."""

    for_attempts = 0

    def send_messages(self, messages: Any) -> int:
        if Away.for_attempts:
            Away.for_attempts -= 1
            raise ConnectionRefusedError
        return super().send_messages(messages)


@pytest.fixture
def away(settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.accounts.test_mail.Away"
    Away.for_attempts = 2


def test_a_mail_leaves_once_and_is_gone(alice: Member) -> None:
    post(MailKind.RESET, to=alice.email)
    assert len(delivered()) == 1
    assert delivered() == []
    assert not OutgoingMail.objects.exists()


def test_a_mail_waits_for_the_server_and_arrives_once(alice: Member, away: None) -> None:
    post(MailKind.RESET, to=alice.email)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        assert send_due() == send_due() == 0
        clock.shift(timedelta(minutes=2))
        assert send_due() == 0
        clock.shift(timedelta(minutes=5))
        assert (send_due(), send_due()) == (1, 0)
    assert len(mail.outbox) == 1


def test_a_worker_that_dies_while_sending_loses_nothing(
    alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not known whether the mail left: the second one has the same id, so one is kept."""

    class Killed(BaseException):
        pass

    def killed(mail_: OutgoingMail) -> int:
        sent(mail_)
        raise Killed

    sent = mail_sending._made_and_sent
    post(MailKind.RESET, to=alice.email)
    with monkeypatch.context() as dying:
        dying.setattr(mail_sending, "_made_and_sent", killed)
        with pytest.raises(Killed):
            send_due()
    assert send_due() == 0  # not at once: another worker may be at it
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        assert send_due() == 1
    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]


def test_one_that_cannot_be_made_holds_up_nobody(alice: Member) -> None:
    post(MailKind.INVITATION, to=DORA)  # about nothing: a mistake of ours
    post(MailKind.RESET, to=alice.email)
    assert [m.to for m in delivered()] == [[alice.email]]


def test_after_days_a_mail_is_given_up(alice: Member) -> None:
    post(MailKind.RESET, to=alice.email)
    with time_machine.travel(datetime.now(UTC) + KEPT_FOR + timedelta(minutes=1)):
        assert delivered() == []
    assert not OutgoingMail.objects.exists()


def test_no_secret_waits_in_the_database(alice: Member) -> None:
    """Who reads the database, or a copy of it, finds nothing that opens anything."""
    post(MailKind.RESET, to=alice.email)
    post(MailKind.SIGN_UP, to=DORA)
    invite(by=alice, email=DORA, role="member")
    with connection.cursor() as cursor:
        cursor.execute("SELECT outgoing::text FROM accounts_outgoingmail AS outgoing")
        rows = [text for (text,) in cursor.fetchall()]
    assert len(rows) == 3
    for message in delivered():
        (link,) = [line for line in str(message.body).splitlines() if line.startswith("http")]
        assert not [row for row in rows if link.rpartition("/")[2] in row]


def test_too_many_for_one_address_are_not_sent(alice: Member) -> None:
    for _ in range(FOR_ONE_ADDRESS.amount + 3):
        post(MailKind.SIGN_UP, to=DORA)
    post(MailKind.SIGN_UP, to=alice.email)
    to = [message.to[0] for message in delivered()]
    assert to == [DORA] * FOR_ONE_ADDRESS.amount + [alice.email]


def test_what_strangers_have_waiting_is_bounded(
    alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sophiie.accounts.mail.MAX_WAITING", 3)
    for number in range(5):
        post(MailKind.SIGN_UP, to=f"d{number}@example.com")
    assert OutgoingMail.objects.count() == 3
    invite(by=alice, email=DORA, role="member")  # members are not held up by strangers
    assert OutgoingMail.objects.count() == 4


def test_a_server_that_does_not_answer_is_asked_once_a_round(alice: Member, away: None) -> None:
    """Stopping the worker waits for one mail, not for all that are due."""
    for _ in range(5):
        post(MailKind.RESET, to=alice.email)
    send_due()
    assert sorted(OutgoingMail.objects.values_list("attempts", flat=True)) == [0, 0, 0, 0, 1]


def test_a_withdrawn_invitation_is_not_sent(alice: Member) -> None:
    invitation = invite(by=alice, email=DORA, role="member")
    withdraw(by=alice, invitation_id=invitation.pk)
    assert delivered() == []
    assert not OutgoingMail.objects.exists()


def test_whoever_left_gets_no_reset(alice: Member, bob: Member) -> None:
    post(MailKind.RESET, to=bob.email)
    deactivate(alice, bob)
    assert delivered() == []


# Invitations


def test_an_invited_address_that_has_an_account_is_told_so_by_mail_alone(
    alice: Member, charlie: Member
) -> None:
    """The one who invites does not learn it, and there is no link to try it with."""
    invite(by=alice, email=charlie.email, role="member")
    (message,) = delivered()
    assert "has a Sophiie account already" in str(message.body)
    assert "/join/" not in str(message.body)


@pytest.mark.parametrize(
    "name",
    [
        "Win now at https://evil.example/x?y=1",
        "evil.example",
        "mail bad@evil.example",
        "evil。example",
        "\u202eelpmaxe.live\u2028http://evil.example",
        "ev\u200bil.exam\u200bple",
    ],
)
def test_what_a_business_calls_itself_carries_no_link(alice: Member, name: str) -> None:
    alice.business.name, alice.name = name, name
    alice.business.save()
    alice.save()
    invite(by=alice, email=DORA, role="member")
    (message,) = delivered()
    assert message.subject == "You are invited to Sophiie"
    (ours,) = [line for line in str(message.body).splitlines() if "localhost:8000" in line]
    body = str(message.body).replace(ours, "")
    assert "http" not in body.replace("https evil example", "").replace("http evil example", "")
    for linking in ("evil.example", "evil。example", "@evil", "elpmaxe.live", "\u202e", "\u2028"):
        assert linking not in body
    (line,) = [line for line in body.splitlines() if line.strip().startswith("Business:")]
    assert len(line) < 120


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("Harbour Plumbing", "Dr. Müller & Söhne", "St. Mary’s", "Café 24/7 "):
        assert plain_name(name) == " ".join(name.replace("24/7", "24 7").split())
    assert len(plain_name("x" * 200)) == 80


def test_invitations_are_limited_for_a_business_and_for_a_person(
    alice: Member, charlie: Member
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(FROM_ONE_BUSINESS.amount):
            invite(by=alice, email=f"d{number}@example.com", role="member")
        with pytest.raises(InvalidAccount, match="within a day"):
            invite(by=alice, email=DORA, role="member")
        clock.shift(timedelta(days=1))
        for number in range(FOR_ONE_PERSON.amount):  # from all businesses together
            invite(by=(alice, charlie)[number % 2], email=DORA, role="member")
        for by in (alice, charlie):
            with pytest.raises(InvalidAccount, match="today") as refused:
                invite(by=by, email=DORA.upper(), role="member")
            assert refused.value.field == "email"
        clock.shift(timedelta(days=1))
        assert invite(by=charlie, email=DORA, role="member")


def test_taking_an_invitation_back_gives_no_new_one(alice: Member) -> None:
    for _ in range(FOR_ONE_PERSON.amount):
        withdraw(by=alice, invitation_id=invite(by=alice, email=DORA, role="member").pk)
    with pytest.raises(InvalidAccount):
        invite(by=alice, email=DORA, role="member")
    assert not Invitation.objects.exists()


def test_a_reset_link_is_in_the_language_of_its_member(alice: Member) -> None:
    Member.objects.update(language="de")
    post(MailKind.RESET, to=alice.email)
    assert mailed_link().startswith("/password/reset/key/")
    assert mail.outbox[0].subject == "Neues Passwort für Sophiie wählen"
