from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "sophiie.audit"
    label = "audit"
