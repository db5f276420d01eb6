from django.apps import AppConfig


class SyncConfig(AppConfig):
    name = "sophiie.sync"
    label = "sync"

    def ready(self) -> None:
        from sophiie.sync import receivers

        receivers.connect()
