"""The sessions of browsers, as far as they are ours to look after."""

from __future__ import annotations

from django.contrib.sessions.models import Session

from sophiie.common.clock import now


def forget_ended_sessions() -> int:
    """Takes away what browsers left behind; returns how many. They end without it."""
    deleted, _ = Session.objects.filter(expire_date__lt=now()).delete()
    return deleted
