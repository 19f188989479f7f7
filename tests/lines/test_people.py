"""Settings → people: admins say who belongs here, and whom each line lets in."""

import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox.models import Chat
from lines.models import Invitation, Line
from lines.models.people import LastAdmin

PEOPLE = "/settings/people/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


def membership_of(environment, user):
    return environment.memberships.get(user=user)


def text_of(response):
    return response.content.decode()


def invite(client, email="jo@fairwheel.example", role="agent", lines=(), **headers):
    form = {"email": email, "role": role, "lines": [line.pk for line in lines]}
    return client.post(PEOPLE + "invite/", form, headers=headers)


def test_an_admin_sees_everybody_with_their_role_and_lines(admin, max, lea, ana, ben):
    page = text_of(admin.get(PEOPLE))

    for person in (max, lea, ana, ben):
        assert person.email in page
    assert "Lea, Max see every line" in page
    assert f'id="role-{ana.pk}"' in page


def test_nobody_else_learns_that_the_page_exists(client, client_of, environment, shop, max, lea, ana, olga):
    invitation, _ = Invitation.invite(environment, "jo@fairwheel.example", role="agent", by=max)
    verbs = [
        "/settings/people/invite/",
        f"/settings/people/invitations/{invitation.pk}/withdraw/",
        f"/settings/people/{ana.pk}/role/",
        f"/settings/people/{ana.pk}/remove/",
        f"/settings/lines/{shop.pk}/let-in/",
        f"/settings/lines/{shop.pk}/shut-out/",
    ]
    for somebody in (ana, lea):
        signed_in = client_of(somebody)
        assert signed_in.get(PEOPLE).status_code == 404
        assert [signed_in.post(verb, {"user": ana.pk, "role": "admin"}).status_code for verb in verbs] == [
            404
        ] * 6
    # olga is an admin, but of another environment: her own page works, and names nobody of ours.
    stranger = client_of(olga)
    assert [stranger.post(verb, {"user": ana.pk, "role": "admin"}).status_code for verb in verbs[1:]] == [
        404
    ] * 5
    assert ana.email not in text_of(stranger.get(PEOPLE))
    assert client.get(PEOPLE).status_code == 302
    assert [client.post(verb).status_code for verb in verbs] == [302] * 6

    assert membership_of(environment, ana).role == "agent"
    assert Line.objects.visible_to(ana).get() == shop
    assert environment.invitations.usable().get() == invitation


def test_every_verb_is_a_post(admin, shop, ana):
    assert admin.get(PEOPLE + "invite/").status_code == 405
    assert admin.get(f"{PEOPLE}{ana.pk}/role/").status_code == 405
    assert admin.get(f"{PEOPLE}{ana.pk}/remove/").status_code == 405
    assert admin.get(f"/settings/lines/{shop.pk}/let-in/").status_code == 405


def test_a_role_is_changed_and_told(admin, environment, max, ana, workshop):
    response = admin.post(f"{PEOPLE}{ana.pk}/role/", {"role": "lead"}, follow=True)

    assert "Ana is Lead now" in text_of(response)
    assert workshop in Line.objects.visible_to(ana)
    told = environment.events.latest()
    assert (told.type, told.actor, told.data) == (
        "inbox.access_changed",
        max,
        {"user": str(ana.pk), "role": "lead"},
    )


def test_the_same_role_again_is_no_event(admin, environment, ana):
    before = environment.events.count()
    admin.post(f"{PEOPLE}{ana.pk}/role/", {"role": "agent"})

    assert environment.events.count() == before


def test_there_is_no_other_role(admin, environment, ana):
    response = admin.post(f"{PEOPLE}{ana.pk}/role/", {"role": "emperor"})

    assert response.status_code == 422
    assert "There is no such role" in text_of(response)
    assert membership_of(environment, ana).role == "agent"


def test_who_is_removed_sees_nothing_from_then_on(admin, client_of, chat, environment, ana):
    response = admin.post(f"{PEOPLE}{ana.pk}/remove/", follow=True)

    assert "Ana has left Fairwheel" in text_of(response)
    assert not Chat.objects.visible_to(ana).exists()
    assert not ana.line_access.exists()
    assert client_of(ana).get(f"/inbox/all/{chat.pk}/").status_code == 404


def test_the_last_admin_stays(admin, environment, max):
    demoted = admin.post(f"{PEOPLE}{max.pk}/role/", {"role": "agent"})
    removed = admin.post(f"{PEOPLE}{max.pk}/remove/")

    assert (demoted.status_code, removed.status_code) == (422, 422)
    assert "The last admin stays" in text_of(demoted)
    assert membership_of(environment, max).is_admin


@pytest.mark.django_db(transaction=True)
def test_two_admins_cannot_remove_each_other_at_once(environment, max, person):
    nina = person("Nina", environment, role="admin")
    start, refused = threading.Barrier(2), []

    def end(user, by):
        membership = membership_of(environment, user)
        start.wait(10)
        try:
            membership.end(by=by)
        except LastAdmin:
            refused.append(user)
        finally:
            connection.close()

    threads = [threading.Thread(target=end, args=pair) for pair in ((max, nina), (nina, max))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(refused) == 1
    assert environment.memberships.filter(role="admin").get().user == refused[0]


def test_who_gives_up_being_an_admin_is_led_away(admin, environment, max, person):
    person("Nina", environment, role="admin")

    response = admin.post(f"{PEOPLE}{max.pk}/role/", {"role": "agent"}, headers=HTMX)

    assert response["HX-Redirect"] == "/"
    assert admin.get(PEOPLE).status_code == 404


def test_an_invitation_shows_its_link_once_and_mails_it(admin, client, environment, shop, mailoutbox):
    page = text_of(invite(admin, lines=[shop], **HTMX))

    link = page.split('id="invite-link">')[1].split("<")[0]
    assert "We have sent them this link" in page
    assert "<html" not in page
    assert mailoutbox[0].to == ["jo@fairwheel.example"]
    assert link in mailoutbox[0].body
    assert "jo@fairwheel.example" in text_of(client.get(link[link.index("/join/") :]))
    assert link not in text_of(admin.get(PEOPLE))
    invitation = environment.invitations.get()
    assert list(invitation.lines.all()) == [shop]
    assert link.split("/")[-2] not in invitation.token_hash


def test_an_invitation_chooses_among_the_lines(admin, shop, workshop):
    page = text_of(admin.get(PEOPLE))

    for line in (shop, workshop):
        assert f'type="checkbox" name="lines" value="{line.pk}"' in page


def test_without_a_mail_server_the_link_is_handed_over(admin, settings, monkeypatch):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "hand them this link yourself" in text_of(invite(admin))

    def fail(*args, **kwargs):
        raise OSError("no route to the mail server")

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    monkeypatch.setattr("lines.views.people.send_mail", fail)
    assert "hand them this link yourself" in text_of(invite(admin))


@pytest.mark.parametrize(
    ("email", "role", "words"),
    [
        ("nobody", "agent", "Enter a valid email address"),
        ("", "agent", "This field is required"),
        ("jo@fairwheel.example", "emperor", "not one of the available choices"),
        ("ANA@fairwheel.example", "agent", "belong to this environment already"),
    ],
)
def test_an_invitation_that_cannot_be_made_says_why(admin, environment, ana, mailoutbox, email, role, words):
    response = invite(admin, email, role, **HTMX)

    assert response.status_code == 422
    assert words in text_of(response)
    assert not environment.invitations.exists()
    assert mailoutbox == []


def test_nobody_is_invited_to_a_line_of_elsewhere(admin, environment, olga):
    theirs = olga.memberships.get().environment
    line = Line.objects.create(environment=theirs, name="Theirs", phone_number="+12025550199")

    assert invite(admin, lines=[line]).status_code == 422
    assert not environment.invitations.exists()


def test_an_invitation_again_makes_the_earlier_link_worthless(environment, max):
    _, first = Invitation.invite(environment, "jo@fairwheel.example", role="agent", by=max)
    _, second = Invitation.invite(environment, "Jo@fairwheel.example", role="lead", by=max)

    assert not Invitation.objects.by_token(first).exists()
    assert Invitation.objects.by_token(second).get().role == "lead"


def test_a_withdrawn_invitation_no_longer_works(admin, client, environment, max):
    invitation, token = Invitation.invite(environment, "jo@fairwheel.example", role="agent", by=max)
    assert "jo@fairwheel.example" in text_of(admin.get(PEOPLE))

    admin.post(f"{PEOPLE}invitations/{invitation.pk}/withdraw/")
    admin.get(PEOPLE)

    assert client.get(f"/join/{token}/").status_code == 410
    assert environment.events.latest().type == "inbox.invitation_withdrawn"
    assert "jo@fairwheel.example" not in text_of(admin.get(PEOPLE))


def test_an_expired_invitation_is_not_listed(admin, environment, max):
    invitation, _ = Invitation.invite(environment, "jo@fairwheel.example", role="agent", by=max)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now())

    assert "jo@fairwheel.example" not in text_of(admin.get(PEOPLE))


def test_a_line_lets_somebody_in_to_read_only(admin, workshop, ana):
    admin.post(f"/settings/lines/{workshop.pk}/let-in/", {"user": ana.pk, "may_answer": "no"})

    assert workshop in Line.objects.visible_to(ana)
    assert workshop not in Line.objects.answerable_by(ana)

    response = admin.post(
        f"/settings/lines/{workshop.pk}/let-in/", {"user": ana.pk, "may_answer": "yes"}, follow=True
    )

    assert workshop in Line.objects.answerable_by(ana)
    assert "Ana answers on Workshop" in text_of(response)


def test_a_line_shuts_somebody_out(admin, environment, shop, ana):
    admin.post(f"/settings/lines/{shop.pk}/shut-out/", {"user": ana.pk})

    assert shop not in Line.objects.visible_to(ana)
    assert environment.events.latest().type == "inbox.access_changed"


@pytest.mark.parametrize("user", ["", "nobody", "0190a1b2-0000-7000-8000-000000000000"])
def test_a_line_lets_in_only_people_of_its_environment(admin, shop, olga, user):
    for stranger in (user, olga.pk):
        response = admin.post(f"/settings/lines/{shop.pk}/let-in/", {"user": stranger})

        assert response.status_code == 422
        assert "Choose one of the people here" in text_of(response)
    assert not shop.access.exists()


def test_a_line_of_elsewhere_is_not_there(admin, olga, ana):
    theirs = olga.memberships.get().environment
    line = Line.objects.create(environment=theirs, name="Theirs", phone_number="+12025550199")

    assert admin.post(f"/settings/lines/{line.pk}/let-in/", {"user": ana.pk}).status_code == 404


def test_the_page_takes_as_many_queries_for_twenty_as_for_two(
    admin, environment, shop, workshop, ana, person, max, django_assert_num_queries
):
    Invitation.invite(environment, "jo@fairwheel.example", role="agent", lines=[shop], by=max)
    with CaptureQueriesContext(connection) as few:
        admin.get(PEOPLE)
    for number in range(20):
        person(f"P{number}", environment, lines=[shop, workshop])
        Invitation.invite(environment, f"j{number}@fairwheel.example", role="agent", lines=[shop], by=max)

    with django_assert_num_queries(len(few)):
        admin.get(PEOPLE)


def test_the_log_says_who_let_whom_in(admin, environment, workshop, max, ana):
    admin.post(f"/settings/lines/{workshop.pk}/let-in/", {"user": ana.pk})

    told = environment.events.latest()
    rights = {"may_answer": True, "may_delete": True}
    assert (told.actor, told.line, told.data) == (max, workshop, {"user": str(ana.pk)} | rights)


def test_a_leftover_invitation_takes_no_role_away(environment, shop, max):
    invitation, _ = Invitation.invite(environment, max.email, role="agent", lines=[shop], by=max)

    assert invitation.accept(by=max)

    assert environment.memberships.get(user=max).role == "admin"
    assert shop.access.filter(user=max).exists()
