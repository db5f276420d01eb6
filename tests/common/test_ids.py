"""Identifiers: in the order in which they were made, and as Google takes them."""

import re
import uuid
from datetime import UTC, datetime, timedelta

from sophiie.common.clock import now
from sophiie.common.ids import new_event_id, new_id


def test_ids_made_one_after_another_sort_in_that_order() -> None:
    ids = [new_id() for _ in range(2000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_an_id_is_a_uuid_of_version_7_that_tells_its_time() -> None:
    made = new_id()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    moment = datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
    assert abs(moment - now()) < timedelta(minutes=1)


def test_event_ids_use_only_what_google_allows() -> None:
    ids = {new_event_id() for _ in range(1000)}
    assert len(ids) == 1000
    # events.insert, field `id`: base32hex, lower case, 5 to 1024 characters.
    assert all(re.fullmatch(r"[a-v0-9]{5,1024}", made) for made in ids)


def test_the_clock_is_aware_and_in_utc() -> None:
    assert now().utcoffset() == timedelta(0)
