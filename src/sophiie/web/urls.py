"""The addresses of the pages."""

from allauth.account import views as account
from django.db.transaction import atomic
from django.urls import path, re_path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from sophiie.web import overview
from sophiie.web.account import views as sign_up_pages
from sophiie.web.appointments import drift as drift_pages
from sophiie.web.appointments import explain, form_fragments
from sophiie.web.appointments import holds as hold_pages
from sophiie.web.appointments import views as pages
from sophiie.web.calendar import changes, feed
from sophiie.web.calendar import views as calendar_pages
from sophiie.web.serving import live
from sophiie.web.settings import api_keys as key_pages
from sophiie.web.settings import email as email_pages
from sophiie.web.settings import views as settings_pages
from sophiie.web.settings.audit import views as audit_pages
from sophiie.web.settings.audit.export import FORMATS
from sophiie.web.settings.erasure import downloads
from sophiie.web.settings.erasure import views as erasure_pages
from sophiie.web.settings.google_calendar import polls, webhook
from sophiie.web.settings.google_calendar import preflight as preflight_page
from sophiie.web.settings.google_calendar import views as linking_pages
from sophiie.web.settings.hours import views as hours_pages
from sophiie.web.settings.team import invitations
from sophiie.web.settings.team import views as team_pages
from sophiie.web.shared import first_steps
from sophiie.web.shared import help as help_pages

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="calendar"), name="home"),
    path("calendar", calendar_pages.calendar, name="calendar"),
    path("calendar/feed", feed.calendar_feed, name="calendar-feed"),
    path("calendar/search", calendar_pages.calendar_search, name="calendar-search"),
    path("calendar/book", changes.calendar_book, name="calendar-book"),
    path(
        "calendar/appointments/<uuid:appointment_id>/move",
        changes.calendar_move,
        name="calendar-move",
    ),
    path(
        "calendar/appointments/<uuid:appointment_id>/delete",
        changes.calendar_delete,
        name="calendar-delete",
    ),
    path("appointments/new", pages.appointment_new, name="appointment-new"),
    path("appointments/time-check", form_fragments.time_check, name="appointment-time-check"),
    path("customers", form_fragments.customers, name="customers"),
    path("appointments/<uuid:appointment_id>", pages.appointment, name="appointment"),
    path(
        "appointments/<uuid:appointment_id>/confirm",
        hold_pages.appointment_confirm,
        name="appointment-confirm",
    ),
    path(
        "appointments/<uuid:appointment_id>/cancel",
        pages.appointment_cancel,
        name="appointment-cancel",
    ),
    path(
        "appointments/<uuid:appointment_id>/delete",
        pages.appointment_delete,
        name="appointment-delete",
    ),
    path(
        "appointments/<uuid:appointment_id>/reinstate",
        pages.appointment_reinstate,
        name="appointment-reinstate",
    ),
    path(
        "appointments/<uuid:appointment_id>/retry",
        pages.appointment_retry,
        name="appointment-retry",
    ),
    path(
        "appointments/<uuid:appointment_id>/drift",
        drift_pages.appointment_drift,
        name="appointment-drift",
    ),
    path(
        "appointments/<uuid:appointment_id>/badge",
        pages.appointment_badge,
        name="appointment-badge",
    ),
    path(
        "appointments/<uuid:appointment_id>/erase-customer",
        erasure_pages.customer_erase,
        name="customer-erase",
    ),
    path("overview", overview.overview, name="overview"),
    path("first-steps/put-away", first_steps.put_away, name="first-steps-put-away"),
    path("settings", RedirectView.as_view(pattern_name="settings-calendar"), name="settings"),
    path("settings/profile", settings_pages.profile, name="settings-profile"),
    path("settings/profile/email", email_pages.email, name="settings-email"),
    path(
        "settings/profile/email/<str:secret>",
        email_pages.email_confirm,
        name="settings-email-confirm",
    ),
    path("settings/business", settings_pages.business, name="settings-business"),
    path("settings/keys", key_pages.api_keys, name="settings-keys"),
    path("settings/keys/<uuid:key_id>/revoke", key_pages.api_key_revoke, name="api-key-revoke"),
    path("settings/team", team_pages.team, name="settings-team"),
    path("settings/team/invite", invitations.member_invite, name="member-invite"),
    path(
        "settings/team/invitations/<uuid:invitation_id>/withdraw",
        invitations.invitation_withdraw,
        name="invitation-withdraw",
    ),
    path(
        "settings/team/invitations/<uuid:invitation_id>/link",
        invitations.invitation_link,
        name="invitation-link",
    ),
    path("settings/team/<uuid:member_id>/role", invitations.member_role, name="member-role"),
    path(
        "settings/team/<uuid:member_id>/deactivate",
        team_pages.member_deactivate,
        name="member-deactivate",
    ),
    path(
        "settings/team/<uuid:member_id>/reactivate",
        team_pages.member_reactivate,
        name="member-reactivate",
    ),
    path("settings/team/<uuid:member_id>/erase", erasure_pages.member_erase, name="member-erase"),
    path("settings/team/<uuid:member_id>/keep", erasure_pages.member_keep, name="member-keep"),
    path("settings/business/delete", erasure_pages.business_delete, name="business-delete"),
    path("settings/business/keep", erasure_pages.business_keep, name="business-keep"),
    path("settings/business/data", downloads.business_data, name="business-data"),
    path("settings/profile/data", downloads.my_data, name="my-data"),
    path("settings/hours", hours_pages.own_hours, name="settings-hours"),
    path("settings/hours/business", hours_pages.business_hours, name="settings-hours-business"),
    path("settings/hours/<uuid:member_id>", hours_pages.hours_of, name="settings-hours-of"),
    path(
        "settings/hours/days/<uuid:day_id>/remove",
        hours_pages.days_remove,
        name="hours-days-remove",
    ),
    path("settings/audit", audit_pages.audit_log, name="settings-audit"),
    *(
        path(
            f"settings/audit/export.{ending}",
            audit_pages.audit_log_export,
            {"ending": ending},
            name=f"audit-{ending}",
        )
        for ending in FORMATS
    ),
    path("availability/explain", explain.explain, name="availability-explain"),
    path("settings/calendar", linking_pages.calendar_settings, name="settings-calendar"),
    path("settings/calendar/choose", linking_pages.calendar_choose, name="calendar-choose"),
    path(
        "settings/calendar/preflight",
        preflight_page.calendar_preflight,
        name="calendar-preflight",
    ),
    path("settings/calendar/missing", polls.calendar_missing, name="calendar-missing"),
    path("settings/calendar/retry", polls.calendar_retry, name="calendar-retry"),
    path("settings/calendar/options", linking_pages.calendar_options, name="calendar-options"),
    path(
        "settings/calendar/cancel-linking",
        linking_pages.calendar_cancel_linking,
        name="calendar-cancel-linking",
    ),
    path("settings/calendar/unlink", linking_pages.google_unlink, name="google-unlink"),
    path("settings/calendar/problem", linking_pages.link_problem, name="link-problem"),
    path("integrations/google/connect", linking_pages.google_connect, name="google-connect"),
    path("integrations/google/callback", linking_pages.google_callback, name="google-callback"),
    path(
        "integrations/google/notifications",
        webhook.google_notifications,
        name="google-notifications",
    ),
    path("help/google-calendar", help_pages.google_calendar, name="help-google-calendar"),
    path("live", live.live, name="live"),
    path("language", set_language, name="set_language"),
    path("signup", sign_up_pages.sign_up, name="sign-up"),
    path("signup/sent", sign_up_pages.sign_up_sent, name="sign-up-sent"),
    path("signup/<str:secret>", sign_up_pages.sign_up_finish, name="sign-up-finish"),
    path("join/<str:secret>", sign_up_pages.join, name="join"),
    path("login", account.login, name="account_login"),
    path("logout", account.logout, name="account_logout"),
    path("password/change", atomic(account.password_change), name="account_change_password"),
    path("password/set", atomic(account.password_set), name="account_set_password"),
    path("password/reset", account.password_reset, name="account_reset_password"),
    path("password/reset/done", account.password_reset_done, name="account_reset_password_done"),
    # The key holds a hyphen of its own, the name of the member does not.
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$",
        atomic(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("account/inactive", account.account_inactive, name="account_inactive"),
    path("reauthenticate", account.reauthenticate, name="account_reauthenticate"),
]
