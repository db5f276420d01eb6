"""What a member says about themselves: name, address, language, clock."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from sophiie.accounts.models import Clock, Member
from sophiie.accounts.people import InvalidAccount, check_email, check_person_name
from sophiie.accounts.signals import member_readdressed
from sophiie.common.logs import log

logger = log(__name__)


def change_profile(member: Member, *, name: str, language: str, clock: str) -> None:
    """Raises `InvalidAccount`. An empty language is the browser's, an empty clock the business's.

    Which languages there are is known where the pages are made.
    """
    if clock and clock not in Clock.values:
        raise InvalidAccount(_("Choose one of the two clocks."), field="clock")
    kept = check_person_name(name)
    if kept != member.name and member.name not in member.former_names:
        member.former_names = [*member.former_names, member.name]
    member.name, member.language, member.clock = kept, language, clock
    member.save(update_fields=["name", "former_names", "language", "clock"])


def change_email(member: Member, *, email: str, password: str) -> str:
    """Another address to sign in with; returns the one before. Raises `InvalidAccount`.

    The password proves that it is the person and not somebody at an unlocked screen.
    """
    if not member.check_password(password):
        raise InvalidAccount(_("This is not your password."), field="password")
    wanted, before = check_email(email), member.email
    if wanted == before:
        return before
    member.email = wanted
    try:
        with transaction.atomic():
            member.save(update_fields=["email"])
            # The sign-in library keeps addresses of its own, and would go on letting in by the old.
            EmailAddress.objects.filter(user=member).delete()
            member_readdressed.send(sender=Member, member=member)
    except IntegrityError:
        member.email = before
        raise InvalidAccount(
            _("%(email)s is already a member of a business.") % {"email": wanted}, field="email"
        ) from None
    logger.info("address changed", member_id=str(member.id))
    return before
