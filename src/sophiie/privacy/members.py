"""Erases a member who has left: their own data goes, what they did for others stays.

The member's row stays, without anything that tells who it was, so that appointments keep their
assignees and histories their order. It reads "Former member".
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Invitation, Member, Role
from sophiie.accounts.people import NotAllowed
from sophiie.accounts.sessions import end_sessions_of
from sophiie.accounts.signals import member_readdressed
from sophiie.appointments.errors import TooBusy
from sophiie.appointments.locking import in_transaction
from sophiie.appointments.record import locked
from sophiie.audit.upkeep import forget_person
from sophiie.common.batches import delete_in_batches
from sophiie.common.clock import now
from sophiie.common.ending import stop_if_asked
from sophiie.common.logs import log
from sophiie.privacy.answers import rename_in_answers
from sophiie.privacy.colleagues import forget_in_history, forget_unknown_guests, shown_with
from sophiie.privacy.holdings import HOLDINGS
from sophiie.privacy.leaving import forget_mails, forget_quotas, let_go
from sophiie.privacy.models import CLAIM, DELAY, Erasure, Subject
from sophiie.sync.outbox import record

logger = log(__name__)


def may_erase(by: Member, member: Member) -> bool:
    """Whether `by` may have this member erased: an owner may, if the member has left."""
    try:
        _check_may_erase(by, member)
    except NotAllowed:
        return False
    return True


def ask_to_erase_member(*, by: Member, member: Member) -> Erasure:
    """Schedules a deactivated member's erasure after `DELAY`. Idempotent; raises `NotAllowed`."""
    moment = now()
    with transaction.atomic():
        # As they are now; nobody reactivates them meanwhile.
        member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        _check_may_erase(by, member)
        erasure, is_new = Erasure.objects.get_or_create(
            member=member,
            defaults={
                "business_id": member.business_id,
                "subject": Subject.MEMBER,
                # Deactivating has begun to remove events; this waits for the rest.
                "remove_events": True,
                "language": translation.get_language() or "en",
                "asked_by": by,
                "asked_at": moment,
                "due_at": moment + DELAY,
                "next_attempt_at": moment + DELAY,
            },
        )
        if is_new:
            _record("erasing a member asked for", erasure)
            _tell_owners(audit.Act.MEMBER_ERASURE_REQUESTED, member, by)
    return erasure


def keep_member(*, by: Member, member: Member) -> bool:
    """Calls the erasure off; False if there is none, or it has begun. Raises `NotAllowed`."""
    _check_may_erase(by, Member.objects.get(pk=member.pk))
    return call_off(member, by=by)


def call_off(member: Member, *, by: Member | None = None) -> bool:
    """False if there was nothing to call off. Without `by`, whoever is signed in does it."""
    with transaction.atomic():
        waiting = Erasure.objects.select_for_update().filter(member=member, due_at__gt=now())
        erasure = waiting.first()
        if erasure is not None:
            _record("erasing a member called off", erasure)
            _tell_owners(audit.Act.MEMBER_ERASURE_CALLED_OFF, member, by)
            erasure.delete()
    return erasure is not None


def waiting_erasures(business_id: UUID) -> dict[UUID, Erasure]:
    """The scheduled erasures of members, by member."""
    found = Erasure.objects.filter(business=business_id, subject=Subject.MEMBER)
    return {erasure.member_id: erasure for erasure in found if erasure.member_id}


def erase_member_now(member: Member, *, remove_events: bool = False) -> bool:
    """Erases a member at once, for an operator. False while upcoming events are still being removed
    from Google: a worker continues. Raises `NotAllowed`."""
    moment = now()
    with transaction.atomic():
        check_stays_owned(member)
        due = {"remove_events": remove_events, "due_at": moment, "next_attempt_at": moment + CLAIM}
        erasure, _is_new = Erasure.objects.update_or_create(
            member=member,
            defaults=due,
            create_defaults={
                **due,
                "business_id": member.business_id,
                "subject": Subject.MEMBER,
                "language": translation.get_language() or "en",
                "asked_at": moment,
            },
        )
    try:
        return carry_out_member(erasure)
    except TooBusy:  # somebody has locked one of the appointments
        return False


def check_stays_owned(member: Member) -> None:
    """Raises `NotAllowed` if the business has no other active owner. Locks the owners, so that two
    cannot be erased at the same moment."""
    owners = Member.objects.select_for_update(no_key=True).filter(
        business=member.business_id, role=Role.OWNER, is_active=True
    )
    others = [owner for owner in owners.order_by("pk") if owner.pk != member.pk]
    if member.role == Role.OWNER and not others:
        raise NotAllowed(
            _(
                "This is the only owner of the business. Erase the business instead, or make "
                "somebody else an owner first."
            )
        )


def carry_out_member(erasure: Erasure) -> bool:
    """Does all that an erasure asks for, in short steps; False if it has to wait for Google."""
    member = erasure.member
    assert member is not None
    if not let_go(member.pk, remove_events=erasure.remove_events):
        return False
    _replace(member.pk, erasure)
    names, emails = erasure.about.get("names", []), erasure.about.get("emails", [])
    for appointment_id in shown_with(member.pk):
        stop_if_asked()
        in_transaction(partial(_redraw, appointment_id, emails))
    forget_unknown_guests(erasure.business_id)
    words = Member.objects.values_list("name", "email").get(pk=member.pk)
    forget_in_history(member, names, words[0])
    rename_in_answers(erasure.business_id, member.pk, *words)
    forget_quotas([member.pk])
    invitations = Invitation.objects.filter(
        Q(invited_by=member) | Q(email__in=emails), business=erasure.business_id
    )
    forget_mails(emails, about=[member.pk, *invitations.values_list("pk", flat=True)])
    for holding in HOLDINGS:
        if holding.goes:
            delete_in_batches(holding.of_member(member.pk))
    invitations.delete()
    end_sessions_of([str(member.pk)])
    with transaction.atomic():
        _record("member erased", erasure)
        _tell_audit_log(erasure, member.pk, emails)
        erasure.delete()
    return True


def _check_may_erase(by: Member, member: Member) -> None:
    if by.business_id != member.business_id or not (by.is_active and by.role == Role.OWNER):
        raise NotAllowed(_("Only an owner of the business may do that."))
    if member.is_active or member.erased_at is not None:
        raise NotAllowed(_("Deactivate somebody first, then they can be erased."))


@transaction.atomic
def _replace(member_id: UUID, erasure: Erasure) -> None:
    """Puts "Former member" in the person's place, and stores for the next steps who it was."""
    member = Member.objects.select_for_update(no_key=True).get(pk=member_id)
    if member.erased_at is not None:
        return
    erasure.about = {"names": [member.name, *member.former_names], "emails": [member.email]}
    erasure.save(update_fields=["about"])
    with translation.override(erasure.language):
        member.name = _("Former member")
    # Unique, as every address has to be, and nobody's: RFC 2606 keeps the ending free.
    member.email = f"{member.pk}@erased.invalid"
    member.former_names, member.language, member.clock = [], "", ""
    member.week_numbers = False
    member.role, member.last_login, member.erased_at = Role.MEMBER, None, now()
    member.set_unusable_password()
    member.save()
    member_readdressed.send(sender=Member, member=member)


def _redraw(appointment_id: UUID, emails: Collection[str]) -> None:
    appointment = locked().filter(pk=appointment_id).first()
    if appointment is not None:
        record.redraw(appointment, without_guests=emails)


def _tell_owners(act: audit.Act, member: Member, by: Member | None) -> None:
    audit.record(
        act=act,
        business_id=member.business_id,
        by=by,
        subject=audit.Subject("member", member.pk, member.name),
    )


def _tell_audit_log(erasure: Erasure, member_id: UUID, emails: Collection[str]) -> None:
    """Removes the person from the audit log and adds an entry, without a name, that says so."""
    for email in emails:
        forget_person(business_id=erasure.business_id, member_id=member_id, email=email)
    audit.record(
        act=audit.Act.MEMBER_ERASED,
        business_id=erasure.business_id,
        by=erasure.asked_by,
        subject=audit.Subject("member", member_id),
    )


def _record(act: str, erasure: Erasure) -> None:
    """Writes to the process's log; the line does not name the person."""
    logger.info(
        act,
        business_id=str(erasure.business_id),
        member_id=str(erasure.member_id),
        by=str(erasure.asked_by_id or "command"),
        due_at=erasure.due_at.isoformat(),
    )
