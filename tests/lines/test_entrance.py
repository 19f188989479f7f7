"""The ways in: a printed link, an invitation, a password, an e-mailed code, single sign-on."""

import re
import time
from datetime import timedelta
from threading import Thread

import pytest
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lines import people
from lines.adapters import SocialAccountAdapter
from lines.models import Environment, Invitation, User

PASSWORD = "a long quiet afternoon"
SETUP = {
    "name": "Max Adler",
    "email": "Max@Fairwheel.example",
    "password": PASSWORD,
    "environment_name": "Fairwheel",
}


def path_of(link):
    return re.sub(r"^https?://[^/]+", "", link)


def is_signed_in(client, user):
    return client.session.get("_auth_user_id") == str(user.pk)


def invite(environment, email="mei@fairwheel.example", **fields):
    _, token = Invitation.invite(environment, email, role=fields.pop("role", "agent"), **fields)
    return reverse("join", args=[token])


def test_a_created_person_has_a_verified_address(db):
    person = people.create_person("Mei@Fairwheel.Example", "Mei Lindqvist")

    address = EmailAddress.objects.get(user=person)
    assert (address.email, address.verified, address.primary) == ("mei@fairwheel.example", True, True)
    assert not person.has_usable_password()


def test_looking_at_a_printed_link_does_not_use_it_up(client, max):
    link = path_of(people.sign_in_link(max))

    assert client.get(link).status_code == 200
    assert client.get(link).status_code == 200
    assert not is_signed_in(client, max)


def test_a_printed_link_signs_in_once(client, max):
    link = path_of(people.sign_in_link(max))

    answer = client.post(link)

    assert answer.status_code == 302
    assert answer.url == "/"
    assert is_signed_in(client, max)
    assert Client().get(link).status_code == 410
    assert Client().post(link).status_code == 410


def test_any_sign_in_uses_up_an_older_link(client, client_of, max):
    link = path_of(people.sign_in_link(max))
    client_of(max)

    assert client.post(link).status_code == 410


def test_a_printed_link_ends_after_a_day(client, max, time_machine):
    link = path_of(people.sign_in_link(max))
    time_machine.move_to(timezone.now() + timedelta(seconds=people.LINK_LIFETIME + 60))

    assert client.post(link).status_code == 410


def test_a_link_for_one_is_not_a_link_for_another(client, max, ana):
    token = people.sign_in_link(max).split("/")[-2]

    assert client.post(reverse("sign-in", args=[token[:-1]])).status_code == 410
    assert client.post(reverse("sign-in", args=["nonsense"])).status_code == 410


def test_a_closed_account_has_no_way_in(client, max):
    link = path_of(people.sign_in_link(max))
    User.objects.filter(pk=max.pk).update(is_active=False)

    assert client.post(link).status_code == 410


@pytest.mark.django_db(transaction=True)
def test_two_presses_of_one_link_make_one_sign_in(max):
    link, answers = path_of(people.sign_in_link(max)), []

    def press():
        answers.append(Client().post(link).status_code)
        connections.close_all()

    both = [Thread(target=press) for _ in range(2)]
    [one.start() for one in both]
    [one.join() for one in both]

    assert sorted(answers) == [302, 410]


def test_an_empty_copy_says_where_the_link_is(client, db):
    assert b"printed a link" in client.get("/").content


def test_the_first_one_becomes_admin_of_a_sandbox_with_a_line(client, db):
    link = path_of(people.setup_link())
    assert client.get(link).status_code == 200

    answer = client.post(link, SETUP)

    assert answer.status_code == 302
    admin = User.objects.get()
    assert admin.email == "max@fairwheel.example"
    assert is_signed_in(client, admin)
    environment = Environment.objects.get()
    assert (environment.slug, environment.is_sandbox) == ("fairwheel", True)
    assert admin.memberships.get().is_admin
    assert environment.lines.count() == 1


def test_setting_up_works_once(client, db):
    link = path_of(people.setup_link())
    client.post(link, SETUP)

    assert Client().get(link).status_code == 404
    assert Client().post(link, SETUP | {"email": "olga@elsewhere.example"}).status_code == 404
    assert User.objects.count() == 1


def test_setting_up_needs_the_printed_token(client, db):
    assert client.get(reverse("setup", args=["nonsense"])).status_code == 404
    sign_in_token = people.sign_in_link(User(email="max@fairwheel.example")).split("/")[-2]
    assert client.post(reverse("setup", args=[sign_in_token]), SETUP).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("password", "short"), ("password", "max@fairwheel.example"), ("name", "")],
)
def test_a_first_admin_is_asked_again_about_what_is_wrong(client, db, field, value):
    answer = client.post(path_of(people.setup_link()), SETUP | {field: value})

    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not User.objects.exists()


def test_an_environment_gets_a_slug_of_its_own(environment):
    assert Environment.free_slug("Fairwheel") == "fairwheel-2"
    assert Environment.free_slug("自転車") == "environment"


def test_an_invited_person_makes_an_account_and_is_in(client, environment, shop, max):
    link = invite(environment, lines=[shop], by=max)
    assert b"mei@fairwheel.example" in client.get(link).content

    answer = client.post(link, {"name": "Mei Lindqvist", "password": PASSWORD})

    mei = User.objects.get(email="mei@fairwheel.example")
    assert answer.status_code == 302
    assert is_signed_in(client, mei)
    assert client.session["environment"] == str(environment.pk)
    assert mei.memberships.get().role == "agent"
    assert list(mei.lines.all()) == [shop]
    assert EmailAddress.objects.get(user=mei).verified


def test_an_invitation_works_once_and_for_seven_days(client, environment, max, time_machine):
    link = invite(environment, by=max)
    client.post(link, {"name": "Mei", "password": PASSWORD})
    assert Client().get(link).status_code == 410

    late = invite(environment, "kai@fairwheel.example", by=max)
    time_machine.move_to(timezone.now() + Invitation.LIFETIME + timedelta(minutes=1))
    assert Client().get(late).status_code == 410
    assert Client().post(late, {"name": "Kai", "password": PASSWORD}).status_code == 410
    assert not User.objects.filter(email="kai@fairwheel.example").exists()


def test_a_weak_password_does_not_join(client, environment, max):
    link = invite(environment, by=max)

    answer = client.post(link, {"name": "Mei", "password": "password12"})

    assert answer.status_code == 422
    assert not User.objects.filter(email="mei@fairwheel.example").exists()


def test_who_has_an_account_signs_in_to_join(client, client_of, environment, olga, max):
    link = invite(environment, olga.email, by=max, role="lead")

    assert reverse("account_login") in client.get(link).content.decode()
    client.post(link, {"name": "Not Olga", "password": PASSWORD})
    assert not olga.memberships.filter(environment=environment).exists()

    signed_in = client_of(olga)
    assert signed_in.get(link).status_code == 200
    assert signed_in.post(link).status_code == 302
    assert olga.memberships.get(environment=environment).role == "lead"
    assert signed_in.session["environment"] == str(environment.pk)


def test_an_invitation_is_not_for_whoever_finds_it(client_of, environment, olga, max):
    link = invite(environment, by=max)

    answer = client_of(olga).post(link)

    assert b"Sign out" in answer.content
    assert not olga.memberships.filter(environment=environment).exists()


def test_one_chooses_among_ones_own_environments(client_of, environment, olga, ana):
    elsewhere = olga.memberships.get().environment
    environment.admit(olga, role="agent")
    client = client_of(olga)
    choose = reverse("choose-environment")

    assert client.post(choose, {"environment": elsewhere.pk}).url == "/"
    assert client.session["environment"] == str(elsewhere.pk)
    client.post(choose, {"environment": environment.pk})
    assert client.session["environment"] == str(environment.pk)
    assert client_of(ana).post(choose, {"environment": elsewhere.pk}).status_code == 404
    assert client_of(ana).post(choose, {"environment": "nonsense"}).status_code == 404
    assert client_of(ana).get(choose).status_code == 405
    assert Client().post(choose, {"environment": environment.pk}).status_code == 302


def test_a_person_without_a_team_is_told_so(client_of, person):
    answer = client_of(person("Nina")).get("/")

    assert answer.status_code == 200
    assert b"no team has let you in" in answer.content


def sign_in(client, email, password):
    return client.post(reverse("account_login"), {"login": email, "password": password})


def test_signing_in_by_password(client, ana):
    page = client.get(reverse("account_login")).content.decode()
    assert "Use a passkey" in page
    assert "E-mail me a code" in page

    assert sign_in(client, "ana@fairwheel.example", "wrong").status_code == 422
    assert not is_signed_in(client, ana)
    assert sign_in(client, "Ana@fairwheel.example", "correct horse").status_code == 302
    assert is_signed_in(client, ana)


def test_too_many_wrong_passwords_are_too_many(client, ana):
    for _ in range(5):
        sign_in(client, ana.email, "wrong")

    answer = sign_in(client, ana.email, "correct horse")

    assert b"Too many failed login attempts" in answer.content
    assert not is_signed_in(client, ana)


def test_too_many_requests_get_a_page_of_their_own(client, ana, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
    answers = [sign_in(client, f"{number}@nobody.example", "wrong") for number in range(4)]

    assert answers[-1].status_code == 429
    assert b"Too many attempts" in answers[-1].content


def test_behind_a_proxy_the_callers_address_is_counted(client, ana, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "2/m/ip"}
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def try_from(address):
        return client.post(
            reverse("account_login"),
            {"login": ana.email, "password": "wrong"},
            headers={"X-Forwarded-For": f"6.6.6.6, {address}"},
        ).status_code

    assert [try_from("203.0.113.7") for _ in range(3)][-1] == 429
    assert try_from("203.0.113.8") == 422


def test_the_seed_of_codes_is_kept_encrypted(ana):
    seed = "JBSWY3DPEHPK3PXP"
    TOTP.activate(ana, seed)
    kept = Authenticator.objects.get(user=ana)

    assert seed not in str(kept.data)
    assert TOTP(kept).validate_code(format_hotp_value(hotp_value(seed, int(time.time()) // 30)))


def test_signing_in_by_an_emailed_code(client, environment):
    mei = people.create_person("mei@fairwheel.example", "Mei")
    client.post(reverse("account_request_login_code"), {"email": mei.email})
    code = re.search(r"^([A-Z0-9]+-?[A-Z0-9]+)$", mail.outbox[0].body, re.M)[1]

    assert mail.outbox[0].subject == "Sign-In Code · Partyline"
    assert "example.com" not in mail.outbox[0].body
    page = client.get(reverse("account_confirm_login_code"))
    assert b"mei@fairwheel.example" in page.content
    client.post(reverse("account_confirm_login_code"), {"code": code})

    assert is_signed_in(client, mei)


def test_a_stranger_cannot_sign_up(client, db):
    answer = client.post(
        reverse("account_signup"), {"email": "olga@elsewhere.example", "password1": PASSWORD}
    )

    assert b"By invitation" in answer.content
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "account_email",
        "account_change_password",
        "account_logout",
        "account_reauthenticate",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
        "socialaccount_connections",
    ],
)
def test_the_pages_of_ones_own_account_are_drawn(client, ana, name):
    sign_in(client, ana.email, "correct horse")

    answer = client.get(reverse(name), follow=True)

    assert answer.status_code == 200
    assert b'class="page__title"' in answer.content or b'class="sign-in__card"' in answer.content


@pytest.mark.parametrize("name", ["account_login", "account_request_login_code", "account_reset_password"])
def test_the_pages_before_signing_in_run_no_inline_script(client, db, name):
    answer = client.get(reverse(name))

    assert answer.status_code == 200
    for script in re.findall(r"<script[^>]*>", answer.content.decode()):
        assert "src=" in script or "nonce=" in script or 'type="application/json"' in script
    assert not re.search(r"\s(style|on\w+)=", answer.content.decode())


def test_a_forgery_and_a_missing_page_look_like_ours(db):
    strict = Client(enforce_csrf_checks=True)

    assert b"open too long" in strict.post(reverse("account_login"), {}).content
    missing = strict.get("/nowhere/at/all")
    assert missing.status_code == 404
    assert b"Nobody picks up here" in missing.content


def test_a_failure_has_a_page_that_needs_nothing(client, db, monkeypatch):
    from django.template.loader import get_template

    assert "The line went dead" in get_template("500.html").render()


def sso(request_factory, email, *, verified=True, user=None):
    request = request_factory.get("/")
    request.session = {}
    request._messages = FallbackStorage(request)
    login = SocialLogin(
        user=user or User(email=email),
        account=SocialAccount(provider="sso", uid="7"),
        email_addresses=[EmailAddress(email=email, verified=verified, primary=True)],
    )
    return request, login


def test_single_sign_on_lets_in_whom_somebody_invited(rf, environment, max):
    invite(environment, by=max)
    adapter = SocialAccountAdapter()

    request, invited = sso(rf, "mei@fairwheel.example")
    assert adapter.is_open_for_signup(request, invited)
    adapter.populate_user(request, invited, {"email": "mei@fairwheel.example", "name": "Mei Lindqvist"})
    mei = adapter.save_user(request, invited)
    assert mei.memberships.get().environment == environment
    assert mei.name == "Mei Lindqvist"

    assert not adapter.is_open_for_signup(*sso(rf, "olga@elsewhere.example"))


def test_single_sign_on_believes_only_a_proved_address(rf, environment, max):
    invite(environment, by=max)

    assert not SocialAccountAdapter().is_open_for_signup(*sso(rf, "mei@fairwheel.example", verified=False))


def test_single_sign_on_turns_away_who_belongs_nowhere(rf, person, ana, environment):
    adapter, nina = SocialAccountAdapter(), person("Nina")

    adapter.pre_social_login(*sso(rf, ana.email, user=ana))
    with pytest.raises(ImmediateHttpResponse):
        adapter.pre_social_login(*sso(rf, nina.email, user=nina))
    invite(environment, nina.email)
    adapter.pre_social_login(*sso(rf, nina.email, user=nina))
    assert nina.memberships.exists()
