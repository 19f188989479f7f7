"""What is sent of each event: what the SDK's own models take, in both versions."""

import json
import re
from datetime import timedelta
from typing import get_args

import linq.types
import pytest
from django.utils import timezone
from linq.types.webhook_event_type import WebhookEventType

from inbox.models import Message
from lines.models import Event
from lines.models.event import without_content
from tests.webhooks.test_contract import APPLIED, EXAMPLES, OUTBOUND, prepare, tell  # noqa: F401
from webhooks import events, payloads, samples

pytestmark = pytest.mark.django_db
OLDER = {
    name.removesuffix("-2025-01-01"): event
    for name, event in EXAMPLES.items()
    if name.endswith("-2025-01-01")
}


def sent(type, data, *, version=events.CURRENT):
    content = payloads.body(
        version=version,
        type=type,
        event_id="5f0d6c1e-2b77-4a0e-9c3f-0a1b2c3d4e01",
        created_at=timezone.now(),
        trace_id="0af7651916cd43dd8448eb211c80319c",
        partner_id="fairwheel",
        data=data,
    )
    return json.loads(content)


MODELS = {name.lower(): getattr(linq.types, name) for name in dir(linq.types)}


def check(payload):
    """As the SDK's model of its type takes it."""
    model = MODELS[re.sub(r"[._]", "", payload["event_type"]) + "webhookevent"]
    model.model_validate(payload)


def test_all_types_of_the_sdk_are_there_once():
    assert sorted(events.ALL) == sorted(get_args(WebhookEventType))


@pytest.fixture
def told(tell):  # noqa: F811
    """The events of its type that applying an example leaves in the log."""

    def told(name):
        if name != "chat.created":
            prepare(tell, name)
        before = list(Event.objects.values_list("pk", flat=True))
        tell(EXAMPLES[name])
        return list(Event.objects.exclude(pk__in=before).filter(type=EXAMPLES[name]["event_type"]))

    return told


@pytest.mark.parametrize("name", APPLIED)
def test_what_carriers_tell_is_told_on_once_as_the_sdk_takes_it(name, told):
    (event,) = told(name)

    check(sent(event.type, event.data))
    check(sent(event.type, without_content(event.data)))


@pytest.mark.parametrize("type", sorted(samples.TYPES))
def test_tests_are_what_the_sdk_takes(type, environment):
    check(sent(type, samples.data(type, environment)))


def test_there_is_a_test_of_every_type_that_can_happen_here():
    assert set(events.ALL) - samples.TYPES == set(events.FAMILIES["Not sent by Partyline"])


@pytest.mark.parametrize("type", events.MESSAGES)
def test_message_events_in_the_older_version(type, told):
    (event,) = told(type)

    payload = sent(type, event.data, version=events.OLDER)

    example = OLDER[type]
    assert payload["webhook_version"] == "2025-01-01"
    # The contract names no delivered_at for message.read, where our example has one to be ignored.
    assert set(example["data"]) - set(payload["data"]) <= {"delivered_at"}
    assert set(example["data"]["message"]) - set(payload["data"]["message"]) == set()
    for name in ("is_from_me", "is_group", "recipient_phone", "service"):
        assert payload["data"][name] == example["data"][name]
    for name in ("is_delivered", "is_read"):
        assert payload["data"]["message"][name] == example["data"]["message"][name]
    for name in ("sent_at", "delivered_at", "read_at"):
        assert bool(payload["data"]["message"][name]) == bool(example["data"]["message"][name])
    assert (payload["data"]["received_at"] is None) == payload["data"]["is_from_me"]
    assert (payload["data"]["recipient_handle"] is None) == payload["data"]["is_from_me"]
    line = payload["data"]["from_handle" if payload["data"]["is_from_me"] else "recipient_handle"]
    assert line["is_me"] is True
    assert not {"chat", "direction", "sender_handle", "parts"} & set(payload["data"])


def test_the_older_version_differs_for_messages_only(environment):
    for type in sorted(samples.TYPES - set(events.MESSAGES)):
        data = samples.data(type, environment)
        assert sent(type, data, version=events.OLDER)["data"] == sent(type, data)["data"]


def test_the_older_version_has_texts_and_media_only(environment):
    data = samples.data("message.received", environment)
    data["parts"] = [{"type": kind, "value": "x"} for kind in ("text", "link", "imessage_app", "media")]

    parts = sent("message.received", data, version=events.OLDER)["data"]["message"]["parts"]

    assert [part["type"] for part in parts] == ["text", "media"]


@pytest.mark.parametrize(
    "order", [("sent", "delivered", "read"), ("read", "sent"), ("delivered", "sent", "read")]
)
def test_each_step_of_a_message_tells_the_times_up_to_it(order, tell):  # noqa: F811
    tell(EXAMPLES["chat.created"])
    for step in order:
        tell(EXAMPLES[f"message.{step}"])

    for event in Event.objects.filter(type__startswith="message."):
        step = event.type.removeprefix("message.")
        assert (event.data["delivered_at"] is not None) == (step in ("delivered", "read"))
        assert (event.data["read_at"] is not None) == (step == "read")


def test_a_failure_here_is_what_the_sdk_takes(chat, ana):
    message = chat.send(by=ana, text="On its way", key="k-1")

    message.fail(0, "The network was away")

    event = Event.objects.get(type="message.failed")
    check(sent(event.type, event.data))
    assert event.data["code"] == 4001
    assert event.data["failed_at"].endswith("Z")
    assert Message.objects.get(pk=message.pk).error_code is None


def test_account_events_are_what_the_sdk_takes(environment, max, shop):
    from lines.models import ApiToken
    from webhooks.models import Subscription

    token, _ = ApiToken.make(environment, "CRM", by=max, expires_at=timezone.now() + timedelta(days=9))
    token.rename("Shop", by=max)
    token.rotate(by=max)[0].revoke(by=max)
    subscription, _ = Subscription.make(
        environment,
        by=token.actor,
        target_url="https://93.184.216.34/a?b=c",
        subscribed_events=["message.sent"],
    )
    subscription.change(
        by=max,
        target_url="https://me:secret@93.184.216.34/d?e=f#g",
        subscribed_events=["message.read"],
        phone_numbers=[shop.phone_number],
        routing_key_header="X-Place",
    )
    subscription.change(by=max, routing_key_header="", phone_numbers=[])
    subscription.disable(by=max)
    subscription.enable(by=max)
    subscription.delete_here(by=max)

    told = Event.objects.exclude(type__startswith="inbox.").order_by("pk")
    for event in told:
        check(sent(event.type, event.data))
        assert not re.search(r"secret|whsec|b=c|e=f", json.dumps(event.data))
    mine = [event.type.removeprefix("webhook_subscription.") for event in told if event.type[0] == "w"]
    assert mine == [
        "created",
        "target_url_changed",
        "events.updated",
        "phone_numbers.updated",
        "routing_headers_set",
        "phone_numbers.updated",
        "routing_headers_cleared",
        "disabled",
        "enabled",
        "deleted",
    ]
    changes = {event.type: event.data.get("change") for event in reversed(told)}
    assert changes["webhook_subscription.events.updated"] == {
        "from": ["message.sent"],
        "to": ["message.read"],
    }
    assert changes["webhook_subscription.phone_numbers.updated"] == {"from": None, "to": [shop.phone_number]}
    assert changes["webhook_subscription.target_url_changed"] == {
        "from": "https://93.184.216.34/a",
        "to": "https://93.184.216.34/d",
    }


def test_what_was_said_goes_out_of_all_that_was_told(tell, ana):  # noqa: F811
    for name in ("chat.created", "message.sent", "message.delivered"):
        tell(EXAMPLES[name])
    message = Message.objects.get(external_id=OUTBOUND)
    message.delete_here(by=ana)
    message.purge()

    told = Event.objects.filter(type__startswith="message.", message_id=message.pk)
    assert [event.data["parts"] for event in told] == [[], []]
    for event in told:
        check(sent(event.type, event.data))


def test_what_a_deleted_poll_asked_goes_too(tell, ana):  # noqa: F811
    prepare(tell, "poll.updated")
    tell(EXAMPLES["poll.updated"])
    poll = Message.objects.get(external_id=EXAMPLES["poll.updated"]["data"]["message_id"])

    poll.delete_here(by=ana)
    poll.purge()

    for event in Event.objects.filter(type__in=["poll.received", "poll.updated"]):
        check(sent(event.type, event.data))
        options = event.data.get("added_options") or event.data["poll"]["options"]
        assert {option["text"] for option in options} == {""}
