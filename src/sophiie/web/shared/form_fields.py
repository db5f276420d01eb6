"""Fields that several forms share, and where their refusals are shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy

from sophiie.accounts.people import InvalidAccount
from sophiie.common.blank import is_blank
from sophiie.common.wall_time import zone_choices
from sophiie.web.shared.typed_times import TypedTimeField

TIME_ERRORS = {"invalid": gettext_lazy("Write the time as 14:30 or 2:30 pm.")}
DATE_ERRORS = {
    "required": gettext_lazy("Choose a date."),
    "invalid": gettext_lazy("Write the date as 2026-12-31."),
}


class VisibleText(forms.CharField):
    """Text of which nothing could be seen counts as none."""

    def to_python(self, value: Any) -> str:
        text: str = super().to_python(value) or ""
        return "" if is_blank(text) else text


class LongSelect(forms.Select):
    """A select of hundreds of options, as fast as text: Django renders four templates for each."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        chosen = set(self.format_value(value))
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            (
                (key, mark_safe(" selected") if str(key) in chosen else "", label)
                for key, label in self.choices
            ),
        )
        merged = self.build_attrs(self.attrs, {"name": name, **(attrs or {})})
        return format_html("<select{}>{}</select>", flatatt(merged), options)


def show_refusal(form: forms.Form, refusal: InvalidAccount) -> None:
    """Puts the message at its field, or above the form."""
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))


def name_field(help_text: Any = "") -> forms.CharField:
    return VisibleText(
        label=gettext_lazy("Your name"),
        help_text=help_text,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": gettext_lazy("Tell us your name.")},
    )


def email_field(*, autocomplete: str, label: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label or gettext_lazy("Email"),
        widget=forms.EmailInput(
            attrs={"autocomplete": autocomplete, "autocapitalize": "none", "spellcheck": "false"}
        ),
        error_messages={"required": gettext_lazy("Enter an email address.")},
    )


def new_password_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        help_text=gettext_lazy("At least 8 characters. Three or four words are good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": gettext_lazy("Choose a password.")},
    )


def timezone_choices(kept: str = "") -> list[tuple[str, str]]:
    """The zones to offer, with the present one however it is spelled."""
    zones = sorted({*zone_choices(), kept} - {""})
    return [(name, name.replace("_", " ")) for name in zones]


def timezone_field(kept: str = "", help_text: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=help_text,
        choices=timezone_choices(kept),
        widget=LongSelect,
        error_messages={
            "required": gettext_lazy("Choose a time zone from the list."),
            "invalid_choice": gettext_lazy("Choose a time zone from the list."),
        },
    )


def time_field(label: str) -> TypedTimeField:
    return TypedTimeField(label=label, required=False, error_messages=TIME_ERRORS)


def date_field(label: Any, *, required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages=DATE_ERRORS,
    )
