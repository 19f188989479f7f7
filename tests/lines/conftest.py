"""Nora's phone, and our side's way to the carrier that it is with."""

import json

import pytest

from lines import gateways
from lines.gateways import OutgoingMessage
from lines.models import SandboxChat, SandboxWebhook

NORA = "+15035550171"


@pytest.fixture
def gateway(environment):
    return gateways.for_environment(environment)


@pytest.fixture
def write(gateway, shop):
    def write(text="Yes, three left.", *, to=NORA, key="key-1", **fields):
        to = [to] if isinstance(to, str) else to
        parts = fields.pop("parts", [{"type": "text", "value": text}])
        chat = fields.pop("chat", None)
        return gateway.send(OutgoingMessage(shop.phone_number, chat, to, parts, key, **fields))

    return write


@pytest.fixture
def group(phones, write):
    """group("iphone", "iphone"): a group of our line with new phones; what made it is not told any more."""

    def make(*kinds):
        handsets = phones(*kinds)
        accepted = write(to=[handset.handle for handset in handsets], key=f"group {kinds}")
        SandboxWebhook.objects.all().delete()
        chat = SandboxChat.objects.get(pk=accepted.chat_id)
        return chat, handsets

    return make


@pytest.fixture
def told(db):
    """told("reaction.added"): the data of the webhooks of this type, oldest first."""

    def data_of(event_type):
        webhooks = SandboxWebhook.objects.filter(event_type=event_type).order_by("due_at", "id")
        return [json.loads(webhook.body)["data"] for webhook in webhooks]

    return data_of
