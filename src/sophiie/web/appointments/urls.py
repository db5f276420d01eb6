"""The addresses of one appointment, of its form's fragments, and of *Why is this not offered?*."""

from django.urls import path

from sophiie.web.appointments import (
    drift,
    explain,
    form_fragments,
    holds,
    repeat_said,
    service_choice,
    sheet,
    views,
)

urlpatterns = [
    path("appointments/new", views.appointment_new, name="appointment-new"),
    path("appointments/time-check", form_fragments.time_check, name="appointment-time-check"),
    path("appointments/repeat", repeat_said.repeat_said, name="appointment-repeat"),
    path("appointments/service", service_choice.service_fields, name="appointment-service"),
    path("customers/options", form_fragments.customers, name="customers"),
    path("appointments/<uuid:appointment_id>", views.appointment, name="appointment"),
    path(
        "appointments/<uuid:appointment_id>/sheet",
        sheet.appointment_sheet,
        name="appointment-sheet",
    ),
    path(
        "appointments/<uuid:appointment_id>/status",
        sheet.appointment_status,
        name="appointment-status",
    ),
    path(
        "appointments/<uuid:appointment_id>/confirm",
        holds.appointment_confirm,
        name="appointment-confirm",
    ),
    path(
        "appointments/<uuid:appointment_id>/cancel",
        views.appointment_cancel,
        name="appointment-cancel",
    ),
    path(
        "appointments/<uuid:appointment_id>/delete",
        views.appointment_delete,
        name="appointment-delete",
    ),
    path(
        "appointments/<uuid:appointment_id>/reinstate",
        views.appointment_reinstate,
        name="appointment-reinstate",
    ),
    path(
        "appointments/<uuid:appointment_id>/retry",
        views.appointment_retry,
        name="appointment-retry",
    ),
    path(
        "appointments/<uuid:appointment_id>/drift",
        drift.appointment_drift,
        name="appointment-drift",
    ),
    path(
        "appointments/<uuid:appointment_id>/badge",
        views.appointment_badge,
        name="appointment-badge",
    ),
    path("availability/explain", explain.explain, name="availability-explain"),
]
