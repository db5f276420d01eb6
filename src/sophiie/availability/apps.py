from django.apps import AppConfig


class AvailabilityConfig(AppConfig):
    name = "sophiie.availability"
    label = "availability"
