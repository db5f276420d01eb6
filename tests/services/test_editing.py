"""What a service can be, who may change it, and that two of the same name cannot be offered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.accounts.people import NotAllowed, deactivate
from sophiie.audit.acts import Act
from sophiie.audit.models import Entry
from sophiie.services import editing
from sophiie.services.colours import Colour
from sophiie.services.errors import InvalidService, UnknownService
from sophiie.services.models import Service
from sophiie.services.rules import ServiceDetails, check_details
from sophiie.services.selectors import able_members, colour_for_new, find
from tests.services.made import service

pytestmark = pytest.mark.django_db


def changed(by: Member, of: Service, **changes: Any) -> Service:
    return editing.change(by=by, service_id=of.pk, to=lambda before: replace(before, **changes))


def test_the_lengths_are_in_order_with_the_default_among_them(alice: Member) -> None:
    made = service(alice, name="  Gas \n check ", duration_minutes=60, durations=(90, 45, 90))
    assert (made.name, made.durations) == ("Gas check", [45, 60, 90])
    assert service(alice, name="Other").durations == [45]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " \u200b ", "Give the service a name."),
        ("name", "x" * 101, "At most 100 characters; this has 101."),
        ("description", "a\x00b", "This text contains a character that cannot be stored."),
        ("price", "x" * 61, "At most 60 characters; this has 61."),
        ("duration_minutes", 0, "Between 1 and 44640."),
        ("durations", (44641,), "Between 1 and 44640."),
        ("durations", tuple(range(1, 14)), "At most 12 lengths."),
        ("buffer_before", -1, "Between 0 and 480."),
        ("buffer_after", 481, "Between 0 and 480."),
        ("notice_minutes", 86_401, "Between 0 and 86400."),
        ("window_days", 0, "Between 1 and 1095."),
        ("people", 0, "Between 1 and 50."),
        ("people", 51, "Between 1 and 50."),
        ("colour", "red; background: url(x)", "Choose one of these colours: "),
        ("default_title", "x" * 301, "At most 300 characters; this has 301."),
        ("default_notes", "x" * 5001, "At most 5,000 characters; this has 5,001."),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
def test_what_cannot_be_is_refused_at_its_field(field: str, value: Any, words: str) -> None:
    plain: dict[str, Any] = {"name": "Gas check", "duration_minutes": 45}
    with pytest.raises(InvalidService) as refused:
        check_details(ServiceDetails(**{**plain, field: value}))
    assert list(refused.value.errors) == [field]
    assert refused.value.errors[field].startswith(words)


def test_it_cannot_take_more_people_than_can_do_it(alice: Member, bob: Member) -> None:
    with pytest.raises(InvalidService, match="only 1 can do it"):
        service(alice, bob, people=2)
    assert service(alice, people=2).people == 2


def test_two_active_services_never_have_the_same_name(alice: Member, charlie: Member) -> None:
    first = service(alice)
    with pytest.raises(InvalidService, match="already an active service"):
        service(alice, name="GAS  CHECK")
    assert service(charlie).name == first.name  # another business
    changed(alice, first, active=False)
    second = service(alice, name="gas check")
    with pytest.raises(InvalidService) as refused:
        changed(alice, first, active=True)
    assert list(refused.value.errors) == ["name"]
    changed(alice, second, active=False)
    assert changed(alice, first, active=True).active


def test_only_owners_and_admins_change_services(
    alice: Member, bob: Member, charlie: Member
) -> None:
    made = service(alice)
    for refused in (
        lambda: service(bob, name="Other"),
        lambda: changed(bob, made, people=2),
        lambda: editing.delete(by=bob, service_id=made.pk),
    ):
        with pytest.raises(NotAllowed):
            refused()
    with pytest.raises(UnknownService):
        changed(charlie, made, people=2)
    with pytest.raises(UnknownService):
        editing.delete(by=charlie, service_id=made.pk)
    with pytest.raises(UnknownService):
        find(charlie.business_id, made.pk)
    with pytest.raises(InvalidService, match="Name only people of this business"):
        service(alice, charlie, name="Other")


def test_who_can_do_it_is_named_or_everybody(alice: Member, bob: Member) -> None:
    made = service(alice)
    assert able_members(made) == [alice, bob]
    made = changed(alice, made, member_ids=(bob.pk,))
    assert able_members(find(alice.business_id, made.pk)) == [bob]
    # Nobody is left who can: that is not everybody.
    deactivate(alice, bob)
    assert able_members(find(alice.business_id, made.pk)) == []


def test_a_new_service_has_a_colour_of_its_own(alice: Member) -> None:
    for number, colour in enumerate(Colour):
        assert colour_for_new(alice.business_id) == colour
        service(alice, name=f"Service {number}", colour=colour)
    assert colour_for_new(alice.business_id) == Colour.BLUE


def test_every_change_is_in_the_log(alice: Member) -> None:
    made = service(alice, price="90 $")
    changed(alice, made, price="95 $")
    changed(alice, made, price="95 $")  # nothing
    editing.delete(by=alice, service_id=made.pk)
    entries = list(Entry.objects.filter(subject_kind="service").order_by("at", "id"))
    assert [entry.act for entry in entries] == [
        Act.SERVICE_MADE,
        Act.SERVICE_CHANGED,
        Act.SERVICE_DELETED,
    ]
    assert entries[1].details == {"price": ["90 $", "95 $"]}
    assert {entry.subject_label for entry in entries} == {"Gas check"}
