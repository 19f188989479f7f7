from django.urls import path

from lines.views import entrance, people

urlpatterns = [
    path("setup/<token>/", entrance.setup, name="setup"),
    path("sign-in/<token>/", entrance.sign_in, name="sign-in"),
    path("join/<token>/", entrance.join, name="join"),
    path("environments/choose/", entrance.choose_environment, name="choose-environment"),
    path("settings/people/", people.people, name="people"),
    path("settings/people/invite/", people.invite, name="invite"),
    path("settings/people/invitations/<uuid:pk>/withdraw/", people.withdraw, name="withdraw"),
    path("settings/people/<uuid:user>/role/", people.role, name="role"),
    path("settings/people/<uuid:user>/remove/", people.remove, name="remove"),
    path("settings/lines/<uuid:line>/let-in/", people.let_in, name="let-in"),
    path("settings/lines/<uuid:line>/shut-out/", people.shut_out, name="shut-out"),
]
