"""Work whose amount grows is done in parts, less often, or by estimate."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from sophiie.accounts.models import Member
from sophiie.common import counting, sparing
from sophiie.common.counting import about_how_many
from sophiie.common.patrol import Patrol
from sophiie.common.sparing import Sparing, pause_after
from tests.many_links.filling import fill

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_patrol_comes_past_every_row_again_and_again() -> None:
    fill(0, 250, each=1)
    everybody = set(Member.objects.values_list("pk", flat=True))
    patrol = Patrol(Member, at_once=100)
    for _ in range(2):
        rounds: list[set[UUID]] = [{row.pk for row in patrol.next()} for _ in range(3)]
        assert [len(some) for some in rounds] == [100, 100, 50]
        assert set.union(*rounds) == everybody


def test_a_patrol_looks_at_all_of_a_few() -> None:
    fill(0, 1, each=1)
    patrol = Patrol(Member, at_once=100)
    assert [patrol.next().count() for _ in range(3)] == [1, 1, 1]


def test_few_rows_are_counted_and_many_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(0, 300, each=1)
    assert about_how_many(Member.objects.filter(role="owner")) == 30
    monkeypatch.setattr(counting, "CHEAP", 0.0)
    assert 15 <= about_how_many(Member.objects.filter(role="owner")) <= 60


def test_an_answer_that_takes_long_is_asked_for_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(sparing.time, "monotonic", lambda: clock[0])
    takes, asked = [0.1], []

    def ask() -> int:
        asked.append(clock[0])
        clock[0] += takes[0]
        return len(asked)

    answer = Sparing(ask)
    assert [answer(), answer()] == [1, 2]  # a quick one is always of now
    takes[0] = 3.0
    assert answer() == 3
    clock[0] += 90
    assert answer() == 3
    clock[0] += 20
    assert answer() == 4


def test_several_who_ask_at_once_share_an_answer() -> None:
    asked, go_on = [], threading.Event()

    def ask() -> str:
        asked.append(1)
        go_on.wait(30)
        return "answer"

    answer = Sparing(ask)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(answer())) for _ in range(3)]
    for thread in threads:
        thread.start()
    threading.Timer(0.5, go_on.set).start()
    for thread in threads:
        thread.join(30)
    assert answers == ["answer"] * 3
    assert len(asked) == 1


def test_a_long_round_is_followed_by_a_long_pause() -> None:
    assert pause_after(0.01, least=1.0) == 1.0
    assert pause_after(3.0, least=1.0) > 90.0
