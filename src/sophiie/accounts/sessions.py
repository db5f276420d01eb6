"""The sessions of browsers, as far as they are ours to look after."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from sophiie.common.clock import now
from sophiie.common.stopping import go_on

# What makes a session somebody's; all else in it is what they were about to do.
_OF_THE_SIGN_IN = "_auth_user_"


def forget_ended_sessions() -> int:
    """Takes away what browsers left behind; returns how many. They end without it."""
    deleted, _ = Session.objects.filter(expire_date__lt=now()).delete()
    return deleted


def forget_in_sessions(is_meant: Callable[[str], bool]) -> int:
    """Takes what is kept in browsers' sessions and is meant, as JSON text, out of them; returns
    out of how many."""
    count = 0
    for session, kept in _read_sessions():
        left = {
            name: value
            for name, value in kept.items()
            if name.startswith(_OF_THE_SIGN_IN)
            or not is_meant(json.dumps(value, ensure_ascii=False))
        }
        if left != kept:
            data = SessionStore().encode(left)
            count += Session.objects.filter(pk=session.pk).update(session_data=data)
    return count


def end_sessions_of(member_ids: Collection[str]) -> int:
    """Ends the sessions of these members; returns how many there were."""
    theirs = [
        session.pk
        for session, kept in _read_sessions()
        if kept.get(f"{_OF_THE_SIGN_IN}id") in member_ids
    ]
    deleted, _ = Session.objects.filter(pk__in=theirs).delete()
    return deleted


def _read_sessions() -> Any:
    """Which member a session belongs to, and what is in it, no column says."""
    for session in Session.objects.iterator(chunk_size=500):
        go_on()
        yield session, session.get_decoded()
