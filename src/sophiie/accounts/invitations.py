"""Invites people into a business by a link that works once, for a week.

The link's secret is made when the mail leaves, and only its digest is stored. Accepting proves that
the address is the person's own.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts import mail
from sophiie.accounts.limits import Limit
from sophiie.accounts.models import Invitation, MailKind, Member, OutgoingMail, Role
from sophiie.accounts.people import (
    InvalidAccount,
    NotAllowed,
    add_member,
    check_email,
    may_give_role,
)
from sophiie.common.clock import now
from sophiie.common.horizon import bring_back
from sophiie.common.logs import log

logger = log(__name__)

GOOD_FOR = timedelta(days=7)
# A business is a team, not a mailing list.
MAX_OPEN = 100
FROM_ONE_BUSINESS = Limit(name="invite-from", amount=50, seconds=24 * 3600)
# From all businesses together: the invited person has not asked for it.
FOR_ONE_PERSON = Limit(name="invite-to", amount=5, seconds=24 * 3600)


def invite(*, by: Member, email: str, role: str) -> Invitation:
    """Makes an invitation and asks for its mail. Inviting somebody again invalidates the old link.

    Raises `NotAllowed`, or `InvalidAccount` with the field that is wrong.
    """
    if not (by.is_active and by.manages_business):
        raise NotAllowed(_("Only owners and admins of this business may do that."))
    email = check_email(email)
    if role not in Role.values or not may_give_role(by, role):
        raise InvalidAccount(_("Choose a role that you may give."), field="role")
    if Member.objects.filter(business=by.business_id, email__iexact=email).exists():
        raise InvalidAccount(_("This person is in the team already."), field="email")
    _check_not_too_often(by, email)
    moment = now()
    with transaction.atomic():
        Invitation.objects.filter(business=by.business_id, email__iexact=email).delete()
        if open_invitations(by).count() >= MAX_OPEN:
            raise InvalidAccount(
                _("%(n)s invitations are open. Withdraw some of them first.") % {"n": MAX_OPEN}
            )
        invitation = Invitation.objects.create(
            business=by.business,
            email=email,
            role=role,
            digest=_digest(secrets.token_urlsafe(32)),  # the digest of a secret that nobody has
            invited_by=by,
            created_at=moment,
            expires_at=moment + GOOD_FOR,
        )
        mail.post(MailKind.INVITATION, to=email, about=invitation.pk)
        _record(audit.Act.INVITATION_MADE, invitation, by)
    logger.info("member invited", invitation_id=str(invitation.id), by=str(by.id), role=role)
    return invitation


def _check_not_too_often(by: Member, email: str) -> None:
    if FROM_ONE_BUSINESS.take(str(by.business_id)):
        raise InvalidAccount(
            _("Your business sent %(n)s invitations within a day. Go on later.")
            % {"n": FROM_ONE_BUSINESS.amount}
        )
    if FOR_ONE_PERSON.take(email):
        raise InvalidAccount(
            _("This person was invited often today. Try again tomorrow."), field="email"
        )


def link_secret(invitation: Invitation) -> str | None:
    """Makes a new secret for the link of an invitation, which invalidates the earlier one. None if
    the invitation was withdrawn meanwhile."""
    secret = secrets.token_urlsafe(32)
    kept = Invitation.objects.filter(pk=invitation.pk)
    return secret if kept.update(digest=_digest(secret)) else None


def link_to_hand_on(*, by: Member, invitation_id: UUID) -> str | None:
    """The secret of an invitation's link, to hand on when its mail does not leave; None if there is
    no such invitation.

    Only where strangers cannot sign up: a link that did not come by mail proves no address.
    """
    if not (by.is_active and by.manages_business):
        raise NotAllowed(_("Only owners and admins of this business may do that."))
    invitation = open_invitations(by).filter(pk=invitation_id).first()
    if invitation is None or settings.SIGN_UP_OPEN or invitation_id not in stuck_invitations(by):
        return None
    with transaction.atomic():
        OutgoingMail.objects.filter(about=invitation.pk).delete()
        return link_secret(invitation)


def stuck_invitations(by: Member) -> set[UUID]:
    """The business's invitations whose mail could not be sent yet; the worker keeps trying."""
    stuck = OutgoingMail.objects.filter(
        kind=MailKind.INVITATION, about__in=open_invitations(by).values("pk"), attempts__gt=0
    )
    return {about for about in stuck.values_list("about", flat=True) if about}


def open_invitations(by: Member) -> QuerySet[Invitation]:
    """Invitations that were neither accepted nor withdrawn, including expired ones."""
    return Invitation.objects.filter(business=by.business_id).select_related("invited_by")


def bring_expiries_back() -> int:
    """No invitation is good for longer than a week from now, whatever clock it was made by."""
    return bring_back(Invitation.objects.all(), "expires_at", now(), at_most=GOOD_FOR)


def withdraw(*, by: Member, invitation_id: UUID) -> Invitation | None:
    """Invalidates a link. None if the business has no such invitation (any more)."""
    if not (by.is_active and by.manages_business):
        raise NotAllowed(_("Only owners and admins of this business may do that."))
    invitation = open_invitations(by).filter(pk=invitation_id).first()
    if invitation is not None:
        with transaction.atomic():
            _record(audit.Act.INVITATION_WITHDRAWN, invitation, by)
            invitation.delete()
        logger.info("invitation withdrawn", invitation_id=str(invitation_id), by=str(by.id))
    return invitation


def invitation_of(secret: str) -> Invitation | None:
    """The open invitation behind a link; None if it is used, withdrawn or too old."""
    found = Invitation.objects.select_related("business", "invited_by")
    return found.filter(digest=_digest(secret), expires_at__gt=now()).first()


def accept(*, secret: str, name: str, password: str) -> Member | None:
    """Makes the member and uses the link up. None if the link does not work any more.

    Raises `InvalidAccount`, and then the link still works. Of two clicks at the same moment, one
    makes the member.
    """
    with transaction.atomic():
        held = Invitation.objects.select_for_update(of=("self",)).select_related(
            "business", "invited_by"
        )
        invitation = held.filter(digest=_digest(secret), expires_at__gt=now()).first()
        if invitation is None or not _still_meant(invitation):
            return None
        member = add_member(
            business=invitation.business,
            email=invitation.email,
            name=name,
            role=invitation.role,
            password=password,
        )
        _record(audit.Act.INVITATION_ACCEPTED, invitation, member)
        invitation.delete()
    logger.info("invitation accepted", member_id=str(member.id), role=member.role)
    return member


def _record(act: audit.Act, invitation: Invitation, by: Member) -> None:
    audit.record(
        act=act,
        business_id=invitation.business_id,
        by=by,
        subject=audit.Subject("invitation", invitation.id, invitation.email),
        details={"role": str(invitation.role)},
    )


def _still_meant(invitation: Invitation) -> bool:
    """Whether whoever sent it still may invite; if not, nobody was invited."""
    by = invitation.invited_by
    return by.is_active and by.manages_business and may_give_role(by, invitation.role)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
