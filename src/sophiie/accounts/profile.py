"""What members decide about themselves: name, address, language, clock, week numbers."""

from __future__ import annotations

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts import mail
from sophiie.accounts.models import Clock, MailKind, Member
from sophiie.accounts.people import (
    InvalidAccount,
    check_email,
    check_person_name,
    record_about,
)
from sophiie.accounts.signals import member_readdressed
from sophiie.common.logs import log

logger = log(__name__)

GOOD_FOR = timedelta(days=1)
_SALT = "sophiie.new-address"


def change_profile(
    member: Member, *, name: str, language: str, clock: str, week_numbers: bool = False
) -> None:
    """Changes the profile. Raises `InvalidAccount`. An empty language means the browser's, an empty
    clock the business's.

    The pages know which languages there are.
    """
    if clock and clock not in Clock.values:
        raise InvalidAccount(_("Choose one of the two clocks."), field="clock")
    wanted = {
        "name": check_person_name(name),
        "language": language,
        "clock": clock,
        "week_numbers": week_numbers,
    }
    changes = {
        field: [getattr(member, field), value]
        for field, value in wanted.items()
        if getattr(member, field) != value
    }
    if "name" in changes and member.name not in member.former_names:
        member.former_names = [*member.former_names, member.name]
    for field, value in wanted.items():
        setattr(member, field, value)
    with transaction.atomic():
        member.save(update_fields=[*wanted, "former_names"])
        if changes:
            record_about(audit.Act.PROFILE_CHANGED, member, by=member, **changes)


def ask_for_new_address(member: Member, *, email: str, password: str) -> str:
    """Asks for a mail to another address to sign in with; nothing changes until its link is
    followed. Returns the address. Raises `InvalidAccount`.

    The password proves that it is the person and not somebody at an unlocked screen. If somebody
    has the address already, only its owner learns that.
    """
    if not member.check_password(password):
        raise InvalidAccount(_("This is not your password."), field="password")
    wanted = check_email(email)
    if wanted == member.email:
        raise InvalidAccount(_("You sign in with this address already."), field="email")
    mail.post(MailKind.NEW_ADDRESS, to=wanted, about=member.pk)
    return wanted


def new_address_secret(member: Member, *, email: str) -> str:
    """The secret of the link in that mail. It expires with the current address or password."""
    return signing.dumps([str(member.pk), email, _state(member)], salt=_SALT)


def proven_address(member: Member, *, secret: str) -> str | None:
    """The address that a link proves to be this member's; None if the link does not work."""
    try:
        whose, email, state = signing.loads(secret, salt=_SALT, max_age=GOOD_FOR)
    except (signing.BadSignature, ValueError):
        return None
    if whose != str(member.pk) or not constant_time_compare(state, _state(member)):
        return None
    return str(email)


def take_new_address(member: Member, *, secret: str) -> bool:
    """Makes the proven address the one to sign in with, and tells the old one.

    False if the link does not work. Raises `InvalidAccount` if somebody else proved the same
    address meanwhile.
    """
    wanted, before = proven_address(member, secret=secret), member.email
    if wanted is None:
        return False
    member.email = wanted
    try:
        with transaction.atomic():
            member.save(update_fields=["email"])
            # The sign-in library keeps its own addresses and would go on letting in by the old one.
            EmailAddress.objects.filter(user=member).delete()
            record_about(audit.Act.EMAIL_CHANGED, member, by=member, email=[before, wanted])
            member_readdressed.send(sender=Member, member=member)
            mail.post(MailKind.ADDRESS_CHANGED, to=before, about=member.pk)
    except IntegrityError:
        member.email = before
        raise InvalidAccount(
            _("%(email)s is already a member of a business.") % {"email": wanted}, field="email"
        ) from None
    logger.info("address changed", member_id=str(member.id))
    return True


def _state(member: Member) -> str:
    return salted_hmac(_SALT, f"{member.email}{member.get_session_auth_hash()}").hexdigest()[:20]
