from typing import Any

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "sophiie.privacy"
    label = "privacy"

    def ready(self) -> None:
        from sophiie.accounts.signals import member_reactivated

        member_reactivated.connect(_on_reactivated, dispatch_uid="privacy")


def _on_reactivated(member: Any, **_: Any) -> None:
    """A member who is let in again is no longer erased."""
    from sophiie.privacy.members import call_off

    call_off(member)
