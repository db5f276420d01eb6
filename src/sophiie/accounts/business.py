"""What owners and admins decide for their business as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Business, Clock, Member, Role, WeekStart
from sophiie.accounts.people import (
    InvalidAccount,
    NotAllowed,
    check_business_name,
    check_timezone,
)
from sophiie.accounts.signals import business_changed
from sophiie.common.logs import log

logger = log(__name__)

_SETTINGS = (
    "name",
    "timezone",
    "clock",
    "week_start",
    "invite_guests",
    "members_may_mirror_all",
)


@dataclass(frozen=True, kw_only=True)
class BusinessDetails:
    """Everything that can be changed about a business."""

    name: str
    timezone: str
    clock: str
    week_start: int
    invite_guests: bool
    # Only an owner changes it; None leaves it as it is.
    members_may_mirror_all: bool | None = None


def change_business(by: Member, details: BusinessDetails) -> Business:
    """Changes the business. Raises `NotAllowed`, or `InvalidAccount` with the field that is wrong.

    Appointments keep the zone they were made in.
    """
    if not (by.is_active and by.manages_business):
        raise NotAllowed(_("Only owners and admins of this business may do that."))
    name = check_business_name(details.name)
    check_timezone(details.timezone)
    if details.clock not in Clock.values:
        raise InvalidAccount(_("Choose one of the two clocks."), field="clock")
    if details.week_start not in WeekStart.values:
        raise InvalidAccount(_("Choose a day from the list."), field="week_start")
    with transaction.atomic():
        business = Business.objects.select_for_update(no_key=True).get(pk=by.business_id)
        before = {name: getattr(business, name) for name in _SETTINGS}
        business.name, business.timezone = name, details.timezone
        business.clock, business.week_start = details.clock, details.week_start
        business.invite_guests = details.invite_guests
        _decide_about_mirroring(by, business, details.members_may_mirror_all)
        business.save()
        _record_change(by, business, before)
        business_changed.send(sender=Business, business=business)
    logger.info("business changed", business_id=str(business.id), by=str(by.id))
    return business


def _record_change(by: Member, business: Business, before: dict[str, Any]) -> None:
    changes = {
        name: [old, getattr(business, name)]
        for name, old in before.items()
        if old != getattr(business, name)
    }
    if changes:
        audit.record(
            act=audit.Act.BUSINESS_CHANGED,
            business_id=business.id,
            by=by,
            subject=audit.Subject("business", business.id, business.name),
            details=changes,
        )


def _decide_about_mirroring(by: Member, business: Business, may: bool | None) -> None:
    if may is None or may == business.members_may_mirror_all:
        return
    if by.role != Role.OWNER:
        raise InvalidAccount(
            _("Only an owner decides what members may mirror."), field="members_may_mirror_all"
        )
    business.members_may_mirror_all = may
