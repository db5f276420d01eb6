"""Inviting people into a business: a link that works once, for a week.

The link's secret leaves this module once, for the mail; here only its digest is kept. Accepting is
what proves that the address is the person's own.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Invitation, Member, Role
from sophiie.accounts.people import (
    InvalidAccount,
    NotAllowed,
    add_member,
    check_email,
    may_give_role,
)
from sophiie.common.clock import now
from sophiie.common.logs import log

logger = log(__name__)

GOOD_FOR = timedelta(days=7)
# A business is a team, not a mailing list.
MOST_OPEN = 100


def invite(*, by: Member, email: str, role: str) -> tuple[Invitation, str]:
    """An invitation and the secret of its link. Inviting somebody again makes the old link useless.

    Raises `NotAllowed`, or `InvalidAccount` with the field that is wrong.
    """
    if not (by.is_active and by.manages_business):
        raise NotAllowed(_("Only owners and admins of this business may do that."))
    email = check_email(email)
    if role not in Role.values or not may_give_role(by, role):
        raise InvalidAccount(_("Choose a role that you may give."), field="role")
    if Member.objects.filter(business=by.business_id, email__iexact=email).exists():
        raise InvalidAccount(_("This person is in the team already."), field="email")
    secret = secrets.token_urlsafe(32)
    moment = now()
    with transaction.atomic():
        Invitation.objects.filter(business=by.business_id, email__iexact=email).delete()
        if open_invitations(by).count() >= MOST_OPEN:
            raise InvalidAccount(
                _("%(n)s invitations are open. Withdraw some of them first.") % {"n": MOST_OPEN}
            )
        invitation = Invitation.objects.create(
            business=by.business,
            email=email,
            role=role,
            digest=_digest(secret),
            invited_by=by,
            created_at=moment,
            expires_at=moment + GOOD_FOR,
        )
        _record(audit.Act.INVITATION_MADE, invitation, by)
    logger.info("member invited", invitation_id=str(invitation.id), by=str(by.id), role=role)
    return invitation, secret


def open_invitations(by: Member) -> QuerySet[Invitation]:
    """Those of the business that were neither accepted nor withdrawn, also the expired ones."""
    return Invitation.objects.filter(business=by.business_id).select_related("invited_by")


def withdraw(*, by: Member, invitation_id: UUID) -> Invitation | None:
    """Makes a link useless. None if there is no such invitation in the business (any more)."""
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
    """The living invitation behind a link; None for one that is used, withdrawn or too old."""
    found = Invitation.objects.select_related("business", "invited_by")
    return found.filter(digest=_digest(secret), expires_at__gt=now()).first()


def accept(*, secret: str, name: str, password: str) -> Member | None:
    """Makes the member and uses the link up. None if it does not work any more.

    Raises `InvalidAccount`, and then the link still works. Of two clicks at the same moment one
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
    """Whoever lost the right to invite since then has not invited anybody."""
    by = invitation.invited_by
    return by.is_active and by.manages_business and may_give_role(by, invitation.role)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
