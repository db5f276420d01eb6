"""An erasure asked for by a clock that was ahead: in its time, neither sooner nor never."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate
from sophiie.common.clock import now
from sophiie.privacy.chores import carry_out_due
from sophiie.privacy.members import ask_to_erase_member
from sophiie.privacy.models import DELAY, Erasure
from tests.clock_jumps import by_a_wrong_clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("off", [timedelta(hours=10), timedelta(days=365)], ids=str)
def test_a_member_is_erased_after_the_delay(alice: Member, bob: Member, off: timedelta) -> None:
    with by_a_wrong_clock(off):
        deactivate(by=alice, member=bob)
        ask_to_erase_member(by=alice, member=bob)
    assert carry_out_due() == 0
    assert Erasure.objects.get().due_at <= now() + DELAY
    with time_machine.travel((now() + DELAY + timedelta(minutes=1)).timestamp(), tick=True):
        assert carry_out_due() == 1
    assert not Erasure.objects.exists()


def test_what_another_process_has_claimed_by_a_wrong_clock_is_taken_up(
    alice: Member, bob: Member
) -> None:
    deactivate(by=alice, member=bob)
    ask_to_erase_member(by=alice, member=bob)
    Erasure.objects.update(
        due_at=now() - timedelta(hours=1), next_attempt_at=now() + timedelta(hours=10)
    )
    assert carry_out_due() == 1
