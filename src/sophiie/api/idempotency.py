"""`Idempotency-Key` on POST: same key and body, same answer; same key, other body, 422."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from sophiie.accounts.models import Member
from sophiie.api.models import IdempotentAnswer
from sophiie.api.problems import ProblemError, invalid
from sophiie.common.clock import now

MAX_KEY = 255


def is_kept(request: HttpRequest) -> bool:
    """Whether the answer will be stored, so that `answer_once` runs the act in its transaction."""
    return bool(request.headers.get("Idempotency-Key"))


def kept_answer(request: HttpRequest, member: Member) -> tuple[int, Any] | None:
    """The stored answer to this request, if there is one. Runs nothing."""
    key = request.headers.get("Idempotency-Key", "")
    if not key or not _can_be_kept(key):
        return None
    kept = IdempotentAnswer.objects.filter(member=member, key=key, body_digest=_digest(request))
    found = kept.filter(created_at__gte=now() - _kept()).exclude(status=0).first()
    return (found.status, found.body) if found else None


def answer_once(
    request: HttpRequest, member: Member, act: Callable[[], tuple[int, Any]]
) -> tuple[int, Any]:
    """Runs `act` and stores its answer under the request's key, in one transaction.

    A second request with the same key waits meanwhile for the first one to commit.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return act()
    if not _can_be_kept(key):
        raise invalid({"Idempotency-Key": [f"At most {MAX_KEY} printable characters."]})
    digest = _digest(request)
    moment = now()
    with transaction.atomic():
        _forget_old(moment)
        # ON CONFLICT DO NOTHING waits for a transaction that holds the same key.
        IdempotentAnswer.objects.bulk_create(
            [IdempotentAnswer(member=member, key=key, body_digest=digest, created_at=moment)],
            ignore_conflicts=True,
        )
        kept = IdempotentAnswer.objects.select_for_update().get(member=member, key=key)
        if kept.body_digest != digest:
            raise ProblemError(
                422,
                "idempotency-key-reused",
                "This Idempotency-Key was used for another request",
                "Use a new key for a new request.",
                errors={"Idempotency-Key": ["It was used with another body."]},
            )
        if kept.status == 0:
            kept.status, kept.body = act()
            kept.save(update_fields=["status", "body"])
        return kept.status, kept.body


def _kept() -> timedelta:
    return timedelta(days=settings.IDEMPOTENCY_DAYS)


def _can_be_kept(key: str) -> bool:
    return len(key) <= MAX_KEY and key.isprintable()


def _digest(request: HttpRequest) -> str:
    told = f"{request.method} {request.path}\n".encode() + request.body
    return hashlib.sha256(told).hexdigest()


def _forget_old(moment: datetime) -> None:
    """Deletes some expired answers; skips rows that another request has locked."""
    old = IdempotentAnswer.objects.filter(created_at__lt=moment - _kept())
    some = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:100])
    IdempotentAnswer.objects.filter(pk__in=some).delete()
