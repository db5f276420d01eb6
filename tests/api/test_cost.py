"""What an answer costs the database: round trips are most of the time of a booking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from sophiie.accounts.models import Member
from tests.conftest import ApiCaller
from tests.linking import link_row

pytestmark = pytest.mark.django_db

BOOKING = {"title": "Tap", "start": "2026-12-01T09:00:00+11:00", "duration_minutes": 30}


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], list[str]]:
    """The statements of an act, Django's and our own."""
    sent: list[str] = []
    whole = psycopg.Cursor.execute

    def execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(str(query))
        return whole(self, query, *args, **kwargs)

    def of(act: Callable[[], Any]) -> list[str]:
        sent.clear()
        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Cursor, "execute", execute)
            act()
        return [query for query in sent if query and "SAVEPOINT" not in query]

    return of


def test_a_booking_of_a_linked_member_takes_few_statements_none_of_which_django_makes(
    api: ApiCaller, alice: Member, statements: Any
) -> None:
    link_row(alice)
    api("GET", "/members/me")  # the first use of a key is noted on it
    made = statements(lambda: api("POST", "/appointments", BOOKING))
    assert not [query for query in made if query.startswith('SELECT "')], made
    # After the commit a worker and the open pages are told, in a thread of its own in production.
    told = [q for q in made if "procrastinate" in q or "pg_notify" in q or "synchronous" in q]
    assert len([query for query in made if query not in told]) <= 17, made


def test_the_smallest_answer_takes_one_statement(api: ApiCaller, statements: Any) -> None:
    api("GET", "/members/me")
    assert len(statements(lambda: api("GET", "/members/me"))) == 1


def test_a_search_for_free_times_takes_five_statements(
    api: ApiCaller, alice: Member, statements: Any
) -> None:
    api("GET", "/members/me")
    asked = (
        "/availability?from=2026-12-01T00:00:00Z&to=2026-12-30T00:00:00Z&duration_minutes=60"
        f"&members={alice.id}"
    )
    assert len(statements(lambda: api("GET", asked))) == 5
