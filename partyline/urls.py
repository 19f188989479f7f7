from django.urls import include, path

urlpatterns = [
    path("account/", include("allauth.urls")),
    path("sandbox/", include("lines.sandbox.urls")),
]
