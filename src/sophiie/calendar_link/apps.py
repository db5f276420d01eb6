from django.apps import AppConfig


class CalendarLinkConfig(AppConfig):
    name = "sophiie.calendar_link"
    label = "calendar_link"

    def ready(self) -> None:
        from sophiie.calendar_link import receivers

        receivers.connect()
