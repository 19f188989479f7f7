from django.urls import path

from lines.views import cards, entrance, environments, keys, lines, people

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
    path("settings/lines/<uuid:line>/", lines.line, name="line"),
    path("settings/lines/<uuid:line>/turn/", lines.turn, name="turn-line"),
    path("settings/lines/<uuid:line>/card/", lines.change_card, name="change-card"),
    path("settings/lines/<uuid:line>/card/again/", lines.put_card_again, name="put-card-again"),
    path("settings/environment/", environments.environment, name="environment"),
    path("settings/environment/turn/", environments.turn, name="turn-environment"),
    path("settings/environment/lift/", environments.lift, name="lift-opt-outs"),
    path("api/keys/", keys.keys, name="keys"),
    path("api/keys/make/", keys.make, name="make-key"),
    path("api/keys/<uuid:pk>/rename/", keys.rename, name="rename-key"),
    path("api/keys/<uuid:pk>/rotate/", keys.rotate, name="rotate-key"),
    path("api/keys/<uuid:pk>/revoke/", keys.revoke, name="revoke-key"),
    path("lines/<uuid:pk>/card.vcf", cards.contact_file, name="contact-file"),
    path("cards/<ticket>.vcf", cards.lent_contact_file, name="lent-contact-file"),
    path("lines/<uuid:pk>/card.jpg", cards.picture, name="card-picture"),
]
