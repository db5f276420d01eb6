"""The addresses at which data are erased, kept and downloaded."""

from django.urls import path

from sophiie.web.settings.erasure import downloads, views

urlpatterns = [
    path(
        "appointments/<uuid:appointment_id>/erase-customer",
        views.customer_erase,
        name="customer-erase",
    ),
    path(
        "customers/<uuid:customer_id>/erase",
        views.customer_record_erase,
        name="customer-record-erase",
    ),
    path("settings/team/<uuid:member_id>/erase", views.member_erase, name="member-erase"),
    path("settings/team/<uuid:member_id>/keep", views.member_keep, name="member-keep"),
    path("settings/business/delete", views.business_delete, name="business-delete"),
    path("settings/business/keep", views.business_keep, name="business-keep"),
    path("settings/business/data", downloads.business_data, name="business-data"),
    path("settings/profile/data", downloads.my_data, name="my-data"),
]
