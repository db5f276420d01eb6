"""Browser sessions: who is behind one, which are still valid, and what ends them.

An open page asks nothing more, so it is told when its session ends; now and then its session is
checked in case that was missed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.signals import password_changed, password_reset, password_set
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from sophiie.accounts.models import Member
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.common.ending import stop_if_asked
from sophiie.common.horizon import bring_back
from sophiie.common.sql import execute


@dataclass(frozen=True)
class SignedIn:
    """A member in one browser. `password` is a digest of the password hash at sign-in."""

    key: str
    member_id: UUID
    business_id: UUID
    password: str


def who_is_signed_in(key: str) -> SignedIn | None:
    """The member behind a session; None if it is not valid (any more).

    Unlike `get_user` it only reads: it never gives a session a new key whose cookie nobody sends.
    """
    session = SessionStore(key) if key.isascii() and key.isalnum() else {}
    backend, sealed = session.get(BACKEND_SESSION_KEY), session.get(HASH_SESSION_KEY, "")
    if backend not in settings.AUTHENTICATION_BACKENDS:
        return None
    member = Member.objects.filter(pk=str(session.get(SESSION_KEY)), is_active=True).first()
    if member is None:
        return None
    seals = [member.get_session_auth_hash(), *member.get_session_auth_fallback_hash()]
    if not any([constant_time_compare(sealed, seal) for seal in seals]):  # noqa: C419 - in one time
        return None
    return SignedIn(key, member.pk, member.business_id, _digest(member.password))


_STILL = """
    SELECT asked.place
    FROM unnest(%(keys)s::text[], %(members)s::uuid[], %(passwords)s::text[])
        WITH ORDINALITY AS asked (key, member, password, place)
    JOIN django_session AS session ON session.session_key = asked.key
    JOIN accounts_member AS member ON member.id = asked.member
    WHERE session.expire_date > %(now)s AND member.is_active
        AND encode(sha256(convert_to(member.password, 'UTF8')), 'hex') = asked.password
"""


def still_signed_in(sessions: Collection[SignedIn]) -> set[SignedIn]:
    """The sessions that are still valid, by one statement for all of them."""
    asked = list(sessions)
    rows = execute(
        _STILL,
        keys=[session.key for session in asked],
        members=[session.member_id for session in asked],
        passwords=[session.password for session in asked],
        now=now(),
    )
    return {asked[place - 1] for (place,) in rows}


def announce_ends() -> None:
    """Lets open pages hear when a person signs out or gets another password."""
    user_logged_out.connect(_on_sign_out, dispatch_uid="sessions")
    for signal in (password_changed, password_reset, password_set):
        signal.connect(_on_new_password, dispatch_uid="sessions")


def _on_sign_out(request: HttpRequest, user: Any, **_: Any) -> None:
    if isinstance(user, Member):
        ended = name_of(request.session.session_key or "")
        live.announce(user.business_id, session_ended=ended)


def _on_new_password(user: Member, **_: Any) -> None:
    live.announce(user.business_id, sessions_in_doubt=user.pk)


def name_of(key: str) -> str:
    """A name for a session where its key, which is a secret, must not be seen."""
    return _digest(key)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# This makes a session somebody's; the rest of it is what they were about to do.
_OF_THE_SIGN_IN = "_auth_user_"


def forget_ended_sessions() -> int:
    """Deletes expired sessions and returns how many. They are invalid without it."""
    moment, lasts = now(), timedelta(seconds=settings.SESSION_COOKIE_AGE)
    bring_back(Session.objects.all(), "expire_date", moment, at_most=lasts)
    deleted, _ = Session.objects.filter(expire_date__lt=moment).delete()
    return deleted


def forget_in_sessions(is_meant: Callable[[str], bool]) -> int:
    """Removes matching JSON text from what browsers' sessions store; returns from how many."""
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
    """Decodes sessions: no column says which member one belongs to, or what is in it."""
    for session in Session.objects.iterator(chunk_size=500):
        stop_if_asked()
        yield session, session.get_decoded()
