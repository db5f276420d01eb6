"""What the mails of accounts say. Links start with SOPHIIE_PUBLIC_URL. Their secrets are made here,
when a mail leaves; until then there is none that a database could give away."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from sophiie.accounts.invitations import link_secret
from sophiie.accounts.models import Invitation, MailKind, Member, OutgoingMail
from sophiie.accounts.profile import new_address_secret
from sophiie.accounts.sign_up import sign_up_secret

_MAX_NAME_LENGTH = 80
# What a mail program turns into a link, if something follows it.
_LINKING = re.compile(r"[.:/\\@․。．｡：／＠]+(?=\S)")


@dataclass(frozen=True)
class Text:
    subject: str
    body: str


def text_of(mail: OutgoingMail) -> Text | None:
    """The mail as it leaves now; None if there is nobody, or nothing, left to tell."""
    return _MAKERS[MailKind(mail.kind)](mail)


def link(name: str, *parts: str) -> str:
    """The address of a page, for a mail."""
    return f"{settings.PUBLIC_URL}{reverse(name, args=parts)}"


def plain_name(name: str) -> str:
    """A name that others chose, on one line and without anything that becomes a link."""
    shown = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp"))
    shown = " ".join(_LINKING.sub(" ", shown).split())
    return shown if len(shown) <= _MAX_NAME_LENGTH else shown[: _MAX_NAME_LENGTH - 1] + "…"


def _reset(mail: OutgoingMail) -> Text | None:
    member = _member_at(mail.to)
    if member is None or not member.is_active:
        return None
    key = f"{user_pk_to_url_str(member)}-{default_token_generator.make_token(member)}"
    uid, _hyphen, secret = key.partition("-")
    with translation.override(member.language or mail.language):
        url = link("account_reset_password_from_key", uid, secret)
        return _text(_("Choose a new password for Sophiie"), "reset", url=url)


def _sign_up(mail: OutgoingMail) -> Text:
    if _member_at(mail.to):
        return _text(
            _("You have a Sophiie account already"),
            "sign_up_known",
            url=link("account_login"),
            reset_url=link("account_reset_password"),
        )
    url = link("sign-up-finish", sign_up_secret(mail.to))
    return _text(_("Confirm your address for Sophiie"), "sign_up", url=url)


def _invitation(mail: OutgoingMail) -> Text | None:
    found = Invitation.objects.select_related("business", "invited_by")
    invitation = found.filter(pk=_about(mail)).first()
    if invitation is None:  # withdrawn meanwhile
        return None
    names = {
        "inviter": plain_name(invitation.invited_by.name),
        "business": plain_name(invitation.business.name),
        "email": invitation.email,
    }
    subject = _("You are invited to Sophiie")
    if _member_at(invitation.email):
        return _text(subject, "invitation_known", **names)
    secret = link_secret(invitation)
    return _text(subject, "invitation", url=link("join", secret), **names) if secret else None


def _new_address(mail: OutgoingMail) -> Text | None:
    member = Member.objects.filter(pk=_about(mail), is_active=True).first()
    if member is None:
        return None
    if _member_at(mail.to):
        return _text(_("Your Sophiie address stays as it is"), "new_address_known")
    url = link("settings-email-confirm", new_address_secret(member, email=mail.to))
    return _text(_("Confirm your new address for Sophiie"), "new_address", url=url)


def _address_changed(mail: OutgoingMail) -> Text | None:
    member = Member.objects.filter(pk=_about(mail)).first()
    if member is None:
        return None
    subject = _("Your Sophiie address was changed")
    return _text(subject, "address_changed", member=member, url=link("account_login"))


def _text(subject: str, template: str, **context: Any) -> Text:
    return Text(subject, render_to_string(f"mail/{template}.txt", context))


def _about(mail: OutgoingMail) -> UUID:
    assert mail.about, mail.kind
    return mail.about


def _member_at(email: str) -> Member | None:
    return Member.objects.filter(email__iexact=email).first()


_MAKERS: dict[MailKind, Callable[[OutgoingMail], Text | None]] = {
    MailKind.RESET: _reset,
    MailKind.SIGN_UP: _sign_up,
    MailKind.INVITATION: _invitation,
    MailKind.NEW_ADDRESS: _new_address,
    MailKind.ADDRESS_CHANGED: _address_changed,
}
