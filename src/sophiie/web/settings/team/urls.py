"""The addresses of the Team tab."""

from django.urls import path

from sophiie.web.settings.team import invitations, views

urlpatterns = [
    path("settings/team", views.team, name="settings-team"),
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
        views.member_deactivate,
        name="member-deactivate",
    ),
    path(
        "settings/team/<uuid:member_id>/reactivate",
        views.member_reactivate,
        name="member-reactivate",
    ),
]
