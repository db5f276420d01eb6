"""The addresses of signing up, joining and signing in; the sign-in library brings its own views."""

from allauth.account import views as allauth
from django.db.transaction import atomic
from django.urls import include, path, re_path

from sophiie.web.account import elsewhere, views

urlpatterns = [
    path("signup", views.sign_up, name="sign-up"),
    path("signup/sent", views.sign_up_sent, name="sign-up-sent"),
    path("signup/<str:secret>", views.sign_up_finish, name="sign-up-finish"),
    path("join/<str:secret>", views.join, name="join"),
    path("login", allauth.login, name="account_login"),
    path("logout", views.sign_out, name="account_logout"),
    path("password/change", atomic(allauth.password_change), name="account_change_password"),
    path("password/set", atomic(allauth.password_set), name="account_set_password"),
    path("password/reset", allauth.password_reset, name="account_reset_password"),
    path("password/reset/done", allauth.password_reset_done, name="account_reset_password_done"),
    # The key contains a hyphen, the member's name does not.
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$",
        atomic(allauth.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "password/reset/key/done",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("login/cancelled", elsewhere.said_no, name="socialaccount_login_cancelled"),
    path("", include("sophiie.web.account.elsewhere")),
    path("", include("sophiie.web.account.two_factor")),
    path("account/inactive", allauth.account_inactive, name="account_inactive"),
    path("reauthenticate", allauth.reauthenticate, name="account_reauthenticate"),
]
