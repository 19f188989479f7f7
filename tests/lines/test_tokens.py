"""Keys of programs: shown once, kept as a hash, opening one environment as far as their scopes go."""

from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone

from lines.models import ApiToken, Environment, User
from lines.tasks import tell_of_expired_keys

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(environment, max):
    return ApiToken.make(environment, "CRM", by=max)


def found(key):
    return ApiToken.objects.by_key(key).first()


def test_a_key_is_kept_only_as_a_hash_and_recognized_by_its_ends(made, environment):
    token, key = made
    assert found(key) == token
    assert found(key + "x") is None
    assert (token.prefix, token.suffix) == (key[:12], key[-4:])
    stored = [str(value) for value in ApiToken.objects.values_list().get()]
    assert not any(key in value for value in stored)
    event = environment.events.latest()
    assert (event.type, key in str(event.data)) == ("api_token.created", False)
    assert event.data["actor"]["type"] == "team_member"


def test_a_production_key_says_so(max):
    production = Environment.objects.create(name="Prod", slug="prod", carrier="linq", is_production=True)
    _, key = ApiToken.make(production, "CRM", by=max)
    assert key.startswith("pl_live_")


def test_an_expired_or_revoked_key_opens_nothing(made, environment, max):
    token, key = made
    token.revoke(by=max)
    token.revoke(by=max)
    assert (found(key), token.state) == (None, "revoked")
    assert environment.events.filter(type="api_token.deleted").count() == 1
    _, late = ApiToken.make(environment, "Old", by=max, expires_at=timezone.now() - timedelta(seconds=1))
    assert found(late) is None


def test_both_keys_work_while_one_is_rotated(made, environment, max):
    token, key = made
    following, new = token.rotate(by=max, overlap=timedelta(hours=1))
    assert (found(key), found(new)) == (token, following)
    assert (token.state, following.actor) == ("ending", token.actor)
    assert token.expires_at <= timezone.now() + timedelta(hours=1)
    assert token.rotate(by=max) is None


def test_a_rotated_key_lives_as_long_as_the_one_before_was_to(environment, max):
    token, _ = ApiToken.make(environment, "CRM", by=max, expires_at=timezone.now() + timedelta(days=30))
    following, _ = token.rotate(by=max)
    assert following.expires_at - timezone.now() > timedelta(days=29)


def test_a_key_that_ends_by_itself_is_told_once(environment, max):
    token, _ = ApiToken.make(environment, "CRM", by=max, expires_at=timezone.now() - timedelta(seconds=1))
    ApiToken.make(environment, "Other", by=max, expires_at=timezone.now() + timedelta(days=1))

    tell_of_expired_keys()
    tell_of_expired_keys()

    event = environment.events.get(type="api_token.expired")
    assert (event.data["api_token"]["id"], event.data["actor"]) == (str(token.pk), {"type": "system"})


def test_its_name_is_that_of_the_author(made, max):
    token, _ = made
    token.rename("Shop robot", by=max)
    assert (token.name, User.objects.get(pk=token.actor_id).name) == ("Shop robot", "Shop robot")


def test_nobody_signs_in_as_a_program(made):
    program = made[0].actor
    program.set_password("correct horse")
    program.save()
    assert authenticate(None, username=program.email, password="correct horse") is None
    assert not program.memberships.exists()


def test_a_conversation_that_a_program_begins_is_nobodys(made, shop):
    from inbox.models import Chat

    chat = Chat.start(shop, ["+14155550123"], by=made[0].actor)
    message = chat.send(by=made[0].actor, text="Your bike is ready", is_typed=False)
    assert (chat.assignee, str(message.author)) == (None, "CRM")


def test_the_last_use_is_remembered_by_the_minute(made):
    token, key = made
    token.used()
    first = found(key).last_used_at
    found(key).used()
    assert found(key).last_used_at == first
