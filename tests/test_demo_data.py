"""The demo shows resources and a waiting list, whatever the day on which somebody starts it."""

from __future__ import annotations

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.ops import demo_data
from sophiie.resources.models import Resource
from sophiie.waiting_list.entries import waiting
from sophiie.waiting_list.fits import fits_of, take

pytestmark = pytest.mark.django_db


@pytest.mark.every_date
def test_one_of_those_who_wait_can_come_sooner() -> None:
    demo_data.create()
    alice = Member.objects.get(email="alice@example.com")
    entries = list(waiting(alice))
    fits = fits_of(alice, entries)
    sooner, later = entries
    assert set(fits) == {sooner.pk}
    assert sooner.appointment is not None
    fit = fits[sooner.pk]
    assert fit.start < sooner.appointment.start
    assert take(by=alice, entry_id=sooner.pk, start=fit.start).start == fit.start
    assert list(waiting(alice)) == [later]


def test_van_and_camera_are_needed_by_some_appointments() -> None:
    demo_data.create()
    needs = {
        resource.name: set(resource.uses.values_list("appointment__title", flat=True))
        for resource in Resource.objects.all()
    }
    assert needs == {
        "Blue van": {"New kitchen: pipes", "New kitchen: fitting", "Hot water system, fitting"},
        "Drain camera": {"Blocked drain", "Gutter and downpipe"},
    }


def test_what_is_there_is_not_made_again() -> None:
    demo_data.create()
    alice = Member.objects.get(email="alice@example.com")
    before = (Appointment.objects.count(), Resource.objects.count(), waiting(alice).count())
    demo_data.create()
    after = (Appointment.objects.count(), Resource.objects.count(), waiting(alice).count())
    assert before == after
