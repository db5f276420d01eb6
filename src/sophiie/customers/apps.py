from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "sophiie.customers"
    label = "customers"
