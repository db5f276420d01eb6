"""The sign-in library's password forms, with Sophiie's additions."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth
from allauth.account.internal import flows
from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy, ngettext

from sophiie.accounts import mail
from sophiie.accounts.api_keys import living_keys_of, revoke_all_keys_of
from sophiie.accounts.models import MailKind, Member
from sophiie.accounts.people import InvalidAccount, check_email


class AskForResetForm(allauth.ResetPasswordForm):  # type: ignore[misc]
    """Treats known and unknown addresses alike: the worker looks the address up."""

    def clean_email(self) -> str:
        try:
            return check_email(self.cleaned_data["email"])
        except InvalidAccount as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def save(self, request: Any, **_kwargs: Any) -> str:
        email = str(self.cleaned_data["email"])
        mail.post(MailKind.RESET, to=email)
        return email


class _EndsKeys(forms.Form):
    """A new password also revokes the API keys, unless the person chooses to keep them."""

    user: Member

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        count = living_keys_of(self.user).count()
        if count:
            label = ngettext("Keep %(n)s API key working", "Keep %(n)s API keys working", count) % {
                "n": count
            }
            self.fields["keep_keys"] = forms.BooleanField(
                required=False,
                label=label,
                help_text=gettext_lazy(
                    "Only if you are sure that nobody else knows them. Otherwise they are revoked."
                ),
            )

    def save(self) -> None:
        with transaction.atomic():
            flows.password_change.change_password(self.user, self.cleaned_data["password1"])
            if not self.cleaned_data.get("keep_keys"):
                revoke_all_keys_of(self.user)


class ChangePasswordForm(_EndsKeys, allauth.ChangePasswordForm):  # type: ignore[misc]
    pass


class SetPasswordForm(_EndsKeys, allauth.SetPasswordForm):  # type: ignore[misc]
    pass


class ResetPasswordForm(_EndsKeys, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    pass
