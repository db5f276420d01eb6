"""What the database lets nobody do to the audit log, and the three ways in which it shrinks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.audit.models import Entry
from sophiie.audit.upkeep import forget_business, forget_person, is_protected, prune
from sophiie.common.clock import now
from sophiie.common.ids import new_id
from sophiie.database.cluster import ADMIN, APPLICATION

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "audit.md"


def entry(**values: Any) -> Entry:
    return Entry.objects.create(
        **{"at": now(), "act": "tests.made", "actor_kind": "system"} | values
    )


def sql(statement: str) -> Callable[[], Any]:
    return lambda: connection.cursor().execute(statement)


CHANGES: dict[str, Callable[[], Any]] = {
    "UPDATE": sql("UPDATE audit_entry SET actor_name = 'Nobody'"),
    "UPDATE of no row": sql("UPDATE audit_entry SET act = '' WHERE false"),
    "DELETE": sql("DELETE FROM audit_entry"),
    "TRUNCATE": sql("TRUNCATE audit_entry"),
    "TRUNCATE with others": sql("TRUNCATE audit_entry, audit_failurecount CASCADE"),
    "an insert that updates": sql(
        "INSERT INTO audit_entry (id, at, act, actor_kind) SELECT id, at, act, actor_kind"
        " FROM audit_entry ON CONFLICT (id) DO UPDATE SET act = 'nothing'"
    ),
    "a common table expression": sql(
        "WITH gone AS (DELETE FROM audit_entry RETURNING id) SELECT count(*) FROM gone"
    ),
    "save()": lambda: Entry.objects.get().save(),
    "update()": lambda: Entry.objects.update(act="nothing"),
    "delete()": lambda: Entry.objects.all().delete(),
    "a young part of it": sql("SELECT audit_prune(now() - interval '29 days', 1000)"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses_every_change(db: None, change: str) -> None:
    kept = entry(actor_name="Alice")
    with (
        pytest.raises(DatabaseError, match=r"append-only|for 30 days at least"),
        transaction.atomic(),
    ):
        CHANGES[change]()
    assert list(Entry.objects.values_list("id", "act", "actor_name")) == [
        (kept.id, "tests.made", "Alice")
    ]


def test_after_the_upkeep_it_refuses_as_before(db: None) -> None:
    entry(at=now() - timedelta(days=800))
    assert prune() == 1
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Entry.objects.all().delete()


def test_what_is_too_old_goes_in_batches_and_leaves_a_record(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sophiie.audit.upkeep._BATCH", 2)
    settings.AUDIT_DAYS = 40
    old = [entry(at=now() - timedelta(days=42 + n)) for n in range(3)]
    young = entry(at=now() - timedelta(days=39))
    assert [prune(), prune(), prune()] == [2, 1, 0]
    records = Entry.objects.filter(act=audit.Act.LOG_PRUNED).order_by("at", "id")
    assert sorted(record.details["entries"] for record in records) == [1, 2]
    left = set(Entry.objects.values_list("id", flat=True))
    assert left == {young.id, *(record.id for record in records)}
    assert not left & {one.id for one in old}


def test_a_day_that_is_half_over_is_pruned_tomorrow(db: None, settings: Any) -> None:
    """Or each entry that goes would leave another one behind."""
    settings.AUDIT_DAYS = 40
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    entry(at=today - timedelta(days=40))
    assert prune() == 0


def test_an_erased_person_leaves_acts_without_a_name(
    db: None, alice: Member, bob: Member, charlie: Member
) -> None:
    kept = entry(business_id=alice.business_id, actor_name="Alice", actor_email=alice.email)
    about = {"subject_kind": "member", "subject_id": bob.id, "subject_label": "Bob"}
    own = {"actor_kind": "member", "actor_id": bob.id, "actor_name": "Bob"}
    here = {"business_id": alice.business_id, "address": "203.0.113.9", "agent": "Bob's phone"}
    entry(**here, **about, **own, act="email.changed", details={"email": ["b@x.org", bob.email]})
    entry(**here, **own, actor_email=bob.email)
    entry(**here, **about, actor_kind="nobody")
    entry(**here, subject_kind="invitation", subject_id=new_id(), subject_label="b@x.org")
    entry(**here, details={"for": "Bob", "for_id": str(bob.id)}, subject_kind="api_key")
    elsewhere = entry(business_id=charlie.business_id, subject_label=bob.email)
    assert forget_person(business_id=alice.business_id, member_id=bob.id, email=bob.email)
    left = [e for e in Entry.objects.values() if e["id"] not in (elsewhere.id, kept.id)]
    assert "Bob" not in str([e for e in left if e["actor_id"] == bob.id])
    for word in ("b@x.org", bob.email):
        assert word not in str([e for e in left if e["act"] != audit.Act.MEMBER_ADDED])
    assert len([e for e in left if e["actor_id"] == bob.id]) == 2  # that it was done stays
    assert Entry.objects.get(pk=kept.pk).actor_name == "Alice"
    assert Entry.objects.get(pk=elsewhere.pk).subject_label == bob.email
    (record,) = Entry.objects.filter(act=audit.Act.PERSON_FORGOTTEN)
    assert (record.subject_id, record.details) == (bob.id, {"entries": 5})


def test_an_erased_business_leaves_one_entry(db: None, alice: Member, charlie: Member) -> None:
    there = Entry.objects.filter(business_id=charlie.business_id).count()
    assert forget_business(business_id=alice.business_id) == 1  # that it was made
    (left,) = Entry.objects.filter(business_id=alice.business_id)
    assert left.act == audit.Act.BUSINESS_FORGOTTEN
    assert Entry.objects.filter(business_id=charlie.business_id).count() == there == 1


def test_doctor_sees_triggers_that_are_off(db: None) -> None:
    assert is_protected()
    connection.cursor().execute(
        "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_is_not_changed"
    )
    assert not is_protected()


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_was_never_recorded(alice: Member) -> None:
    known = Entry.objects.count()
    with transaction.atomic():
        audit.record(act=audit.Act.DATA_EXPORTED, business_id=alice.business_id, by=alice)
        assert Entry.objects.count() == known + 1
        transaction.set_rollback(True)
    assert Entry.objects.count() == known


ESCAPES = (
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_entry_is_not_changed ON audit_entry",
    "DROP TABLE audit_entry",
    "DELETE FROM audit_entry",
    "SELECT set_config('sophiie.audit_upkeep', 'on', false); DELETE FROM audit_entry",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'",
    "DROP FUNCTION audit_prune",
    "ALTER SCHEMA public RENAME TO old",
    "GRANT sophiie_audit TO sophiie",
)


@pytest.mark.usefixtures("django_db_setup")
def test_a_second_owner_as_documented_leaves_the_role_nothing_but_adding() -> None:
    """The steps are those of the docs, word for word; all of it is taken back at the end."""
    (recipe, *_) = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    server = urlsplit(os.environ["SOPHIIE_DATABASE_URL"])
    admin = server._replace(netloc=server.netloc.replace(APPLICATION, ADMIN))
    name = connection.settings_dict["NAME"]
    with psycopg.connect(urlunsplit(admin), dbname=name) as database:
        database.execute(recipe)
        database.execute(f"SET LOCAL ROLE {APPLICATION}")
        database.execute(
            "INSERT INTO audit_entry (id, at, act, actor_kind) VALUES"
            " (gen_random_uuid(), now() - interval '31 days', 'tests.made', 'system')"
        )
        for statement in ESCAPES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction():
                database.execute(statement)
        prune_old = "SELECT audit_prune(now() - interval '30 days', 5)"
        assert database.execute(prune_old).fetchone() == (1,)
        database.execute("CREATE TABLE of_a_later_release (id integer)")
        database.rollback()
