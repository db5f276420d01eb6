from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "sophiie.privacy"
    label = "privacy"
