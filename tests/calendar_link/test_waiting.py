"""Pages that wait for Google: a few at once, none for long, and none keeps its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import Context

import pytest

from sophiie.calendar_link.problems import LinkProblem
from sophiie.calendar_link.waiting import MAX_AT_ONCE, PATIENCE_SECONDS, waiting_for_google
from sophiie.google.patience import seconds_left

Others = Callable[[int], Callable[[], None]]


@pytest.fixture
def others() -> Iterator[Others]:
    """So many other pages begin to wait; each time the function returned is called, one ends."""
    left: list[Callable[[], None]] = []

    def begin(count: int) -> Callable[[], None]:
        for _ in range(count):
            page, waiting = Context(), waiting_for_google()
            page.run(waiting.__enter__)
            left.append(lambda page=page, waiting=waiting: page.run(waiting.__exit__, *[None] * 3))
        return lambda: left.pop()()

    yield begin
    while left:
        left.pop()()


def wait() -> float | None:
    with waiting_for_google():
        return seconds_left()


def test_a_page_waits_for_some_seconds_and_no_longer() -> None:
    left = wait()
    assert left is not None
    assert PATIENCE_SECONDS / 2 < left <= PATIENCE_SECONDS
    assert seconds_left() is None


def test_where_enough_wait_the_next_is_told_at_once(others: Others) -> None:
    one_ends = others(MAX_AT_ONCE)
    with pytest.raises(LinkProblem) as told:
        wait()
    assert told.value.kind == "too_many_wait"
    assert seconds_left() is None
    one_ends()
    assert wait()


def test_work_that_has_to_be_done_goes_on_without_google(others: Others) -> None:
    one_ends = others(MAX_AT_ONCE)
    with waiting_for_google(or_not_at_all=True):
        assert seconds_left() == 0.0
    one_ends()
    with waiting_for_google(or_not_at_all=True):
        assert seconds_left()


def test_a_page_that_waits_twice_has_one_place_and_one_patience(others: Others) -> None:
    others(MAX_AT_ONCE - 1)
    with waiting_for_google():
        before = seconds_left()
        with waiting_for_google():
            within = seconds_left()
        assert before is not None
        assert within is not None
        assert 0 < within <= before
        with pytest.raises(LinkProblem):
            Context().run(wait)  # another page
    assert wait()


def test_a_page_that_fails_gives_its_place_back() -> None:
    for _ in range(MAX_AT_ONCE + 1):
        with pytest.raises(ZeroDivisionError), waiting_for_google():
            raise ZeroDivisionError
