from django.urls import include, path

from partyline import views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("account/", include("allauth.urls")),
    path("sandbox/", include("lines.sandbox.urls")),
    path("", include("lines.urls")),
    path("", include("inbox.urls")),
    path("", include("webhooks.urls")),
]
