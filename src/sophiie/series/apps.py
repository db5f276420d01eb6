from django.apps import AppConfig


class SeriesConfig(AppConfig):
    name = "sophiie.series"
    label = "series"

    def ready(self) -> None:
        from sophiie.series import receivers

        receivers.connect()
