"""The form of a service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from sophiie.accounts.models import Member
from sophiie.accounts.people import active_members
from sophiie.availability.words import length
from sophiie.services.colours import Colour
from sophiie.services.errors import InvalidService
from sophiie.services.models import Service
from sophiie.services.rules import ServiceDetails, lengths_listed
from sophiie.services.selectors import colour_for_new
from sophiie.web.shared.form_fields import VisibleText

COLOURS = {
    Colour.BLUE: gettext_lazy("Blue"),
    Colour.OLIVE: gettext_lazy("Olive"),
    Colour.PLUM: gettext_lazy("Plum"),
    Colour.TEAL: gettext_lazy("Teal"),
    Colour.BRICK: gettext_lazy("Brick"),
    Colour.VIOLET: gettext_lazy("Violet"),
    Colour.OCHRE: gettext_lazy("Ochre"),
    Colour.NAVY: gettext_lazy("Navy"),
}
BUFFERS = (0, 5, 10, 15, 20, 30, 45, 60, 90, 120)
NOTICES = (0, 30, 60, 120, 240, 720, 1440, 2880, 4320, 10080)
WINDOWS = (7, 14, 30, 60, 90, 180, 365, 730)
LIST_ERROR = gettext_lazy("Choose from the list.")
NUMBER_ERRORS = {
    "required": gettext_lazy("Write a number."),
    "invalid": gettext_lazy("Write a whole number."),
}
_SEPARATORS = re.compile(r"[,;\s]+")


def _own_or_rule(label: Any, help_text: Any = "") -> forms.TypedChoiceField:
    """A value of the service's own, or empty: as the booking rules say."""
    return forms.TypedChoiceField(
        label=label,
        help_text=help_text,
        required=False,
        coerce=int,
        empty_value=None,
        error_messages={"invalid_choice": LIST_ERROR},
    )


class ServiceForm(forms.Form):
    """After `is_valid()`, `details` holds the input; whether it is offered is not the form's."""

    name = VisibleText(
        label=gettext_lazy("Name"),
        error_messages={"required": gettext_lazy("Give the service a name.")},
    )
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    duration_minutes = forms.IntegerField(
        label=gettext_lazy("How long, in minutes"), error_messages=NUMBER_ERRORS
    )
    durations = forms.CharField(
        label=gettext_lazy("Other lengths"),
        help_text=gettext_lazy("In minutes, with commas between them: 45, 60, 90."),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    price = forms.CharField(
        label=gettext_lazy("Price"),
        help_text=gettext_lazy("As you want to read it: from $90, or free of charge."),
        required=False,
    )
    people = forms.IntegerField(
        label=gettext_lazy("How many people it takes"), error_messages=NUMBER_ERRORS
    )
    member_ids = forms.MultipleChoiceField(
        label=gettext_lazy("Who does it"),
        help_text=gettext_lazy("Nobody ticked: everybody can."),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("Choose people from the list.")},
    )
    colour = forms.ChoiceField(
        label=gettext_lazy("Colour in the calendar"),
        choices=[(colour.value, name) for colour, name in COLOURS.items()],
        error_messages={"required": LIST_ERROR, "invalid_choice": LIST_ERROR},
    )
    buffer_before = _own_or_rule(
        gettext_lazy("Time before each appointment"),
        gettext_lazy("For the way there, or to prepare."),
    )
    buffer_after = _own_or_rule(
        gettext_lazy("Time after each appointment"),
        gettext_lazy("For the way back, or to tidy up."),
    )
    notice_minutes = _own_or_rule(gettext_lazy("Shortest notice"))
    window_days = _own_or_rule(gettext_lazy("How far ahead"))
    default_title = forms.CharField(
        label=gettext_lazy("Title of the appointment"),
        help_text=gettext_lazy("Empty: the name of the service."),
        required=False,
    )
    default_notes = forms.CharField(
        label=gettext_lazy("Notes of the appointment"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    details: ServiceDetails

    def __init__(self, data: Any, *, by: Member, kept: Service | None = None) -> None:
        self._kept = ServiceDetails.of(kept) if kept else None
        super().__init__(data, initial=_initial(self._kept, by))
        known = set(self._kept.member_ids) if self._kept else set()
        team = list(active_members(by.business_id))
        gone = Member.objects.filter(pk__in=known - {one.pk for one in team})
        self._choices("member_ids").choices = [
            *((str(one.pk), one.name) for one in team),
            *((str(one.pk), _("%(name)s (gone)") % {"name": one.name}) for one in gone),
        ]
        for name, offered, said in (
            ("buffer_before", BUFFERS, _minutes),
            ("buffer_after", BUFFERS, _minutes),
            ("notice_minutes", NOTICES, _minutes),
            ("window_days", WINDOWS, _days),
        ):
            own = getattr(self._kept, name) if self._kept else None
            values = sorted({*offered, *([] if own is None else [own])})
            as_rule = ("", _("As in the booking rules"))
            self._choices(name).choices = [as_rule, *((n, said(n)) for n in values)]

    def _choices(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def clean_durations(self) -> tuple[int, ...]:
        text = self.cleaned_data["durations"].strip()[:500]
        words = [word for word in _SEPARATORS.split(text) if word]
        if not all(word.isascii() and word.isdigit() and len(word) < 8 for word in words):
            raise forms.ValidationError(_("Write lengths in minutes, such as 45, 60, 90."))
        return tuple(int(word) for word in words)

    def clean_member_ids(self) -> tuple[UUID, ...]:
        return tuple(UUID(key) for key in self.cleaned_data["member_ids"])

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            active = self._kept.active if self._kept else True
            texts = ("description", "default_notes")
            plain = {name: data[name].replace("\r\n", "\n") for name in texts}
            self.details = ServiceDetails(**{**data, **plain, "active": active})
        return data

    def show(self, refusal: InvalidService) -> None:
        for field, message in refusal.errors.items():
            self.add_error(field if field in self.fields else None, message)


def _initial(kept: ServiceDetails | None, by: Member) -> dict[str, Any]:
    if kept is None:
        colour = colour_for_new(by.business_id).value
        return {"duration_minutes": 60, "people": 1, "colour": colour}
    others = [minutes for minutes in kept.durations if minutes != kept.duration_minutes]
    return {
        **asdict(kept),
        "durations": lengths_listed(others),
        "member_ids": [str(member_id) for member_id in kept.member_ids],
    }


def _minutes(minutes: int) -> str:
    return length(timedelta(minutes=minutes)) if minutes else _("none")


def _days(number: int) -> str:
    return ngettext("%(n)d day", "%(n)d days", number) % {"n": number}


def lengths_in_words(minutes: Iterable[int]) -> list[str]:
    return [length(timedelta(minutes=one)) for one in minutes]
