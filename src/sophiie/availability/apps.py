from django.apps import AppConfig


class AvailabilityConfig(AppConfig):
    name = "sophiie.availability"
    label = "availability"

    def ready(self) -> None:
        from sophiie.availability import receivers

        receivers.connect()
