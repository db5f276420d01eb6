"""The worker's part in privacy: carries out what is due."""

from __future__ import annotations

from datetime import timedelta

from sophiie.common.clock import now
from sophiie.common.ending import WorkCutShort
from sophiie.common.horizon import SKEW, bring_back, over
from sophiie.common.logs import log
from sophiie.privacy.businesses import carry_out_business
from sophiie.privacy.customers import carry_out_customer
from sophiie.privacy.members import carry_out_member
from sophiie.privacy.models import CLAIM, DELAY, Erasure, Subject
from sophiie.privacy.retention import forget_old

logger = log(__name__)

# How soon an erasure that waits for Google gets another look.
LOOK_AGAIN = timedelta(minutes=1)
MAX_AT_ONCE = 20
_ACTS = {
    Subject.CUSTOMER: carry_out_customer,
    Subject.MEMBER: carry_out_member,
    Subject.BUSINESS: carry_out_business,
}


def carry_out_due() -> int:
    """Carries out the erasures that are due and returns how many are done. One that fails does not
    hold up the others, and is tried again."""
    moment = now()
    # Never at once because a clock was set: until then it can be called off.
    bring_back(Erasure.objects.all(), "due_at", moment, at_most=DELAY)
    bring_back(
        Erasure.objects.filter(subject=Subject.CUSTOMER), "due_at", moment, at_most=timedelta()
    )
    free = over("next_attempt_at", moment, at_most=CLAIM + SKEW)
    due = Erasure.objects.filter(free, due_at__lte=moment)
    done = 0
    for erasure in due.order_by("next_attempt_at")[:MAX_AT_ONCE]:
        claim = Erasure.objects.filter(pk=erasure.pk, next_attempt_at=erasure.next_attempt_at)
        if not claim.update(next_attempt_at=now() + CLAIM):
            continue
        try:
            is_done = _ACTS[Subject(erasure.subject)](erasure)
        except WorkCutShort:  # another worker takes it up
            Erasure.objects.filter(pk=erasure.pk).update(next_attempt_at=now())
            return done
        except Exception:
            logger.exception("erasure failed", erasure_id=str(erasure.pk))
            continue
        if is_done:
            done += 1
        else:
            Erasure.objects.filter(pk=erasure.pk).update(next_attempt_at=now() + LOOK_AGAIN)
    return done


# In this order, after the worker's own.
CHORES = (carry_out_due, forget_old)
