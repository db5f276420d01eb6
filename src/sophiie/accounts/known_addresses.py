"""The network addresses from which a member signed in before, or reset their password.

When strangers guess at a password, Sophiie slows the account down, but not at these addresses. Only
digests are stored.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.signals import password_reset
from django.contrib.auth.signals import user_logged_in
from django.db.models.functions import Lower
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from sophiie.accounts.models import KnownAddress, Member
from sophiie.common.addresses import client_network
from sophiie.common.clock import now
from sophiie.common.horizon import bring_back

KEPT_FOR = timedelta(days=180)
MOST = 20


def note_address(request: HttpRequest, member: Member) -> None:
    """Remembers this address as the member's."""
    network = client_network(request)
    if not network:
        return
    KnownAddress.objects.update_or_create(
        member=member, digest=_digest(network), defaults={"seen_at": now()}
    )
    newest = KnownAddress.objects.filter(member=member).order_by("-seen_at")
    KnownAddress.objects.filter(pk__in=list(newest.values_list("pk", flat=True)[MOST:])).delete()


def is_known_address(request: HttpRequest, *, email: str) -> bool:
    """Whether the person with this email address signed in from here before."""
    known = KnownAddress.objects.annotate(email=Lower("member__email"))
    return known.filter(
        email=email.lower(), digest=_digest(client_network(request)), seen_at__gt=now() - KEPT_FOR
    ).exists()


def forget_old_addresses() -> int:
    moment = now()
    bring_back(KnownAddress.objects.all(), "seen_at", moment, at_most=timedelta())
    return KnownAddress.objects.filter(seen_at__lte=moment - KEPT_FOR).delete()[0]


def _digest(network: str) -> str:
    return salted_hmac("sophiie.known-address", network, algorithm="sha256").hexdigest()


@receiver([user_logged_in, password_reset])
def _note(request: HttpRequest, user: Any, **_more: Any) -> None:
    note_address(request, user)
