"""When so much is gone that nobody believes it: the figures."""

from __future__ import annotations

import pytest

from sophiie.sync.inbound.mass_deletion import Doubt, find_doubt


@pytest.mark.parametrize(
    ("gone", "all_of_them", "is_asked"),
    [
        (4, 4, False),  # a few are nobody's mistake, even if they are all there were
        (5, 5, True),
        (5, 9, True),
        (5, 10, False),  # half of them, and not more
        (6, 11, True),
        (6, 12, False),
        (500, 999, True),
    ],
)
def test_more_than_half_of_many_is_asked_about(gone: int, all_of_them: int, is_asked: bool) -> None:
    found = find_doubt(gone, all_of_them, meant=0)
    assert found == (Doubt(gone, all_of_them, own=True) if is_asked else None)


@pytest.mark.parametrize(("meant", "is_asked"), [(6, True), (7, False), (8, False)])
def test_the_answer_is_for_as_many_as_the_question_named(meant: int, is_asked: bool) -> None:
    assert (find_doubt(7, 7, meant=meant) is not None) is is_asked


def test_the_question_says_whose_events_they_are() -> None:
    own, others = (find_doubt(7, 9, meant=0, own=own) for own in (True, False))
    assert own is not None
    assert others is not None
    assert "7 of 9" in str(own.reason)
    assert "7 of 9" in str(others.reason)
    assert own.reason.code != others.reason.code
    assert not own.list_is_whole
