"""Decides anew, for a whole business, who shares whose event, as a guest or in one calendar: after
somebody linked, unlinked, joined or left, or a link broke.

The transaction that gave the reason only asks for it and a worker does it afterwards, because it
concerns appointments and links of other members, which that transaction has not locked.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sophiie.common.claims import Claim
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.sync.models import GuestReview
from sophiie.sync.outbox.guests import appointments_with_guests
from sophiie.sync.outbox.hosting import appointments_in_shared_calendars
from sophiie.sync.outbox.record import record_anew

logger = log(__name__)

REVIEW = Claim("claimed_until", timedelta(minutes=5))


def ask_for_guest_review(business_id: UUID) -> None:
    """Notes that a review is due; part of the caller's transaction."""
    GuestReview.objects.update_or_create(
        business_id=business_id, defaults={"asked_at": now(), "claimed_until": None}
    )


def review_guests() -> int:
    """Does the reviews that are due; returns how many. Idempotent.

    Each appointment has a short transaction of its own, as for a change of it. A worker that is
    killed leaves the request, and another one begins again when the claim has run out.
    """
    reviewed = 0
    for review in GuestReview.objects.filter(REVIEW.is_free()):
        # Another request while we are at it is a review of its own: what we saw may be old then.
        this_request = GuestReview.objects.filter(pk=review.pk, asked_at=review.asked_at)
        if not REVIEW.take(this_request):
            continue
        moment = now()
        concerned = [
            *appointments_with_guests(review.business_id, moment),
            *appointments_in_shared_calendars(review.business_id, moment),
        ]
        for appointment_id in dict.fromkeys(concerned):
            record_anew(appointment_id, backfill=True)
        this_request.delete()
        logger.info("guests reviewed", business_id=str(review.business_id))
        reviewed += 1
    return reviewed
