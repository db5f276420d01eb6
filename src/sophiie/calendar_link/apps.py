from django.apps import AppConfig


class CalendarLinkConfig(AppConfig):
    name = "sophiie.calendar_link"
    label = "calendar_link"
