from django.apps import AppConfig


class WaitingListConfig(AppConfig):
    name = "sophiie.waiting_list"
    label = "waiting_list"
