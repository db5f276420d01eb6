from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sophiie.accounts"
    label = "accounts"

    def ready(self) -> None:
        from sophiie.accounts import (
            known_addresses,  # noqa: F401 - it listens to sign-ins
            sign_in_records,
            two_factor,
        )
        from sophiie.accounts.sessions import announce_ends

        announce_ends()
        sign_in_records.connect()
        two_factor.connect()
