from django.urls import path

from lines.views import entrance

urlpatterns = [
    path("setup/<token>/", entrance.setup, name="setup"),
    path("sign-in/<token>/", entrance.sign_in, name="sign-in"),
    path("join/<token>/", entrance.join, name="join"),
    path("environments/choose/", entrance.choose_environment, name="choose-environment"),
]
