"""API → webhooks: admins subscribe addresses, test, pause, rotate and delete; each verb is the model's."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from webhooks.events import ALL
from webhooks.forms import EVERY
from webhooks.models import Delivery, Subscription

PAGE = "/api/subscriptions/"
HOOKS = "http://localhost/hooks"


@pytest.fixture(autouse=True)
def nearby(settings):
    settings.WEBHOOK_PRIVATE_HOSTS = ["localhost"]


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


def text_of(response, status=200):
    assert response.status_code == status
    return response.content.decode()


def make(client, **fields):
    form = {"target_url": HOOKS, "subscribed_events": ["message.received"], "profile": "faq"} | fields
    return client.post(PAGE + "new/", {name: value for name, value in form.items() if value is not None})


def verb(subscription, name):
    return f"{PAGE}{subscription.pk}/{name}/"


def test_an_address_is_subscribed_and_its_secret_shown_once(admin, environment, shop, max):
    response = make(admin, phone_numbers=[shop.phone_number], profile="extended", pause_after_days="7")

    subscription = Subscription.objects.get()
    secret = re.search(r'id="secret">(whsec_[^<]+)<', text_of(response))[1]
    assert secret == subscription.secrets.get().secret
    assert "no-store" in response["Cache-Control"]
    assert (subscription.environment, subscription.made_by, subscription.profile) == (
        environment,
        max,
        "extended",
    )
    assert (subscription.subscribed_events, subscription.phone_numbers) == (
        ["message.received"],
        [shop.phone_number],
    )
    assert subscription.pause_after_days == 7
    for page in (PAGE, f"{PAGE}{subscription.pk}/", "/api/"):
        page = text_of(admin.get(page))
        assert HOOKS in page
        assert secret not in page


def test_every_event_is_every_one_that_is_made_here(admin):
    make(admin, every_event="on", subscribed_events=None)

    subscription = Subscription.objects.get()
    assert subscription.subscribed_events == EVERY
    assert set(EVERY) < set(ALL)
    assert re.search(r'id="every-event" value="on" checked', text_of(admin.get(f"{PAGE}{subscription.pk}/")))


def test_what_a_subscription_cannot_be_is_said_beside_its_field(admin, shop):
    for fields, sentence in (
        ({"target_url": ""}, "Say where the webhooks are to be sent"),
        ({"target_url": "http://10.0.0.1/hooks"}, "https addresses only"),
        ({"target_url": "https://10.0.0.1/hooks"}, "is a private address"),
        ({"target_url": "nonsense"}, "That is no web address"),
        ({"subscribed_events": None}, "Name one event at least"),
        ({"subscribed_events": ["message.shouted"]}, "There is no event message.shouted"),
        ({"phone_numbers": ["+12025550177"]}, "Choose from the lines of this environment"),
        ({"profile": "forever"}, "Select a valid choice"),
        ({"pause_after_days": "400"}, "Select a valid choice"),
        ({"routing_key_header": "host"}, "That cannot be the name of a header"),
    ):
        assert sentence in text_of(make(admin, **fields), 422), fields
    assert not Subscription.objects.exists()
    make(admin)
    assert "There is a subscription to this target_url already" in text_of(make(admin), 422)


def test_a_subscription_is_changed(admin, subscribe):
    subscription = subscribe(HOOKS)
    form = {
        "target_url": HOOKS + "?version=2025-01-01",
        "subscribed_events": ["message.read"],
        "profile": "faq",
    }

    page = text_of(admin.post(f"{PAGE}{subscription.pk}/", form, follow=True))

    subscription.refresh_from_db()
    assert (subscription.version, subscription.subscribed_events) == ("2025-01-01", ["message.read"])
    assert f"{HOOKS} is saved" in page
    refused = admin.post(f"{PAGE}{subscription.pk}/", form | {"target_url": "nonsense"})
    assert "That is no web address" in text_of(refused, 422)
    subscription.refresh_from_db()
    assert subscription.target_url.endswith("2025-01-01")


def test_a_test_event_is_sent_and_followed(admin, subscribe):
    subscription = subscribe(HOOKS, "message.received", "reaction.added")

    response = admin.post(verb(subscription, "test"), {"type": "reaction.added"})

    delivery = Delivery.objects.get()
    assert response.url == f"/api/deliveries/{delivery.pk}/"
    assert (delivery.type, delivery.is_test) == ("reaction.added", True)
    assert "is not told of" in text_of(admin.post(verb(subscription, "test"), {"type": "poll.sent"}), 422)


def test_a_subscription_is_paused_and_begun_again(admin, subscribe):
    subscription = subscribe(HOOKS)

    assert "Nothing is sent to" in text_of(admin.post(verb(subscription, "disable"), follow=True))
    subscription.refresh_from_db()
    assert not subscription.is_active
    assert "Paused" in text_of(admin.get(PAGE))
    assert "enable it first" in text_of(admin.post(verb(subscription, "test")), 422)
    admin.post(verb(subscription, "enable"))
    subscription.refresh_from_db()
    assert subscription.is_active


def test_its_secret_is_rotated(admin, subscribe):
    subscription = subscribe(HOOKS)

    response = admin.post(verb(subscription, "rotate"), {"hours": "24"})

    secret = re.search(r'id="secret">([^<]+)<', text_of(response))[1]
    assert secret != subscription.known_secret
    assert subscription.secrets.count() == 2
    assert "Choose how long" in text_of(admin.post(verb(subscription, "rotate"), {"hours": "x"}), 422)


def test_a_subscription_is_deleted(admin, subscribe):
    subscription = subscribe(HOOKS)

    page = text_of(admin.post(verb(subscription, "delete"), follow=True))

    assert f"{HOOKS} is deleted" in page
    assert "Deleted the webhook subscription" in page
    assert admin.get(f"{PAGE}{subscription.pk}/").status_code == 404


def test_how_they_fare_is_said(admin, subscribe):
    subscription = subscribe(HOOKS)
    for number in range(5):
        delivery = Delivery.objects.test(subscription, "message.received", {})
        Delivery.objects.filter(pk=delivery.pk).update(state="delivered" if number else "failed")

    page = text_of(admin.get(PAGE))

    assert "20 % failing" in page
    assert "4 / 5" in page


def test_nobody_else_learns_of_them(client, client_of, subscribe, ana, lea, olga):
    subscription = subscribe(HOOKS)
    verbs = [verb(subscription, name) for name in ("test", "rotate", "enable", "disable", "delete")]
    pages = [PAGE, PAGE + "new/", f"{PAGE}{subscription.pk}/"]
    for somebody in (ana, lea):
        signed_in = client_of(somebody)
        assert [signed_in.get(page).status_code for page in pages] == [404] * 3
        assert [signed_in.post(one, {"hours": "24"}).status_code for one in (pages[1], *verbs)] == [404] * 6
    stranger = client_of(olga)
    assert [stranger.post(one, {"hours": "24"}).status_code for one in (pages[2], *verbs)] == [404] * 6
    assert HOOKS not in text_of(stranger.get(PAGE))
    assert client.get(PAGE).status_code == 302
    subscription.refresh_from_db()
    assert (subscription.is_active, subscription.deleted_at, subscription.secrets.count()) == (True, None, 1)


def test_every_verb_is_a_post(admin, subscribe):
    subscription = subscribe(HOOKS)
    for name in ("test", "rotate", "enable", "disable", "delete"):
        assert admin.get(verb(subscription, name)).status_code == 405


def test_the_page_takes_as_many_queries_for_many(admin, subscribe):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(PAGE).status_code == 200
        return len(queries)

    subscribe(HOOKS)
    few = count()
    for number in range(4):
        Delivery.objects.test(subscribe(f"{HOOKS}/{number}"), "message.received", {})
    assert count() == few
    assert few <= 8
