"""Availability's say when a time is to be held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from sophiie.accounts.models import Business
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.signals import hold_asked
from sophiie.availability.plans import rules_of
from sophiie.common.clock import now


def connect() -> None:
    hold_asked.connect(_on_hold, dispatch_uid="availability")


def _on_hold(business: Business, start: datetime, **_more: Any) -> None:
    """Refuses to hold a time that is not offered yet. Raises `InvalidAppointment`."""
    rules = rules_of(business)
    if start >= rules.window_end(now(), business.timezone):
        words = _("A time can be held at most %(n)s days ahead, as far as times are offered.")
        raise InvalidAppointment({"start": words % {"n": rules.window_days}})
