"""API → trace: any id leads to one timeline, from the request to the last delivery, without what was said."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox.models import Message
from lines.models import ApiRequest, ApiToken
from partyline import trace
from webhooks.models import Attempt, Delivery, Receipt
from webhooks.tracing import story_of

PAGE = "/api/trace/"
WORDS = "The password of the shed is rosebud"


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def sent(environment, chat, max, subscribe, settings):
    """A message that a program has sent, all that is known of it, and its ids by name."""
    settings.WEBHOOK_PRIVATE_HOSTS = ["localhost"]
    subscription = subscribe("http://localhost/hooks", "message.delivered")
    token, _ = ApiToken.make(environment, "Robot", by=max)
    asked = trace.begin()
    message = chat.send(by=token.actor, text=WORDS, key="order-4471", is_typed=False)
    ApiRequest.objects.create(
        environment=environment,
        token=token,
        method="POST",
        path=f"/v3/chats/{chat.pk}/messages",
        status=202,
        milliseconds=38,
        trace_id=asked,
        at=message.queued_at,
    )
    told = trace.begin()
    receipt = Receipt.objects.create(
        environment=environment,
        event_id="carrier-event-1",
        event_type="message.delivered",
        body=json.dumps({"text": WORDS}),
        trace_id=told,
        state="applied",
        applied_at=timezone.now(),
    )
    now = timezone.now()
    Message.objects.filter(pk=message.pk).update(
        external_id="carrier-message-1", accepted_at=now, sent_at=now, delivered_at=now
    )
    event = environment.record(
        "message.delivered", message=message, data={"parts": [{"type": "text", "value": WORDS}]}
    )
    delivery = Delivery.objects.create(
        environment=environment,
        subscription=subscription,
        event_id=event.event_id,
        type=event.type,
        trace_id=event.trace_id,
        happened_at=event.created_at,
        state="delivered",
        tries=2,
        finished_at=timezone.now(),
    )
    for status in (503, 200):
        Attempt.objects.create(
            delivery=delivery, started_at=timezone.now(), duration=9, status=status, response_body=WORDS
        )
    trace.begin()
    return {
        "trace_id": asked,
        "trace_id of the webhook": told,
        "event_id": str(event.event_id),
        "message id": str(message.pk),
        "carrier's message id": "carrier-message-1",
        "idempotency_key": "order-4471",
        "carrier's event_id": "carrier-event-1",
        "receipt": receipt.pk,
        "delivery": delivery.pk,
    }


def text_of(response, status=200):
    assert response.status_code == status
    return response.content.decode()


@pytest.mark.parametrize(
    "name",
    [
        "trace_id",
        "trace_id of the webhook",
        "event_id",
        "message id",
        "carrier's message id",
        "idempotency_key",
        "carrier's event_id",
    ],
)
def test_any_id_leads_to_the_whole_story(admin, sent, name):
    page = text_of(admin.get(PAGE, {"q": f"  “{sent[name]}” "}))

    steps = [re.sub(r"<[^>]+>|\s+", " ", step) for step in page.split('<li class="trace__step"')[1:]]
    said = re.sub(r"\s+", " ", " ".join(steps))
    for words in (
        "Request POST /v3/chats/",
        "with the key Robot; answered 202",
        "Guard: allowed",
        "Message queued by Robot",
        "Sandbox’s id carrier-message-1",
        "Received message.delivered",
        "applied",
        "Message delivered",
        "to http://localhost/hooks",
        "503, then 200 · message.delivered",
    ):
        assert words in said, (words, said)
    assert "One message, written by Robot, delivered" in page
    assert f'href="/settings/webhooks/{sent["receipt"]}/"' in page
    assert f'href="/api/deliveries/{sent["delivery"]}/"' in page
    assert WORDS not in page


def test_its_steps_are_in_order_and_can_be_chosen(admin, sent):
    page = text_of(admin.get(PAGE, {"q": sent["message id"], "show": "programs"}))

    assert "Request" in page
    assert "<b>Message queued</b>" not in page


def test_the_support_bundle_says_everything_but_the_words(sent, environment):
    bundle = story_of(sent["message id"], environment).bundle(environment)

    text = json.dumps(bundle)
    assert WORDS not in text
    assert "rosebud" not in text
    assert {sent["trace_id"], sent["trace_id of the webhook"]} <= set(bundle["trace_ids"])
    (message,) = bundle["messages"]
    assert (message["id"], message["state"]) == (sent["message id"], "delivered")
    times = [step["at"] for step in bundle["steps"]]
    assert times == sorted(times)
    assert {step["lane"] for step in bundle["steps"]} == {"ours", "carrier", "programs"}


def test_a_number_names_the_newest_messages(admin, chat, make_message):
    message = make_message(chat, WORDS)

    page = text_of(admin.get(PAGE, {"q": "+1 (415) 555-0123"}))

    assert "The newest messages with" in page
    assert f'href="/api/trace/?q={message.pk}"' in page
    assert WORDS not in page
    page = text_of(admin.get(PAGE, {"q": str(message.pk)}))
    assert "One message from Carl" in page


def test_a_refused_message_says_why(admin, chat, ana, environment):
    chat.line.pause(by=None, reason="too many complaints")
    message = chat.send(by=ana, text=WORDS)

    page = text_of(admin.get(PAGE, {"q": str(message.pk)}))

    assert "Guard: refused" in page
    assert "too many complaints" in page


def test_what_is_not_known_is_said(admin):
    for typed in ("nonsense", "0" * 32, "01a215e0-4e80-7686-9a72-e4ac90dcb383", "+12025550199", "x" * 300):
        assert "is called so" in text_of(admin.get(PAGE, {"q": typed}))
    assert "Every answer of the API has a trace_id" in text_of(admin.get(PAGE))
    assert "is called so" in text_of(admin.get(PAGE, {"q": "a\0b"}))


def test_nothing_of_another_environment_is_found(client, client_of, sent, ana, lea, olga):
    for somebody in (ana, lea):
        assert client_of(somebody).get(PAGE).status_code == 404
    stranger = client_of(olga)
    for name, typed in sent.items():
        if name not in ("receipt", "delivery"):
            assert "is called so" in text_of(stranger.get(PAGE, {"q": typed}))
    assert "is called so" in text_of(stranger.get(PAGE, {"q": "+14155550123"}))
    assert client.get(PAGE).status_code == 302


def test_it_takes_few_queries(admin, sent):
    with CaptureQueriesContext(connection) as queries:
        admin.get(PAGE, {"q": sent["message id"]})
    assert len(queries) <= 18
