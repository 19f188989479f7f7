"""Webhook subscriptions for programs: V3, contract §6.5."""

from typing import get_args
from uuid import uuid4

import pytest
from linq.types.webhook_event_list_response import WebhookEventListResponse
from linq.types.webhook_event_type import WebhookEventType
from linq.types.webhook_subscription import WebhookSubscription
from linq.types.webhook_subscription_create_response import WebhookSubscriptionCreateResponse
from pydantic import ConfigDict

from lines.models import ApiToken, Line
from webhooks.models import Subscription

pytestmark = pytest.mark.django_db
PATH = "/v3/webhook-subscriptions"
URL = "https://93.184.216.34/hooks?version=2026-02-03&tenant=1"


@pytest.fixture
def key_of(max):
    def make(environment, **options):
        return ApiToken.make(environment, "CRM", by=max, **options)[1]

    return make


@pytest.fixture
def ask(client, key_of, environment):
    known = {}

    def ask(method, path=PATH, body=None, key=None):
        key = key or known.setdefault("key", None) or known.update(key=key_of(environment)) or known["key"]
        options = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(client, method)(path, headers={"Authorization": f"Bearer {key}"}, **options)

    return ask


@pytest.fixture
def make(ask):
    def make(url=URL, events=("message.received",), **more):
        response = ask("post", body={"target_url": url, "subscribed_events": list(events), **more})
        assert response.status_code == 201, response.content
        return response.json()

    return make


def code(response):
    body = response.json()
    assert body["success"] is False
    return response.status_code, body["error"]["code"]


def strictly(model, data):
    """As the SDK's model takes it, with nothing that it does not know."""
    strict = type("Strict", (model,), {"model_config": ConfigDict(extra="forbid")})
    return strict.model_validate(data)


def test_the_events_are_all_that_the_sdk_knows(ask):
    response = ask("get", "/v3/webhook-events").json()

    strictly(WebhookEventListResponse, response)
    assert set(response["events"]) == set(get_args(WebhookEventType))


def test_the_secret_is_in_the_answer_that_makes_it_and_in_no_other(ask, make):
    made = make()

    strictly(WebhookSubscriptionCreateResponse, made)
    assert made["signing_secret"].startswith("whsec_")
    assert (made["is_active"], made["phone_numbers"], made["routing_key_header"]) == (True, None, None)
    one = ask("get", f"{PATH}/{made['id']}")
    listed = ask("get").json()["subscriptions"]
    changed = ask("put", f"{PATH}/{made['id']}", {"is_active": False})
    for body in (one.json(), listed[0], changed.json()):
        strictly(WebhookSubscription, body)
        assert body["id"] == made["id"]
        assert "signing_secret" not in body
    assert (
        made["signing_secret"]
        not in Subscription.objects.raw(
            "SELECT *, (SELECT secret FROM webhooks_signingsecret) AS kept FROM webhooks_subscription"
        )[0].kept
    )


def test_the_list_has_active_and_disabled_ones_but_no_deleted_one(ask, make):
    first, second, third = (make(f"https://93.184.216.34/{n}") for n in range(3))
    ask("put", f"{PATH}/{first['id']}", {"is_active": False})

    response = ask("delete", f"{PATH}/{second['id']}")

    assert (response.status_code, response.content) == (204, b"")
    listed = ask("get").json()["subscriptions"]
    assert {(one["id"], one["is_active"]) for one in listed} == {(first["id"], False), (third["id"], True)}
    assert code(ask("get", f"{PATH}/{second['id']}")) == (404, 2010)
    assert code(ask("put", f"{PATH}/{second['id']}", {"is_active": True})) == (404, 2010)
    assert code(ask("delete", f"{PATH}/{second['id']}")) == (404, 2010)


def test_what_is_not_given_stays_and_null_clears(ask, make, shop):
    made = make(phone_numbers=[shop.phone_number], routing_key_header="X-Place", routing_id_header="X-Chat")
    path = f"{PATH}/{made['id']}"

    same = ask("put", path, {}).json()
    assert same == {name: value for name, value in made.items() if name != "signing_secret"}
    changed = ask("put", path, {"subscribed_events": ["message.sent", "reaction.added"]}).json()
    assert changed["subscribed_events"] == ["message.sent", "reaction.added"]
    assert changed["phone_numbers"] == [shop.phone_number]
    assert changed["updated_at"] > made["updated_at"]
    cleared = {"phone_numbers": [], "routing_key_header": None, "routing_id_header": ""}
    changed = ask("put", path, cleared).json()
    for name in cleared:
        assert changed[name] is None
    moved = ask("put", path, {"target_url": "https://93.184.216.34/?version=2025-01-01"}).json()
    assert moved["target_url"] == "https://93.184.216.34/?version=2025-01-01"
    assert Subscription.objects.get().version == "2025-01-01"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"target_url": None}, (400, 1005)),
        ({"subscribed_events": []}, (400, 1005)),
        ({"subscribed_events": None}, (400, 1005)),
        ({"subscribed_events": ["message.sung"]}, (400, 1005)),
        ({"is_active": "perhaps"}, (400, 1005)),
        ({"phone_numbers": ["12025550100"]}, (400, 1002)),
        ({"phone_numbers": ["+12025550199"]}, (403, 2006)),
        ({"routing_key_header": "Content-Type"}, (400, 1005)),
        ({"routing_key_header": "No Header"}, (400, 1005)),
        ({"routing_key_header": "Linq-Chat-Id"}, (400, 1005)),
        ({"routing_key_header": "X-One", "routing_id_header": "x-one"}, (400, 1005)),
        ({"target_url": "http://93.184.216.34/hooks"}, (400, 1005)),
        ({"target_url": "https://127.0.0.1/hooks"}, (400, 1005)),
        ({"target_url": "https://93.184.216.34/?version=2024-01-01"}, (400, 1005)),
        ({"target_url": "https://93.184.216.34/taken"}, (409, 2015)),
    ],
)
def test_a_wrong_change_is_refused_and_changes_nothing(ask, make, change, expected):
    make("https://93.184.216.34/taken")
    made = make()
    path = f"{PATH}/{made['id']}"
    before = ask("get", path).json()

    assert code(ask("put", path, {"routing_id_header": "X-Chat", **change})) == expected

    assert ask("get", path).json() == before


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, 1001)),
        ({"target_url": URL}, (400, 1001)),
        ({"subscribed_events": ["message.sent"]}, (400, 1001)),
        ({"target_url": URL, "subscribed_events": []}, (400, 1005)),
        ({"target_url": "hooks", "subscribed_events": ["message.sent"]}, (400, 1005)),
        ({"target_url": "https://", "subscribed_events": ["message.sent"]}, (400, 1005)),
        ({"target_url": "https://[::1]/", "subscribed_events": ["message.sent"]}, (400, 1005)),
        ({"target_url": "https://a b/", "subscribed_events": ["message.sent"]}, (400, 1005)),
        ({"target_url": "https://x:99999/", "subscribed_events": ["message.sent"]}, (400, 1005)),
        ({"target_url": "https://" + "x" * 2050, "subscribed_events": ["message.sent"]}, (400, 1005)),
    ],
)
def test_a_wrong_subscription_is_refused(ask, body, expected):
    assert code(ask("post", body=body)) == expected
    assert not Subscription.objects.exists()


def test_an_address_is_subscribed_once_with_its_query(ask, make):
    made = make(URL)

    assert code(ask("post", body={"target_url": URL, "subscribed_events": ["message.sent"]})) == (409, 2015)
    make(URL + "2")
    ask("delete", f"{PATH}/{made['id']}")
    make(URL)


def test_there_are_so_many_at_most(ask, make, monkeypatch):
    monkeypatch.setattr("webhooks.models.subscription.MOST", 2)
    make(URL), make(URL + "2")

    assert code(ask("post", body={"target_url": URL + "3", "subscribed_events": ["message.sent"]})) == (
        409,
        2015,
    )


def test_keys_of_another_environment_find_nothing(ask, make, key_of, olga):
    made = make()
    path, stranger = f"{PATH}/{made['id']}", key_of(olga.memberships.get().environment)

    assert ask("get", key=stranger).json() == {"subscriptions": []}
    for response in (
        ask("get", path, key=stranger),
        ask("put", path, {"is_active": False}, key=stranger),
        ask("delete", path, key=stranger),
    ):
        assert code(response) == (404, 2010)
    assert ask("get", path).json()["is_active"] is True


def test_reading_needs_the_one_scope_and_writing_the_other(ask, make, key_of, environment):
    made = make()
    path = f"{PATH}/{made['id']}"
    reader, sender = key_of(environment, scopes=["read"]), key_of(environment, scopes=["send"])

    assert ask("get", path, key=reader).status_code == 200
    assert code(ask("get", path, key=sender)) == (403, 2005)
    assert code(ask("get", "/v3/webhook-events", key=sender)) == (403, 2005)
    for method, where, body in (
        ("post", PATH, {"target_url": URL + "2", "subscribed_events": ["message.sent"]}),
        ("put", path, {"is_active": False}),
        ("delete", path, None),
    ):
        assert code(ask(method, where, body, key=reader)) == (403, 2005)


def test_a_key_of_one_line_makes_and_sees_only_what_is_of_that_line(ask, make, key_of, shop, workshop):
    whole = make()
    key = key_of(shop.environment, line=shop)
    body = {"target_url": URL + "2", "subscribed_events": ["message.received"]}

    made = ask("post", body=body, key=key).json()

    assert made["phone_numbers"] == [shop.phone_number]
    assert [one["id"] for one in ask("get", key=key).json()["subscriptions"]] == [made["id"]]
    assert code(ask("get", f"{PATH}/{whole['id']}", key=key)) == (404, 2010)
    path = f"{PATH}/{made['id']}"
    assert code(ask("put", path, {"phone_numbers": [workshop.phone_number]}, key=key)) == (403, 2006)
    assert ask("put", path, {"phone_numbers": None}, key=key).json()["phone_numbers"] == [shop.phone_number]
    assert len(ask("get").json()["subscriptions"]) == 2


def test_a_subscription_is_told_of_its_environment_only(make, olga):
    elsewhere = olga.memberships.get().environment
    Line.objects.create(environment=elsewhere, phone_number="+12025550177")

    with pytest.raises(AssertionError, match="2006"):
        make(phone_numbers=["+12025550177"])


def test_an_unknown_or_malformed_id_is_answered_in_the_envelope(ask):
    assert code(ask("get", f"{PATH}/{uuid4()}")) == (404, 2010)
    assert code(ask("get", f"{PATH}/one")) == (400, 1005)
