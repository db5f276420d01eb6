from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "sophiie.web"
    label = "web"

    def ready(self) -> None:
        from sophiie.web import typed_text  # noqa: F401 - it listens to sign-ins
