"""Looking at the guests of a whole business anew: somebody linked or unlinked, came or left.

Asked for in the transaction that gave the reason, done by a worker afterwards: it concerns
appointments and links of other members, which that transaction does not hold.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from sophiie.common.clock import now
from sophiie.common.horizon import over
from sophiie.common.logs import log
from sophiie.sync.models import GuestReview
from sophiie.sync.outbox.guests import appointments_with_guests
from sophiie.sync.outbox.record import record_anew

logger = log(__name__)

CLAIM = timedelta(minutes=5)


def ask_for_guest_review(business_id: UUID) -> None:
    """Notes that a review is due; part of the caller's transaction."""
    GuestReview.objects.update_or_create(
        business_id=business_id, defaults={"asked_at": now(), "claimed_until": None}
    )


def review_guests() -> int:
    """Does the reviews that are due; returns how many. Idempotent.

    One short transaction for each appointment, the same as for a change of it. A worker that is
    killed leaves the request, and another one begins again when the claim has run out.
    """
    reviewed = 0
    moment = now()
    free = Q(claimed_until=None) | over("claimed_until", Now(), at_most=CLAIM)
    for review in GuestReview.objects.filter(free):
        claim = GuestReview.objects.filter(free, pk=review.pk, asked_at=review.asked_at)
        if not claim.update(claimed_until=Now() + CLAIM):
            continue
        for appointment_id in appointments_with_guests(review.business_id, moment):
            record_anew(appointment_id, backfill=True)
        # Not if it was asked for once more: then what was seen may be old.
        GuestReview.objects.filter(pk=review.pk, asked_at=review.asked_at).delete()
        logger.info("guests reviewed", business_id=str(review.business_id))
        reviewed += 1
    return reviewed
