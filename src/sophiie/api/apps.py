from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "sophiie.api"
    label = "api"
