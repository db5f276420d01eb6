from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    name = "sophiie.appointments"
    label = "appointments"
