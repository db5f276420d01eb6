"""Statements of our own read whole rows, and what Django would have to read they refuse."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.api_keys import create_api_key, living_key
from sophiie.accounts.models import ApiKey, Business, Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.sql import Columns, execute

pytestmark = pytest.mark.django_db


def _values(row: Model) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def test_a_key_is_read_with_every_column_of_its_member_and_business(alice: Member) -> None:
    """A column that somebody adds to a model is read as well, whoever wrote the statement."""
    Member.objects.filter(pk=alice.pk).update(former_names=["Alicia"])
    text = create_api_key(alice)
    key = living_key(text)
    assert key is not None
    with CaptureQueriesContext(connection) as asked:
        read = [_values(row) for row in (key, key.member, key.member.business)]
    assert not asked.captured_queries
    assert read[1] == _values(Member.objects.get(pk=alice.pk))
    assert read[2] == _values(Business.objects.get(pk=alice.business_id))
    known = _values(ApiKey.objects.get(pk=key.pk))
    assert read[0] | {"last_used_at": None} == known | {"last_used_at": None}


def test_what_was_not_asked_for_is_read_when_somebody_needs_it(alice: Member) -> None:
    columns = Columns(Member, only="name id")
    ((*values,),) = execute(
        f"SELECT {columns.of('m')} FROM accounts_member AS m WHERE id = %(id)s", id=alice.id
    )
    member = columns.built(iter(values))
    assert (member.id, member.name) == (alice.id, alice.name)
    assert member.email == alice.email


def test_a_secret_that_has_to_be_decrypted_is_refused() -> None:
    with pytest.raises(AssertionError, match="token"):
        Columns(CalendarLink).of("link")


def test_a_field_that_the_model_has_not_is_refused() -> None:
    with pytest.raises(AssertionError, match="nick"):
        Columns(Member, only="id nick").of("member")
