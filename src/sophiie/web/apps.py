from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "sophiie.web"
    label = "web"

    def ready(self) -> None:
        from sophiie.web.shared import submitted_data  # noqa: F401 - it listens to sign-ins
