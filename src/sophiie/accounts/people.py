"""Makes businesses and members, and ends a member's access; every refusal is one sentence."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import ApiKey, Business, Member, Role
from sophiie.accounts.signals import (
    member_deactivated,
    member_reactivated,
    member_role_changed,
)
from sophiie.common import live
from sophiie.common.blank import is_blank
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.common.mail_addresses import is_mail_address
from sophiie.common.sql import Columns, execute
from sophiie.common.wall_time import is_zone

logger = log(__name__)

_MEMBER = Columns(Member)
_short_enough = MaxLengthValidator(254)


class InvalidAccount(Exception):
    """The requested change is not possible; the message says why in one sentence. `field` names the
    wrong value: `name`, `business_name`, `timezone`, `email`, `role`, `password` or none."""

    def __init__(self, message: str, *, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class NotAllowed(Exception):
    """This member may not do that to that one; the message says why."""


@transaction.atomic
def create_business(
    *, name: str, timezone: str, owner_email: str, owner_name: str, password: str | None
) -> tuple[Business, Member]:
    """Makes a business and its owner. Without a password the owner has to reset one."""
    name = check_business_name(name)
    check_timezone(timezone)
    business = Business.objects.create(name=name, timezone=timezone)
    owner = add_member(
        business=business, email=owner_email, name=owner_name, role=Role.OWNER, password=password
    )
    audit.record(
        act=audit.Act.BUSINESS_CREATED,
        business_id=business.id,
        by=owner,
        subject=audit.Subject("business", business.id, business.name),
        details={"for": owner.name, "for_id": str(owner.id)},
    )
    return business, owner


def active_members(business: Business | UUID) -> QuerySet[Member]:
    """Everybody who belongs to the business at present, by name."""
    return Member.objects.filter(business=business, is_active=True)


def read_active_members(business_id: UUID, *, named: Collection[str] | None = None) -> list[Member]:
    """The same as a list, or only those `named` by id or address, in lower case.

    By a statement of our own, for bookings and for searches for free time: Django takes longer to
    make it than PostgreSQL to answer it.
    """
    rows = execute(
        f"""
        SELECT {_MEMBER.of("member")} FROM accounts_member AS member
        WHERE business_id = %(business)s AND is_active AND (
            %(named)s::text[] IS NULL OR id::text = ANY(%(named)s) OR lower(email) = ANY(%(named)s)
        )
        ORDER BY name, id
        """,  # noqa: S608 - columns, no values
        business=business_id,
        named=None if named is None else list(named),
    )
    return [_MEMBER.built(iter(row)) for row in rows]


def add_member(
    *, business: Business, email: str, name: str, role: str, password: str | None
) -> Member:
    """Adds a member to `business`. Raises `InvalidAccount`."""
    name = check_person_name(name)
    if role not in Role.values:
        raise InvalidAccount(
            _("%(role)s is not a role: use %(roles)s.")
            % {"role": repr(role), "roles": ", ".join(Role.values)},
            field="role",
        )
    email = check_email(email)
    if password is not None:
        check_password(password, email=email, name=name)
    try:
        with transaction.atomic():
            return Member.objects.create_member(
                business=business, email=email, name=name, role=role, password=password
            )
    except IntegrityError:
        raise InvalidAccount(
            _("%(email)s is already a member of a business.") % {"email": email}, field="email"
        ) from None


def deactivate(by: Member, member: Member) -> None:
    """Ends a member's access at once: sessions, API keys (for good), sign-in. Their data stays.

    Idempotent. Raises `NotAllowed`. Only another owner deactivates an owner, and that one stays, so
    a business keeps an active owner whatever happens at the same time.
    """
    with transaction.atomic():
        by, member = _held(by, member)
        _check_may_end(by, member)
        if not end_access(member):
            return
        record_about(audit.Act.MEMBER_DEACTIVATED, member, by=by)
    logger.info("member deactivated", member_id=str(member.id), by=str(by.id))


def end_access(member: Member) -> bool:
    """Ends a member's access, whoever asks; False if it had ended before. Needs a transaction that
    holds the member."""
    if not member.is_active:
        return False
    member.is_active, member.deactivated_at = False, now()
    member.save(update_fields=["is_active", "deactivated_at"])
    ApiKey.objects.filter(member=member, revoked_at=None).update(revoked_at=now())
    member_deactivated.send(sender=Member, member=member)
    live.announce(member.business_id, signed_out=member.id)
    return True


def reactivate(by: Member, member: Member) -> None:
    """Gives the access back. Ended sessions stay ended; a calendar has to be linked again.

    Idempotent. Raises `NotAllowed`.
    """
    with transaction.atomic():
        by, member = _held(by, member)
        _check_may_end(by, member)
        if member.is_active:
            return
        member.is_active = True
        member.save(update_fields=["is_active"])
        record_about(audit.Act.MEMBER_REACTIVATED, member, by=by)
        member_reactivated.send(sender=Member, member=member)
    logger.info("member reactivated", member_id=str(member.id), by=str(by.id))


def may_deactivate(by: Member, member: Member) -> bool:
    """Whether `by` may end the access of `member`, or give it back."""
    try:
        _check_may_end(by, member)
    except NotAllowed:
        return False
    return True


def record_about(act: audit.Act, member: Member, *, by: Member | None, **details: Any) -> None:
    """Tells the audit log what `by` (None: see `audit.record`) did to `member`."""
    audit.record(
        act=act,
        business_id=member.business_id,
        by=by,
        subject=audit.Subject("member", member.id, member.name),
        details=details,
    )


def _check_may_end(by: Member, member: Member) -> None:
    _check_manages(by, member)
    if member.erased_at is not None:
        raise NotAllowed(_("This person was erased and cannot come back."))
    if by.pk == member.pk:
        raise NotAllowed(_("You cannot deactivate yourself; ask another owner or admin."))
    if member.role == Role.OWNER and by.role != Role.OWNER:
        raise NotAllowed(_("Only an owner may deactivate an owner."))


def change_role(by: Member, member: Member, role: str) -> None:
    """Gives a member another role. Raises `NotAllowed`.

    Nobody changes their own role, and only an owner makes or unmakes owners, so a business keeps an
    active owner whatever happens at the same time.
    """
    with transaction.atomic():
        by, member = _held(by, member)
        _check_may_change_role(by, member)
        if role not in Role.values or not may_give_role(by, role):
            raise NotAllowed(_("Only an owner may make somebody an owner."))
        before, member.role = member.role, role
        member.save(update_fields=["role"])
        if before != role:
            record_about(audit.Act.ROLE_CHANGED, member, by=by, role=[before, role])
        member_role_changed.send(sender=Member, member=member)
    logger.info("role changed", member_id=str(member.id), by=str(by.id), before=before, now=role)


def may_change_role(by: Member, member: Member) -> bool:
    """Whether `by` may give `member` another role."""
    try:
        _check_may_change_role(by, member)
    except NotAllowed:
        return False
    return True


def may_give_role(by: Member, role: str) -> bool:
    """Whether `by` may give somebody this role."""
    return by.role == Role.OWNER or (by.role == Role.ADMIN and role != Role.OWNER)


def _check_may_change_role(by: Member, member: Member) -> None:
    _check_manages(by, member)
    if by.pk == member.pk:
        raise NotAllowed(_("You cannot change your own role; ask another owner or admin."))
    if member.role == Role.OWNER and by.role != Role.OWNER:
        raise NotAllowed(_("Only an owner may change the role of an owner."))


def _check_manages(by: Member, member: Member) -> None:
    if by.business_id != member.business_id or not (by.is_active and by.manages_business):
        raise NotAllowed(_("Only owners and admins of this business may do that."))


def _held(by: Member, member: Member) -> tuple[Member, Member]:
    """Both members as they are now, locked until the transaction ends: two owners cannot end each
    other."""
    rows = Member.objects.select_for_update(no_key=True).filter(pk__in=[by.pk, member.pk])
    held = {row.pk: row for row in rows.order_by("pk")}
    return held[by.pk], held[member.pk]


def check_password(password: str, *, email: str, name: str) -> None:
    """Raises `InvalidAccount` with everything that is wrong with the password."""
    try:
        validate_password(password, Member(email=email, name=name))
    except ValidationError as error:
        raise InvalidAccount(" ".join(error.messages), field="password") from None


def check_email(email: str) -> str:
    """The address in the form in which it is stored. Raises `InvalidAccount`."""
    kept = email.strip().lower()
    try:
        _short_enough(kept)
        is_good = is_mail_address(kept)
    except ValidationError:
        is_good = False
    if not is_good:
        raise InvalidAccount(
            _("%(email)s is not an email address.") % {"email": repr(email[:254])}, field="email"
        )
    return kept


def check_timezone(timezone: str) -> None:
    """Raises `InvalidAccount` for an unknown time zone."""
    if not is_zone(timezone):
        raise InvalidAccount(
            _("%(zone)s is not an IANA time zone, e.g. Australia/Sydney.")
            % {"zone": repr(timezone[:100])},
            field="timezone",
        )


def check_person_name(name: str) -> str:
    """The name in the form in which it is stored. Raises `InvalidAccount`."""
    if kept := _text(name):
        return kept
    raise InvalidAccount(_("The name of the person must have 1 to 200 characters."), field="name")


def check_business_name(name: str) -> str:
    """The name in the form in which it is stored. Raises `InvalidAccount`."""
    if kept := _text(name):
        return kept
    raise InvalidAccount(
        _("The name of the business must have 1 to 200 characters."), field="business_name"
    )


def _text(value: str) -> str:
    value = " ".join(value.split())
    return value if len(value) <= 200 and "\x00" not in value and not is_blank(value) else ""
