"""Deletes a whole business: after a delay in which it can be called off, or at once by command."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Business, Invitation, Member, Role
from sophiie.accounts.people import InvalidAccount, NotAllowed
from sophiie.accounts.sessions import end_sessions_of
from sophiie.audit.upkeep import forget_business
from sophiie.common.batches import delete_in_batches
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.privacy.holdings import HOLDINGS
from sophiie.privacy.leaving import forget_mails, forget_quotas, let_go
from sophiie.privacy.models import CLAIM, DELAY, Erasure, Subject

logger = log(__name__)


def ask_to_delete_business(*, by: Member, typed_name: str, remove_events: bool) -> Erasure:
    """Schedules the deletion of the business of `by` after `DELAY`. Idempotent.

    Raises `NotAllowed`, and `InvalidAccount` if what was typed is not its name.
    """
    _check_owns(by)
    business = Business.objects.get(pk=by.business_id)
    if " ".join(typed_name.split()).casefold() != business.name.casefold():
        raise InvalidAccount(
            _("Type the name of the business as it stands here: %(name)s")
            % {"name": business.name},
            field="business_name",
        )
    moment = now()
    with transaction.atomic():
        erasure, is_new = Erasure.objects.get_or_create(
            business=business,
            subject=Subject.BUSINESS,
            defaults={
                "remove_events": remove_events,
                "language": translation.get_language() or "en",
                "asked_by": by,
                "asked_at": moment,
                "due_at": moment + DELAY,
                "next_attempt_at": moment + DELAY,
            },
        )
        if is_new:
            Business.objects.filter(pk=business.pk).update(to_be_deleted_at=erasure.due_at)
            _record("deleting the business asked for", erasure)
            audit.record(act=audit.Act.BUSINESS_DELETION_REQUESTED, business_id=business.pk, by=by)
    return erasure


def keep_business(*, by: Member) -> bool:
    """Calls the deletion off; False if there is none, or it has begun. Raises `NotAllowed`."""
    _check_owns(by)
    with transaction.atomic():
        waiting = Erasure.objects.select_for_update().filter(
            business=by.business_id, subject=Subject.BUSINESS, due_at__gt=now()
        )
        erasure = waiting.first()
        if erasure is not None:
            Business.objects.filter(pk=by.business_id).update(to_be_deleted_at=None)
            _record("deleting the business called off", erasure)
            audit.record(
                act=audit.Act.BUSINESS_DELETION_CALLED_OFF, business_id=by.business_id, by=by
            )
            erasure.delete()
    return erasure is not None


def deletion_of(business_id: UUID) -> Erasure | None:
    """The scheduled deletion of a business."""
    return Erasure.objects.filter(business=business_id, subject=Subject.BUSINESS).first()


def delete_business_now(business: Business, *, remove_events: bool = False) -> bool:
    """Deletes a business at once, for an operator. False while upcoming events are still being
    removed from Google: a worker continues."""
    moment = now()
    due = {"remove_events": remove_events, "due_at": moment, "next_attempt_at": moment + CLAIM}
    erasure, _is_new = Erasure.objects.update_or_create(
        business=business,
        subject=Subject.BUSINESS,
        defaults=due,
        create_defaults={
            **due,
            "language": translation.get_language() or "en",
            "asked_at": moment,
        },
    )
    return carry_out_business(erasure)


def carry_out_business(erasure: Erasure) -> bool:
    """Ends what is open, then deletes table by table in small batches; False if it has to wait for
    Google. The business itself goes last, together with this erasure."""
    business_id = erasure.business_id
    people = dict(Member.objects.filter(business=business_id).values_list("pk", "email"))
    gone = [let_go(member_id, remove_events=erasure.remove_events) for member_id in people]
    if not all(gone):
        return False
    end_sessions_of([str(member_id) for member_id in people])
    invitations = Invitation.objects.filter(business=business_id)
    invited = dict(invitations.values_list("pk", "email"))
    forget_mails([*people.values(), *invited.values()], about=[*people, *invited])
    forget_quotas(people)
    *inside, business = HOLDINGS
    for holding in inside:
        delete_in_batches(holding.of_business(business_id))
    with transaction.atomic():
        _record("business deleted", erasure)
        forget_business(business_id=business_id)
        audit.record(act=audit.Act.BUSINESS_ERASED, business_id=business_id, by=None)
        business.of_business(business_id).delete()
    return True


def _check_owns(by: Member) -> None:
    if not (by.is_active and by.role == Role.OWNER):
        raise NotAllowed(_("Only an owner of the business may do that."))


def _record(act: str, erasure: Erasure) -> None:
    """Writes to the process's log; the line names nobody."""
    logger.info(
        act,
        business_id=str(erasure.business_id),
        by=str(erasure.asked_by_id or "command"),
        due_at=erasure.due_at.isoformat(),
    )
