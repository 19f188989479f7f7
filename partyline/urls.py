from django.urls import include, path

from partyline import views
from partyline.documentation.views import documentation

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("api/docs/", documentation, name="docs"),
    path("api/docs/<slug:chapter>/", documentation, name="docs"),
    path("account/", include("allauth.urls")),
    path("sandbox/", include("lines.sandbox.urls")),
    path("", include("lines.urls")),
    path("", include("inbox.urls")),
    path("", include("webhooks.urls")),
]
