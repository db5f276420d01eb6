from django.apps import AppConfig


class ResourcesConfig(AppConfig):
    name = "sophiie.resources"
    label = "resources"
