"""Records sign-ins, sign-outs and passwords in the audit log, by the signals of Django and of the
sign-in library, inside the request that did it."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as allauth
from django.contrib.auth import signals as django
from django.dispatch import Signal

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.accounts.people import record_about
from sophiie.audit.failures import record_failure

_ACTS: dict[Signal, audit.Act] = {
    django.user_logged_in: audit.Act.SIGNED_IN,
    django.user_logged_out: audit.Act.SIGNED_OUT,
    allauth.password_changed: audit.Act.PASSWORD_CHANGED,
    allauth.password_set: audit.Act.PASSWORD_CHANGED,
    allauth.password_reset: audit.Act.PASSWORD_RESET,
}


def connect() -> None:
    for signal in _ACTS:
        signal.connect(_on_act, dispatch_uid="audit")
    django.user_login_failed.connect(_on_failure, dispatch_uid="audit")


def _on_act(signal: Signal, user: Any, **_: Any) -> None:
    if isinstance(user, Member):  # a browser that was not signed in can sign out, too
        record_about(_ACTS[signal], user, by=user)


def _on_failure(credentials: dict[str, Any], **_: Any) -> None:
    email = str(credentials.get("email", ""))[:254].replace("\x00", "")
    record_failure(Member.objects.filter(email__iexact=email).first())
