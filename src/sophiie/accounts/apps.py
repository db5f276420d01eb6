from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sophiie.accounts"
    label = "accounts"

    def ready(self) -> None:
        from sophiie.accounts import sign_in_records

        sign_in_records.connect()
