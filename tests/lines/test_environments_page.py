"""Settings → environments: walls that admins make, rename, colour, lock and delete."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from linq.types import (
    EnvironmentCreatedWebhookEvent,
    EnvironmentDeletedWebhookEvent,
    EnvironmentRenamedWebhookEvent,
)

from lines.gateways import PermanentFailure, for_environment
from lines.models import ApiToken, Environment, Line

PAGE = "/settings/environments/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def staging(max):
    """With real numbers, for tests, and max as its admin."""
    return Environment.make("Staging", by=max, carrier="linq", colour="honey")


def text_of(response):
    return response.content.decode()


def verb(environment, name):
    return f"{PAGE}{environment.pk}/{name}/"


def make(client, headers=HTMX, **fields):
    return client.post(
        PAGE + "make/", {"name": "Staging", "carrier": "sandbox", "colour": "moss"} | fields, headers=headers
    )


def event_as(model, event):
    """The event as programs get it, by the word of the official client."""
    said = {
        "api_version": "v3",
        "webhook_version": "2026-02-03",
        "partner_id": "p",
        "event_id": str(event.event_id),
    }
    said |= {"event_type": event.type, "trace_id": event.trace_id, "created_at": event.created_at.isoformat()}
    return model.model_validate(said | {"data": event.data}, strict=False)


def test_who_makes_one_becomes_its_admin(admin, environment, max):
    response = make(admin)

    made = Environment.objects.get(name="Staging")
    assert response["HX-Redirect"] == PAGE
    assert (made.slug, made.colour, made.is_sandbox, made.is_production) == ("staging", "moss", True, False)
    assert made.memberships.get().user == max
    assert made.memberships.get().is_admin
    assert [line.name for line in Line.objects.visible_to(max).filter(environment=made)] == ["First line"]
    for log in (made, environment):
        event = event_as(EnvironmentCreatedWebhookEvent, log.events.get(type="environment.created"))
        assert event.data.environment.name == "Staging"
        assert event.data.actor.email == max.email
    page = text_of(admin.get(PAGE))
    assert "Staging is made, and you are its admin" in page
    assert "Sandbox, 1 line" in page


def test_its_slug_is_its_own(admin):
    make(admin)
    make(admin, {})

    assert sorted(Environment.objects.filter(name="Staging").values_list("slug", flat=True)) == [
        "staging",
        "staging-2",
    ]


def test_what_an_environment_cannot_be_is_said(admin):
    for fields, sentence in (
        ({"name": " "}, "An environment needs a name"),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"carrier": "pigeon"}, "Choose where its messages go"),
        ({"colour": "puce"}, "Choose a colour"),
    ):
        response = make(admin, **fields)
        assert response.status_code == 422
        assert sentence in text_of(response)
    assert Environment.objects.count() == 1


def test_one_is_renamed_and_told(admin, staging, max):
    admin.post(verb(staging, "rename"), {"name": "Rehearsal"})

    staging.refresh_from_db()
    assert (staging.name, staging.slug) == ("Rehearsal", "staging")
    event = event_as(EnvironmentRenamedWebhookEvent, staging.events.latest())
    assert (event.data.change.from_, event.data.change.to) == ("Staging", "Rehearsal")
    refused = admin.post(verb(staging, "rename"), {"name": ""})
    assert refused.status_code == 422
    assert "An environment needs a name" in text_of(refused)


def test_its_colour_is_on_every_page(admin, environment):
    admin.post(verb(environment, "paint"), {"colour": "moss"})

    page = text_of(admin.get("/inbox/mine/"))
    assert 'data-environment="test"' in page
    assert 'data-colour="moss"' in page
    refused = admin.post(verb(environment, "paint"), {"colour": "puce"})
    assert refused.status_code == 422
    assert "There is no such colour" in text_of(refused)


def test_production_is_made_by_typing_its_name(admin, staging, max):
    token, key = ApiToken.make(staging, "CRM", by=max)
    slip = admin.post(verb(staging, "kind"), {"kind": "production", "typed": "staging"})
    assert slip.status_code == 422
    assert "Type Staging as it is written" in text_of(slip)
    staging.refresh_from_db()
    assert not staging.is_production

    response = admin.post(verb(staging, "kind"), {"kind": "production", "typed": "Staging"}, follow=True)

    assert "Staging is production now" in text_of(response)
    assert "locked: a change needs its name typed" in text_of(response)
    staging.refresh_from_db()
    assert staging.is_production
    # A key that was made for tests cannot touch it.
    token.refresh_from_db()
    assert token.state == "revoked"
    assert not ApiToken.objects.by_key(key).exists()
    assert ApiToken.make(staging, "CRM", by=max)[1].startswith("pl_live_")


def test_a_sandbox_is_never_production(admin, environment):
    response = admin.post(verb(environment, "kind"), {"kind": "production", "typed": "Fairwheel"})

    assert response.status_code == 422
    assert "The sandbox only simulates people" in text_of(response)
    with pytest.raises(IntegrityError), transaction.atomic():
        Environment.objects.filter(pk=environment.pk).update(is_production=True)


def test_a_key_for_tests_opens_no_production_even_if_it_was_left(staging, max):
    _, key = ApiToken.make(staging, "CRM", by=max)
    Environment.objects.filter(pk=staging.pk).update(is_production=True)

    assert not ApiToken.objects.by_key(key).exists()


def test_pages_for_tests_are_not_there_in_production(client_of, staging, max):
    staging.make_production(by=max)
    admin = client_of(max)
    admin.post("/environments/choose/", {"environment": str(staging.pk)})

    page = text_of(admin.get("/settings/environments/"))
    assert 'data-environment="production"' in page
    assert "/sandbox/" not in page
    assert admin.get("/sandbox/").status_code == 404
    assert admin.post("/sandbox/faults/").status_code == 404
    with pytest.raises(PermanentFailure):
        for_environment(staging)
    staging.carrier = "sandbox"
    assert not staging.is_sandbox


def test_production_is_renamed_by_typing_its_name(admin, staging, max):
    staging.make_production(by=max)
    assert admin.post(verb(staging, "rename"), {"name": "Prod"}).status_code == 422
    admin.post(verb(staging, "rename"), {"name": "Prod", "typed": "Staging"})

    staging.refresh_from_db()
    assert staging.name == "Prod"


def test_production_is_unlocked_and_its_keys_end(admin, staging, max):
    staging.make_production(by=max)
    _, key = ApiToken.make(staging, "CRM", by=max)

    admin.post(verb(staging, "kind"), {"kind": "test", "typed": "Staging"})

    staging.refresh_from_db()
    assert not staging.is_production
    assert not ApiToken.objects.by_key(key).exists()


def test_an_empty_one_is_deleted_by_typing_its_name(admin, environment, staging, max):
    ApiToken.make(staging, "CRM", by=max)
    slip = admin.post(verb(staging, "delete"), {"typed": ""})
    assert slip.status_code == 422
    assert Environment.objects.filter(pk=staging.pk).exists()

    response = admin.post(verb(staging, "delete"), {"typed": "Staging"}, follow=True)

    assert "Staging is deleted" in text_of(response)
    assert not Environment.objects.filter(pk=staging.pk).exists()
    event = event_as(EnvironmentDeletedWebhookEvent, environment.events.latest())
    assert (event.data.environment.name, event.data.tokens_revoked) == ("Staging", 1)


def test_one_with_conversations_stays(client_of, admin, max, environment, chat, staging):
    admin.post("/environments/choose/", {"environment": str(staging.pk)})

    response = admin.post(verb(environment, "delete"), {"typed": "Fairwheel"})

    assert response.status_code == 422
    assert "Fairwheel has conversations" in text_of(response)
    chat.refresh_from_db()
    assert environment.memberships.exists()


def test_the_one_that_somebody_works_in_stays(admin, environment):
    response = admin.post(verb(environment, "delete"), {"typed": "Fairwheel"})

    assert response.status_code == 422
    assert "go to another environment first" in text_of(response)


def test_nobody_else_learns_of_it(client, client_of, environment, staging, ana, lea, olga, max):
    form = {"name": "Mine", "typed": "Fairwheel", "colour": "moss", "kind": "test", "carrier": "sandbox"}
    verbs = [verb(environment, name) for name in ("rename", "paint", "kind", "delete")]
    for somebody in (ana, lea):
        signed_in = client_of(somebody)
        assert signed_in.get(PAGE).status_code == 404
        assert [signed_in.post(one, form).status_code for one in (PAGE + "make/", *verbs)] == [404] * 5
    stranger = client_of(olga)
    assert [stranger.post(one, form).status_code for one in verbs] == [404] * 4
    assert "Fairwheel" not in text_of(stranger.get(PAGE))
    assert client.get(PAGE).status_code == 302
    # An admin here who only answers there sees it, and changes nothing.
    staging.memberships.update(role="agent")
    admin = client_of(max)
    assert "you are agent there" in text_of(admin.get(PAGE))
    assert admin.post(verb(staging, "delete"), {"typed": "Staging"}).status_code == 404
    environment.refresh_from_db()
    assert (environment.name, environment.colour) == ("Fairwheel", "plum")


def test_the_page_takes_as_many_queries_for_many(admin, max):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(PAGE).status_code == 200
        return len(queries)

    few = count()
    for number in range(4):
        Environment.make(f"Number {number}", by=max)
    assert count() == few
    assert few <= 7
