from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "sophiie.services"
    label = "services"
