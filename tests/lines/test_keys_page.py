"""API → keys: admins make, rename, rotate and revoke them; a key is shown once."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lines.models import ApiToken, Environment, Handset, Line
from lines.models import token as tokens

KEYS = "/api/keys/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def token(environment, max):
    return ApiToken.make(environment, "CRM", by=max)[0]


def text_of(response):
    return response.content.decode()


def key_in(response):
    return re.search(r'id="new-key">(pl_[\w-]+)<', text_of(response))[1]


def make(client, headers=HTMX, **fields):
    form = {"name": "Shop robot", "scopes": ["read", "send"]} | fields
    return client.post(KEYS + "make/", form, headers=headers)


def test_a_key_is_made_and_shown_once(admin, environment, shop, max):
    response = make(admin, scopes=["read"], line=shop.pk, days="30")

    key, token = key_in(response), ApiToken.objects.get()
    assert ApiToken.objects.by_key(key).get() == token
    assert (token.environment, token.name, token.scopes, token.line) == (
        environment,
        "Shop robot",
        ["read"],
        shop,
    )
    assert (token.made_by, token.expires_at - timezone.now() > timedelta(days=29)) == (max, True)
    assert "no-store" in response["Cache-Control"]
    page = text_of(admin.get(KEYS))
    assert key not in page
    assert f"{token.prefix}…{token.suffix}" in page
    assert "only Shop" in page


def test_the_first_request_has_the_key_in_it_and_somebody_to_write_to(admin, environment, shop):
    Handset.objects.create(environment=environment, handle="+14155550123", name="Carl")

    response = make(admin)

    key, page = key_in(response), text_of(response)
    for language in ("curl", "Python", "JavaScript"):
        assert f">{language}</button>" in page
    assert page.count(key) == 4
    assert "http://" in page
    assert "/v3/chats" in page
    assert page.count(shop.phone_number) == page.count("+14155550123") == 3


def test_a_key_that_may_only_read_is_not_shown_how_to_send(admin, shop):
    page = text_of(make(admin, scopes=["read"]))

    assert "/v3/phone_numbers" in page
    assert "/v3/chats" not in page


def test_what_a_key_cannot_be_is_said(admin, environment, olga):
    elsewhere = Environment.objects.get(slug="elsewhere")
    foreign = Line.objects.create(environment=elsewhere, name="Theirs", phone_number="+12025550199")
    for fields, sentence in (
        ({"name": " "}, "A key needs a name"),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"scopes": []}, "Choose at least one thing"),
        ({"scopes": ["everything"]}, "There is no such permission"),
        ({"line": foreign.pk}, "Choose one of the lines of this environment"),
        ({"line": "nonsense"}, "is not a valid UUID"),
        ({"days": "4"}, "Choose when it ends"),
    ):
        for headers in (HTMX, {}):
            response = make(admin, headers, **fields)
            assert response.status_code == 422
            assert sentence in text_of(response)
    assert not environment.tokens.exists()


def test_there_are_not_too_many(admin, environment, token, monkeypatch):
    monkeypatch.setattr(tokens, "MOST", 1)

    response = make(admin)

    assert response.status_code == 422
    assert "revoke one that nobody needs" in text_of(response)
    assert environment.tokens.get() == token


def test_a_key_is_renamed(admin, token, environment):
    response = admin.post(f"{KEYS}{token.pk}/rename/", {"name": "Website"}, follow=True)

    assert "Renamed the key CRM to Website" in text_of(response)
    token.refresh_from_db()
    assert (token.name, token.actor.name) == ("Website", "Website")
    refused = admin.post(f"{KEYS}{token.pk}/rename/", {"name": ""})
    assert (refused.status_code, "A key needs a name" in text_of(refused)) == (422, True)
    assert environment.tokens.get().name == "Website"


@pytest.mark.parametrize(("hours", "state"), [("24", "ending"), ("0", "expired")])
def test_a_key_is_rotated(admin, token, hours, state):
    response = admin.post(f"{KEYS}{token.pk}/rotate/", {"hours": hours}, headers=HTMX)

    following = ApiToken.objects.by_key(key_in(response)).get()
    token.refresh_from_db()
    assert (token.rotated_to, token.state) == (following, state)
    assert "<html" not in text_of(response)
    again = admin.post(f"{KEYS}{token.pk}/rotate/", {"hours": hours})
    assert (again.status_code, "was rotated already" in text_of(again)) == (422, True)


def test_an_overlap_is_one_that_is_offered(admin, token):
    response = admin.post(f"{KEYS}{token.pk}/rotate/", {"hours": "99999"})

    assert (response.status_code, "Choose how long" in text_of(response)) == (422, True)
    assert token.environment.tokens.get() == token


def test_a_key_is_revoked(admin, token):
    response = admin.post(f"{KEYS}{token.pk}/revoke/", follow=True)

    page = text_of(response)
    assert "CRM opens nothing any more" in page
    assert "Keys that have ended" in page
    assert "Revoked the key CRM" in page
    token.refresh_from_db()
    assert token.state == "revoked"


def test_nobody_else_learns_that_the_pages_exist(client, client_of, token, ana, lea, olga):
    verbs = [f"{KEYS}{token.pk}/{verb}/" for verb in ("rename", "rotate", "revoke")]
    form = {"name": "Mine", "hours": "24", "scopes": ["read"]}
    for somebody in (ana, lea):
        signed_in = client_of(somebody)
        assert [signed_in.get(page).status_code for page in (KEYS, "/api/")] == [404, 404]
        posts = [signed_in.post(verb, form).status_code for verb in (KEYS + "make/", *verbs)]
        assert posts == [404] * 4
    stranger = client_of(olga)
    assert [stranger.post(verb, form).status_code for verb in verbs] == [404] * 3
    assert token.prefix not in text_of(stranger.get(KEYS))
    assert token.prefix not in text_of(stranger.get("/api/"))
    assert client.get(KEYS).status_code == client.get("/api/").status_code == 302
    token.refresh_from_db()
    assert (token.name, token.state, token.rotated_to) == ("CRM", "active", None)


def test_every_verb_is_a_post(admin, token):
    for verb in (KEYS + "make/", *(f"{KEYS}{token.pk}/{verb}/" for verb in ("rename", "rotate", "revoke"))):
        assert admin.get(verb).status_code == 405


@pytest.mark.parametrize("page", [KEYS, "/api/"])
def test_the_pages_take_as_many_queries_for_many_keys(admin, environment, shop, max, page):
    def count():
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert admin.get(page).status_code == 200
        return len(queries)

    ApiToken.make(environment, "One", by=max)
    few = count()
    for number in range(5):
        token, _ = ApiToken.make(environment, f"Key {number}", by=max, line=shop)
        token.revoke(by=max) if number % 2 else token.rotate(by=max)
    assert count() == few
    assert few <= 14


def test_the_overview_shows_keys_numbers_and_a_request(admin, token, shop, workshop):
    workshop.pause(by=None)

    page = text_of(admin.get("/api/"))

    assert f"{token.prefix}••••••••{token.suffix}" in page
    assert "Bearer $PARTYLINE_KEY" in page
    assert "+1 202 555 0100" in page
    assert "Paused" in page
    assert page.count("SMS, MMS") == 2


def test_the_overview_is_there_before_there_is_anything(admin):
    page = text_of(admin.get("/api/"))

    assert "No program has a key yet" in page
    assert "There is no line yet" in page
