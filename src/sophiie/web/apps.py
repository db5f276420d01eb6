from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "sophiie.web"
    label = "web"
