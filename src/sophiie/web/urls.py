"""The addresses of the pages: each room lists its own."""

from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from sophiie.web.serving.live import live
from sophiie.web.shared.banners import banners

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="calendar"), name="home"),
    path("", include("sophiie.web.calendar.urls")),
    path("", include("sophiie.web.appointments.urls")),
    path("", include("sophiie.web.day_sheet.urls")),
    path("", include("sophiie.web.customers.urls")),
    path("", include("sophiie.web.series.urls")),
    path("", include("sophiie.web.overview.urls")),
    path("", include("sophiie.web.waiting_list.urls")),
    path("", include("sophiie.web.settings.urls")),
    path("", include("sophiie.web.help.urls")),
    path("", include("sophiie.web.account.urls")),
    path("live", live, name="live"),
    path("banners", banners, name="banners"),
    path("language", set_language, name="set_language"),
]
