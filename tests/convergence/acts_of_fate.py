"""How Google fails, and how workers die, stand still or are overtaken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.convergence.acts_of_people import ActsOfPeople
from tests.convergence.clocks import RIGHT
from tests.convergence.ground import accounts, moments, numbers, some_appointment
from tests.convergence.troubles import (
    BUSY_ANSWERS,
    DEAD_GRANTS,
    EVENT_METHODS,
    LOST_ANSWERS,
    OAUTH_METHODS,
    OAUTH_TROUBLES,
    READING_TROUBLES,
    REFUSALS,
)
from tests.convergence.worker import (
    Hand,
    an_hour_passes,
    die,
    leases_run_out,
    pauses_pass,
    work,
)
from tests.convergence.world import SHARED


def one_of(troubles: dict[str, Any]) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(troubles))


WRONG_CLOCKS = [
    RIGHT,
    *(sign * timedelta(hours=hours) for hours in (1, 24) for sign in (1, -1)),
]
PASSING = [timedelta(minutes=6), timedelta(minutes=65)]
methods = st.sampled_from(EVENT_METHODS)


class ActsOfFate(ActsOfPeople):
    @some_appointment()
    @rule(which=numbers, trouble=one_of(LOST_ANSWERS), method=methods, count=st.integers(1, 3))
    def answers_are_lost(self, which: int, trouble: str, method: str, count: int) -> None:
        self.google_fails(which, LOST_ANSWERS[trouble], method, count)

    @some_appointment()
    @rule(which=numbers, trouble=one_of(BUSY_ANSWERS), method=methods, count=st.integers(1, 3))
    def google_is_busy(self, which: int, trouble: str, method: str, count: int) -> None:
        self.google_fails(which, BUSY_ANSWERS[trouble], method, count)

    @some_appointment()
    @rule(which=numbers, trouble=one_of(REFUSALS), method=methods)
    def google_refuses(self, which: int, trouble: str, method: str) -> None:
        self.google_fails(which, REFUSALS[trouble], method, 1)

    def google_fails(self, which: int, fault: dict[str, Any], method: str, count: int) -> None:
        """While there is something to do, of one or of several appointments."""
        self.google.fault(method=f"calendar.events.{method}", count=count, **fault)
        self.something_to_do(which, count)
        work()

    @rule(
        account=accounts,
        name=st.sampled_from(sorted(OAUTH_TROUBLES)),
        method=st.sampled_from(OAUTH_METHODS),
        count=st.integers(1, 2),
    )
    def sign_in_fails(self, account: str, name: str, method: str, count: int) -> None:
        self.google.expire_access_tokens(account)
        self.google.fault(method=method, count=count, **OAUTH_TROUBLES[name])

    @rule(account=accounts, whose=st.sampled_from(["Google's", "Sophiie's"]))
    def access_tokens_end(self, account: str, whose: str) -> None:
        if whose == "Google's":
            self.google.expire_access_tokens(account)
        else:
            an_hour_passes()

    @some_appointment()
    @rule(
        which=numbers,
        account=accounts,
        how=st.sampled_from(["withdrawn", *DEAD_GRANTS]),
        for_long=st.booleans(),
    )
    def access_is_lost(self, which: int, account: str, how: str, for_long: bool) -> None:
        if how == "withdrawn":
            self.google.revoke_grant(account)
        else:
            self.google.fail_tokens(account, how)
            self.google.expire_access_tokens(account)
        self.something_to_do(which, 2)
        work()
        if for_long:
            self.lost.add(account)
        else:
            self.google.fail_tokens(account, None)
            for name in self.world.members:
                self.reconnect(name)

    @some_appointment()
    @rule(
        which=numbers,
        account=accounts,
        role=st.sampled_from(["reader", "freeBusyReader", None]),
        for_long=st.booleans(),
    )
    def role_is_lowered(self, which: int, account: str, role: str | None, for_long: bool) -> None:
        self.google.set_role(account, SHARED[account], role)
        self.something_to_do(which, 2)
        work()
        if not for_long:
            self.world.restore_role(account)

    @some_appointment()
    @rule(which=numbers, account=accounts, units=st.integers(0, 10))
    def google_refuses_more(self, which: int, account: str, units: int) -> None:
        """Few calls are left in this minute, or the account's calendars are read-only for hours."""
        if units:
            self.google.quotas(enabled=True, per_user=units, clear=True)
        else:
            self.google.quota_exceeded(account)
        self.something_to_do(which, 3)
        work()
        self.google.quotas(enabled=False)

    @some_appointment()
    @rule(which=numbers, account=accounts, for_long=st.booleans())
    def guests_are_refused(self, which: int, account: str, for_long: bool) -> None:
        """The account's invitations are used up; all else is accepted."""
        self.google.invitations_exceeded(account)
        self.reassign(which, ("Alice", "Bob"))
        self.something_to_do(which, 2)
        work()
        if not for_long:
            self.google.invitations_exceeded(account, 0)

    @rule(off=st.sampled_from(WRONG_CLOCKS))
    def our_clock_is_set(self, off: timedelta) -> None:
        """Wrong, or right again. Google's is right all along."""
        self.world.clocks.set_ours(off)
        self.tally.clock_jumps += 1

    @rule(by=st.sampled_from(PASSING))
    def time_passes(self, by: timedelta) -> None:
        self.world.clocks.go_on(by)

    @rule()
    def work(self) -> None:
        pauses_pass()
        work()

    @some_appointment()
    @rule(which=numbers)
    def two_workers(self, which: int) -> None:
        self.something_to_do(which, 3)
        work(workers=2)

    @some_appointment()
    @rule(which=numbers, at=moments)
    def worker_is_killed(self, which: int, at: int) -> None:
        self.something_to_do(which, 2)
        hand = Hand(at, die)
        work(hand=hand)
        leases_run_out()
        self.tally.kills += hand.acted

    @some_appointment()
    @rule(which=numbers, at=moments)
    def worker_stands_still_and_another_takes_over(self, which: int, at: int) -> None:
        """As long as its lease lasts; then it goes on as if nothing had been."""

        def another() -> None:
            leases_run_out()
            pauses_pass()
            work()

        self.something_to_do(which, 2)
        hand = Hand(at, another)
        work(hand=hand)
        self.tally.stalls += hand.acted

    @rule(trouble=one_of(READING_TROUBLES), count=st.integers(0, 2), at=st.none() | moments)
    def calendars_are_read(self, trouble: str, count: int, at: int | None) -> None:
        """Perhaps in vain, and perhaps by a process that dies over it."""
        if count:
            fault = READING_TROUBLES[trouble]
            self.google.fault(method="calendar.events.list", count=count, **fault)
        hand = Hand(at, die) if at else None
        work(hand=hand, reading=True)
        self.google.clear_faults()
        leases_run_out()
