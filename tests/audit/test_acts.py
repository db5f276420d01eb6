"""Every act of people and commands stands in the audit log: who, what, to whom, from where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.audit.acts import ACTS_OF, Act
from sophiie.audit.models import Entry
from tests.audit.walk import ADDRESS, FIREFOX, Walk, newest

pytestmark = [pytest.mark.real_clock, pytest.mark.django_db(transaction=True)]

# Theirs are recorded by parts of the product that have tests of their own.
OTHERS = {
    Act.CUSTOMERS_MERGED,
    Act.CUSTOMER_DELETED,
    Act.CUSTOMERS_IMPORTED,
    Act.CUSTOMERS_EXPORTED,
    Act.CUSTOMER_ERASED,
    Act.MEMBER_ERASED,
    Act.BUSINESS_ERASED,
    Act.DATA_EXPORTED,
    Act.KEYS_ROTATED,
    Act.LOG_PRUNED,
    Act.PERSON_FORGOTTEN,
    Act.BUSINESS_FORGOTTEN,
}


def test_each_act_is_recorded_once_and_tells_no_secret(
    google: RunningSimulator, settings: Any
) -> None:
    walk, known, done = Walk(google, settings), 0, set()
    for step, expected in walk.steps():
        found = newest(known)
        told = [(e.act, e.actor_kind, e.actor_name, e.subject_label) for e in found]
        assert told == [(act.value, *rest) for act, *rest in expected], step
        for entry in found:
            _is_complete(entry)
        known += len(found)
        done |= {act for act, *_ in expected}
    assert done == set(Act) - OTHERS
    rows = json.dumps(list(Entry.objects.values()), default=str)
    assert not [secret for secret in walk.secrets if secret in rows]
    assert len(walk.secrets) > 15
    # Nor what customers say: it is erased elsewhere, and here it could not be.
    assert "Green" not in rows


def _is_complete(entry: Entry) -> None:
    assert entry.business_id
    from_browser = entry.actor_kind in ("member", "nobody")
    assert (entry.address == ADDRESS) is from_browser
    if from_browser:
        assert entry.agent == FIREFOX
        assert len(entry.request_id) == 32
    if entry.actor_kind == "command":
        assert entry.agent.startswith("sophiie ")
        assert entry.actor_id is None
    if entry.actor_kind in ("member", "api_key"):
        assert entry.actor_id
        assert entry.actor_email.endswith("@example.com")
    assert bool(entry.key_prefix) is (entry.actor_kind == "api_key")


def test_every_act_is_in_one_group() -> None:
    grouped = [act for acts in ACTS_OF.values() for act in acts]
    assert sorted(grouped) == sorted(Act)
