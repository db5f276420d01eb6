"""Settings, Audit log: for owners; filter, pages, files, and the walls around a business."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import add_member
from sophiie.audit.acts import Act
from sophiie.audit.models import Entry
from sophiie.common.clock import now
from tests.linking import browser_of
from tests.web.pages import Element, message_at, parsed

pytestmark = pytest.mark.django_db
LOG = "/settings/audit"


@pytest.fixture(autouse=True)
def _thursday_noon() -> Iterator[None]:
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield


def entry(business: Business, act: Act = Act.SIGNED_IN, **values: Any) -> Entry:
    plain = {"at": now(), "act": act, "actor_kind": "member", "actor_name": "Alice"}
    return Entry.objects.create(**plain | {"business_id": business.id} | values)


def _rows(page: Element) -> list[Element]:
    return [row for row in page.all("li") if "log-row" in row["class"]]


def texts(page: Client, query: str = "") -> list[str]:
    shown = parsed(page.get(f"{LOG}?{query}"))
    return [row.all("p")[0].words for row in _rows(shown)]


def exported(page: Client, ending: str, query: str = "") -> str:
    answer = page.get(f"{LOG}/export.{ending}?{query}")
    assert answer.status_code == 200
    assert f".{ending}" in answer["Content-Disposition"]
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_it_is_for_owners(page: Client, alice: Member, bob: Member) -> None:
    admin = add_member(
        business=alice.business, email="a@example.com", name="Ada", role="admin", password=None
    )
    for path in (LOG, f"{LOG}/export.csv", f"{LOG}/export.json"):
        assert page.get(path).status_code == 200
        assert page.post(path).status_code == 405
        assert Client().get(path)["Location"].startswith("/login?")
        for other in (admin, bob):
            assert browser_of(other).get(path).status_code == 403
    assert 'id="tab-audit"' in page.get("/settings/profile").content.decode()
    assert 'id="tab-audit"' not in browser_of(admin).get("/settings/profile").content.decode()


def test_nothing_of_another_business_is_seen(page: Client, alice: Member, charlie: Member) -> None:
    entry(charlie.business, Act.API_KEY_MADE, actor_name="Charlie", subject_label="Till")
    Entry.objects.create(at=now(), act=Act.LOG_PRUNED, actor_kind="system")
    for query in ("", f"who={charlie.id}", "what=keys"):
        assert "Charlie" not in page.get(f"{LOG}?{query}").content.decode()
    for ending in ("csv", "json"):
        assert "Charlie" not in exported(page, ending)
        assert "audit.pruned" not in exported(page, ending)
    assert page.get(f"{LOG}?who={charlie.id}").status_code == 422


def test_sentences_times_and_places(page: Client, alice: Member, bob: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(clock="12")
    place = {"address": "203.0.113.7", "agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"}
    when = datetime.fromisoformat("2026-11-25T13:30:05Z")
    about = {"subject_kind": "member", "subject_id": bob.id, "subject_label": "Bob"}
    start = {"start": "2026-12-01T22:30:00+00:00"}
    entry(alice.business, Act.ROLE_CHANGED, at=when, **place, **about,
          actor_id=alice.id, details={"role": ["member", "admin"]})  # fmt: skip
    entry(alice.business, Act.SIGN_IN_FAILED, actor_kind="nobody", **about, details={"more": 1})
    entry(alice.business, Act.SIGN_IN_FAILED, actor_kind="nobody", **about, details={"more": 3})
    entry(alice.business, Act.HOURS_CHANGED, actor_id=bob.id, actor_name="Bob", **about)
    entry(alice.business, Act.HOURS_CHANGED, actor_id=alice.id, **about)
    entry(alice.business, Act.BOOKED_ANYWAY, details=start | {"consents": ["booked_anyway"]},
          actor_kind="api_key", key_prefix="0123456789abcdef")  # fmt: skip
    entry(alice.business, Act.API_KEY_MADE, actor_kind="command", actor_name="",
          agent="sophiie create-api-key",
          subject_label="Reception", details={"for": "Bob"})  # fmt: skip
    entry(alice.business, Act.LINK_CHOSEN, actor_name="", details={})
    entry(alice.business, act="later.release")
    words = " | ".join(row.words for row in _rows(parsed(page.get(LOG))))
    for sentence in (
        "Alice changed the role of Bob Role: Member → Admin 12:30:05 am",
        "12:30:05 am · 203.0.113.7 · Firefox, Linux",
        "1 more failed attempt to sign in as Bob within the hour",
        "3 more failed attempts to sign in as Bob within the hour",
        "Bob changed their working hours",
        "Alice changed the working hours of Bob",
        "Alice booked the appointment of 2 Dec 2026, 9:30 am anyway Not everybody was free",
        "with the API key sophiie_012345…",
        "The command line created the API key “Reception” for Bob",
        "sophiie create-api-key",
        "A person who was erased chose the Google calendar “…”",
        "Alice: later.release",
    ):
        assert sentence in words
    assert "Thursday, 26 November 2026" in parsed(page.get(LOG)).one("main").words


def test_what_people_write_is_text(page: Client, alice: Member) -> None:
    entry(alice.business, subject_label="<b>x</b>", agent="<i>", actor_name="%(whom)s <script>")
    shown = page.get(LOG).content.decode()
    assert "<script>" not in shown.partition("<main")[2]
    assert "%(whom)s &lt;script&gt; signed in" in shown


def test_the_filter(page: Client, alice: Member, bob: Member) -> None:
    old = datetime.fromisoformat("2026-11-20T12:59:59Z")  # 23:59:59 in Sydney
    who = {"actor_id": bob.id, "actor_name": "Bob"}
    entry(alice.business, at=old, **who)
    entry(alice.business, Act.SIGNED_OUT, at=old + timedelta(seconds=1), **who)
    entry(alice.business, Act.ROLE_CHANGED, subject_id=bob.id, subject_label="Bob")
    entry(alice.business, Act.API_KEY_REVOKED, actor_kind="command", subject_label="Till")
    assert len(texts(page, f"who={bob.id}")) == 3
    assert texts(page, f"who={bob.id}&what=sign-in") == ["Bob signed out", "Bob signed in"]
    assert texts(page, "first_day=2026-11-20&last_day=2026-11-20") == ["Bob signed in"]
    assert texts(page, "first_day=2026-11-21&last_day=2026-11-25") == ["Bob signed out"]
    assert texts(page, "who=command&what=keys") == [
        "The command line revoked the API key “Till” of …"
    ]
    assert "Nothing like that was recorded." in page.get(f"{LOG}?what=calendar").content.decode()
    assert len(json.loads(exported(page, "json", f"who={bob.id}&what=sign-in"))) == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("who=nobody-i-know", "who"),
        ("what=everything", "what"),
        ("first_day=yesterday", "first_day"),
        ("first_day=0001-01-01", "first_day"),
        ("last_day=9999-12-31", "last_day"),
        ("first_day=2026-11-21&last_day=2026-11-20", "last_day"),
        ("who=%00", "who"),
    ],
)
def test_a_wrong_filter_is_said_at_its_field(page: Client, query: str, field: str) -> None:
    for path in (LOG, f"{LOG}/export.csv"):
        answer = page.get(f"{path}?{query}")
        assert answer.status_code == 422
        assert message_at(parsed(answer), field)


def test_pages_hold_everything_once_whatever_is_added_meanwhile(
    page: Client, alice: Member
) -> None:
    for n in range(120):  # many at one and the same moment
        entry(alice.business, Act.API_KEY_MADE, at=now() - timedelta(minutes=n // 40),
              subject_label=f"key {n:03}", details={"for": "Bob"})  # fmt: skip
    seen: list[str] = []
    query = "what=keys"
    while query:
        shown = parsed(page.get(f"{LOG}?{query}"))
        seen += [row.all("p")[0].words for row in _rows(shown)]
        entry(alice.business, Act.API_KEY_MADE, at=now() + timedelta(minutes=1))
        older = [a for a in shown.all("a") if a["rel"] == "next"]
        query = older[0]["href"].partition("?")[2] if older else ""
    assert len(seen) == len(set(seen)) == 120
    assert page.get(f"{LOG}?behind=nonsense").status_code == 200
    assert page.get(f"{LOG}?behind=9999-12-31T23:59:59%2B00:00_{alice.id}").status_code == 200


def test_the_files(page: Client, alice: Member) -> None:
    attack = '=HYPERLINK("http://x")'
    entry(alice.business, subject_label=attack, actor_name="+1", agent="\t-2", actor_email=" @x")
    entry(alice.business, subject_label="Zoë, “Till”\n2", details={"role": ["member", "admin"]})
    text = exported(page, "csv")
    assert text.startswith("\ufeffat,act,text,")
    found = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    bad = next(row for row in found if "HYPERLINK" in row["subject"])
    assert bad["subject"] == "'" + attack
    assert (bad["actor"], bad["agent"], bad["actor_email"]) == ("'+1", "'\t-2", "' @x")
    assert not [v for row in found for v in row.values() if v.lstrip(" ")[:1] in ("=", "+", "@")]
    good = json.loads(exported(page, "json"))
    assert attack in [row["subject"] for row in good]
    assert {"role": ["member", "admin"]} in [row["details"] for row in good]
    # That somebody took it is an entry as well, and is in the next file.
    taken = [row["details"]["format"] for row in good if row["act"] == "audit.exported"]
    assert sorted(taken) == ["csv", "json"]
    assert json.loads(exported(page, "json", "first_day=2030-01-01")) == []


def test_a_file_of_many_pages_is_in_the_readers_language(
    page: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sophiie.audit.selectors._CHUNK", 7)
    Member.objects.filter(pk=alice.pk).update(language="de")
    for _ in range(30):
        entry(alice.business)
    found = json.loads(exported(page, "json", "what=sign-in"))
    assert len(found) == len({row["id"] for row in found}) == 31  # and the sign-in itself
    assert {row["text"] for row in found} == {"Alice hat sich angemeldet"}


def test_too_much_for_a_file_is_said(
    page: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sophiie.audit.selectors.MAX_EXPORTED", 3)
    for _ in range(3):
        entry(alice.business)
    answer = page.get(f"{LOG}/export.csv")
    assert answer.status_code == 422
    assert "Choose a shorter period" in message_at(parsed(answer), "first_day")


def test_a_full_page_costs_as_much_as_an_empty_one(
    page: Client, alice: Member, django_assert_num_queries: Callable[..., Any]
) -> None:
    page.get(LOG)
    for n in (3, 40):
        for _ in range(n):
            entry(alice.business)
        with django_assert_num_queries(7):
            page.get(LOG)
