from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "sophiie.accounts"
    label = "accounts"
