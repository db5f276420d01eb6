from django.apps import AppConfig


class BusyTimeConfig(AppConfig):
    name = "sophiie.busy_time"
    label = "busy_time"
