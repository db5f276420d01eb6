"""The event of an appointment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sophiie.sync.outbound.render import (
    DESCRIPTION_LENGTH,
    Content,
    is_ours,
    render_event,
    without_empty,
)

ID = UUID("01900000-0000-7000-8000-000000000001")
BUSINESS = UUID("01900000-0000-7000-8000-000000000002")


def content(**changes: Any) -> Content:
    plain: dict[str, Any] = {
        "appointment_id": ID,
        "business_id": BUSINESS,
        "revision": 3,
        "privacy": "full",
        "title": "Leaking tap",
        "start": datetime(2026, 11, 23, 22, 0, tzinfo=UTC),
        "end": datetime(2026, 11, 23, 23, 0, tzinfo=UTC),
        "timezone": "Australia/Sydney",
        "location": "12 Bay Street",
        "notes": "",
        "assignees": ["Alice", "Bob"],
        "customer_name": "",
        "customer_phone": "",
        "customer_email": "",
        "language": "",
        "url": "https://sophiie.example/appointments/1",
    }
    return Content(**{**plain, **changes})


def test_its_own_words_are_in_the_language_of_the_link() -> None:
    told = render_event(content(language="de", customer_name="Ms <Green>"))
    assert told["summary"] == "Leaking tap"
    assert told["description"] == (
        "Mit: Alice, Bob\nKunde: Ms &lt;Green&gt;\n\n"
        '<a href="https://sophiie.example/appointments/1">In Sophiie öffnen</a>'
    )
    assert render_event(content(language="de", privacy="busy"))["summary"] == "Beschäftigt"
    for unknown in ("", "xx", "no such"):
        assert render_event(content(language=unknown, privacy="busy"))["summary"] == "Busy"


def test_what_google_is_told() -> None:
    assert render_event(content()) == {
        "summary": "Leaking tap",
        "location": "12 Bay Street",
        "description": (
            "With: Alice, Bob\n\n"
            '<a href="https://sophiie.example/appointments/1">Open in Sophiie</a>'
        ),
        "start": {
            "dateTime": "2026-11-24T09:00:00+11:00",
            "timeZone": "Australia/Sydney",
            "date": None,
        },
        "end": {
            "dateTime": "2026-11-24T10:00:00+11:00",
            "timeZone": "Australia/Sydney",
            "date": None,
        },
        "status": "confirmed",
        "extendedProperties": {
            "private": {
                "sophiieAppointment": str(ID),
                "sophiieBusiness": str(BUSINESS),
                "sophiieRevision": "3",
            }
        },
    }


@pytest.mark.parametrize(
    ("instant", "shown"),
    [
        (datetime(2026, 4, 4, 15, 30, tzinfo=UTC), "2026-04-05T02:30:00+11:00"),  # the first
        (datetime(2026, 4, 4, 16, 30, tzinfo=UTC), "2026-04-05T02:30:00+10:00"),  # the second
        (datetime(2026, 10, 3, 16, 0, tzinfo=UTC), "2026-10-04T03:00:00+11:00"),
    ],
)
def test_times_carry_the_offset_of_their_day(instant: datetime, shown: str) -> None:
    assert render_event(content(start=instant))["start"]["dateTime"] == shown


def test_what_people_typed_is_escaped() -> None:
    event = render_event(content(notes="<script>x</script> & co", customer_name="<b>Bob</b>"))
    assert "<script>" not in event["description"]
    assert "&lt;script&gt;x&lt;/script&gt; &amp; co" in event["description"]
    assert "&lt;b&gt;Bob&lt;/b&gt;" in event["description"]


def test_a_patch_clears_what_is_empty_and_an_insert_leaves_it_out() -> None:
    event = render_event(content(location=""))
    assert event["location"] is None
    inserted = without_empty(event)
    assert "location" not in inserted
    assert "date" not in inserted["start"]


def test_only_our_own_fields_are_named() -> None:
    """A colour, a reminder or a guest that a person set must survive a patch."""
    assert set(render_event(content())) == {
        "summary",
        "location",
        "description",
        "start",
        "end",
        "status",
        "extendedProperties",
    }


@given(st.text(alphabet="<>&\"'aé", min_size=1, max_size=12), st.integers(0, 20))
def test_a_long_description_is_cut_whole(pattern: str, shift: int) -> None:
    notes = "x" * shift + pattern * (DESCRIPTION_LENGTH // len(pattern) + 1)
    text = render_event(content(notes=notes))["description"]
    assert len(text) <= DESCRIPTION_LENGTH
    assert text.endswith("Open in Sophiie</a>")
    kept = text.split("\n\n<a href")[0]
    for cut in ("&", "&l", "&lt", "&a", "&am", "&amp", "&#", "&#x", "&#x2", "&#x27", "&quo"):
        assert not kept.endswith(cut + "…")


def test_the_marker_tells_ours() -> None:
    event = render_event(content())
    assert is_ours(event, ID)
    assert not is_ours(event, UUID(int=1))
    assert not is_ours({}, ID)
    assert not is_ours({"extendedProperties": None}, ID)
