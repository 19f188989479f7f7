"""The seed's sections on keys, trace_id, idempotency, deletes and webhooks, each as it is asked there.

From outside: a browser, the official client, phones at the sandbox carrier, and endpoints on this machine. Where the
seed and today's client differ it is as our list of differences says.
"""

import hashlib
import hmac
import re
import time
from itertools import pairwise

import linq
import pytest
from django.urls import reverse

from lines.models import Handset, SandboxChat, SandboxMessage
from lines.sandbox import camera, customers
from lines.sandbox import carrier as sandbox
from tests.api.conftest import refused
from tests.webhooks.programs import wait_until
from webhooks.models import Attempt
from webhooks.retrying import SCHEDULES, Schedule

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 0.05


def text(value, **more):
    return {"parts": [{"type": "text", "value": value}]} | more


def page_of(admin, path, **data):
    response = admin.get(path, data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def link_to(page, words):
    """Where the link with these words leads."""
    inside = r"(?:(?!</a>).)*?"
    found = re.findall(rf'<a[^>]* href="([^"?]+)[^>]*>{inside}{words}\s*<', page, re.DOTALL)
    assert len(set(found)) == 1, found
    return found[0]


@pytest.fixture
def admin(client_of, max):
    return client_of(max)


@pytest.fixture
def new_key(admin):
    """Make a key on the page of keys and copy it."""

    def make(name):
        response = admin.post("/api/keys/make/", {"name": name, "scopes": ["read", "send", "manage"]})
        return re.search(r'id="new-key">(\w[\w-]+)</code><copy-button', response.content.decode())[1]

    return make


@pytest.fixture
def quickly(monkeypatch):
    """The usual schedule with seconds of SECONDS each; a timeout takes half of one."""
    usual = SCHEDULES["faq"]
    waits = tuple(wait * SECONDS for wait in usual.waits)
    monkeypatch.setitem(SCHEDULES, "faq", Schedule(timeout=0.5, waits=waits))
    return usual


@pytest.fixture
def listen(program, delivering):
    """Subscribe an endpoint of ours to events and deliver to it; `signing_secret` is what was shown once."""

    def listen(*events, answers=lambda request: 200, **options):
        endpoint = delivering.program(answers)
        made = program.webhook_subscriptions.create(
            target_url=endpoint.url, subscribed_events=list(events or ["message.received"]), **options
        )
        endpoint.subscription, endpoint.signing_secret = made.id, made.signing_secret
        if not delivering.deliverers:
            delivering.start()
        return endpoint

    return listen


@pytest.fixture
def write(nora, shop, road):
    """Nora writes to a line, and our side learns of it."""

    def write(words, line=shop):
        sandbox.text(nora, sandbox.chat_with(nora, line.phone_number), words)
        road()

    return write


# Where do I find my API key, docs, webhooks, and delivery logs?


def test_where_do_i_find_my_api_key_docs_webhooks_and_delivery_logs(admin, new_key, client_with, shop):
    toolbar = re.search(r'<nav class="toolbar".*?</nav>', page_of(admin, "/"), re.DOTALL)[0]
    api = page_of(admin, link_to(toolbar, "API"))
    for words, title in (
        ("Documentation", "Documentation"),
        ("Webhook subscriptions", "Webhooks"),
        ("Delivery log", "Deliveries"),
    ):
        assert f"<title>{title} · Partyline</title>" in page_of(admin, link_to(api, words))
    key = new_key("CRM")
    numbers = client_with(key).phone_numbers.list().phone_numbers
    assert [number.phone_number for number in numbers] == [shop.phone_number]
    # It is not kept, so it is copied now or never.
    assert key not in page_of(admin, "/api/keys/")


# Should we split production and testing into separate environments?


def test_should_we_split_production_and_testing_into_separate_environments(
    admin, new_key, client_with, max, environment
):
    keys = {}
    for name, carrier in (("Testing", "sandbox"), ("Production", "linq")):
        admin.post("/settings/environments/make/", {"name": name, "carrier": carrier, "colour": "teal"})
        made = max.memberships.get(environment__name=name).environment
        admin.post("/environments/choose/", {"environment": str(made.pk)})
        if name == "Production":
            kind = reverse("kind-of-environment", args=[made.pk])
            admin.post(kind, {"kind": "production", "typed": "Production"})
            made.lines.create(name="Real", phone_number="+12025550155")
        keys[name] = new_key("CRM")

    assert keys["Testing"].startswith("pl_test_")
    assert keys["Production"].startswith("pl_live_")
    (real,) = client_with(keys["Production"]).phone_numbers.list().phone_numbers
    testing = client_with(keys["Testing"])
    assert real.phone_number not in {one.phone_number for one in testing.phone_numbers.list().phone_numbers}
    with refused(403, 2006):
        testing.chats.create(from_=real.phone_number, to=["+14155550123"], message=text("A test"))


# How do I retrieve all phone numbers assigned to my account (v3)?


def test_how_do_i_retrieve_all_phone_numbers_assigned_to_my_account(program, shop, workshop):
    workshop.pause(by=None)
    with pytest.warns(DeprecationWarning, match="deprecated"):
        numbers = program.phonenumbers.list().phone_numbers
    told = {
        number.phone_number: (number.status, number.type, number.country_code, number.capabilities.to_dict())
        for number in numbers
    }
    can = {"sms": True, "mms": True, "voice": False}
    assert told == {
        shop.phone_number: ("active", "iMessage", "US", can),
        workshop.phone_number: ("paused", "iMessage", "US", can),
    }


# What is trace_id and why do I need it?


def test_what_is_trace_id_and_why_do_i_need_it(program, admin, noras):
    chat, raw = str(noras.pk), program.with_raw_response
    answers = [
        raw.chats.retrieve(chat),
        raw.chats.typing.start(chat),
        raw.chats.messages.send(chat, message=text("Hi")),
    ]
    traces = [answer.headers["x-trace-id"] for answer in answers]
    acknowledged = raw.messages.add_reaction(
        str(noras.messages.earliest("at").pk), operation="add", type="like"
    )
    assert acknowledged.json()["trace_id"] == acknowledged.headers["x-trace-id"]
    with refused(404, 2001) as caught:
        program.chats.retrieve(chat[:-4] + "0000")
    failed = caught.value.response
    assert failed.json()["trace_id"] == failed.headers["x-trace-id"]
    traces += [acknowledged.headers["x-trace-id"], failed.headers["x-trace-id"]]
    assert len(set(traces)) == 5
    assert all(re.fullmatch("[0-9a-f]{32}", trace) for trace in traces)

    # Support finds the request by it.
    found = page_of(admin, "/api/trace/", q=failed.headers["x-trace-id"])
    assert f"/v3/chats/{chat[:-4]}0000" in found
    assert "404" in found


# How do we prevent duplicate messages during retries?


def test_how_do_we_prevent_duplicate_messages_during_retries(program, noras, nora, shop, road):
    def send():
        return program.chats.messages.send(str(noras.pk), message=text("Ready", idempotency_key="order-17"))

    def begin():
        message = text("Your bike is here", idempotency_key="order-18")
        return program.chats.create(from_=shop.phone_number, to=["+15035550172"], message=message)

    for call in (send, begin):
        assert call() == call()
    road()
    # And after it has left: the same message, and no other.
    assert send().message.id == send().message.id
    begin()
    road()
    sent = SandboxMessage.objects.filter(handset=None).values_list("parts__0__value", flat=True)
    assert sorted(sent) == ["Ready", "Your bike is here"]
    assert SandboxChat.objects.count() == 2


# Can we delete messages?


def test_can_we_delete_messages(program, noras, nora, road, admin, listen):
    events = program.webhook_events.list().events
    endpoint = listen(*events)
    sent = program.chats.messages.send(str(noras.pk), message=text("The code is 4711")).message
    road()
    endpoint.gets(3)

    answer = program.with_raw_response.messages.delete(sent.id)

    assert (answer.status_code, answer.read()) == (204, b"")
    with refused(404, 2002):
        program.messages.retrieve(sent.id)
    assert sent.id not in [message.id for message in program.chats.messages.list(str(noras.pk))]
    road()
    # It is not unsent: the phone, where it arrives after a second, has it still. And nobody is told of it.
    phone = reverse("sandbox_phone", args=[nora.pk])
    wait_until(lambda: "The code is 4711" in page_of(admin, phone))
    assert SandboxMessage.objects.get(handset=None).deleted_at
    assert not [event for event in endpoint.events if "delete" in event["event_type"]]


# What webhook events are available?

COMMON = [
    "message.sent",
    "message.received",
    "message.delivered",
    "message.read",
    "message.failed",
    "reaction.added",
    "reaction.removed",
    "chat.created",
    "participant.added",
    "participant.removed",
    "chat.group_name_updated",
    "chat.group_icon_updated",
]


def test_what_webhook_events_are_available(program, listen, nora, noras, phones, shop, road, environment):
    assert set(COMMON) <= set(program.webhook_events.list().events)
    endpoint = listen(*COMMON)
    thread = sandbox.chat_with(nora, shop.phone_number)
    ben, cleo, dan, eve = phones("iphone", "iphone", "iphone", "iphone")

    Handset.objects.filter(pk=nora.pk).update(reads_at_once=True)
    sent = program.chats.messages.send(str(noras.pk), message=text("Ready")).message
    road()
    answered = SandboxMessage.objects.get(handset=None)
    customers.text(nora, thread, "Great", original=answered)
    customers.react(nora, answered, "love")
    customers.unreact(nora, answered)
    customers.start_group(nora, shop.phone_number, [ben, cleo, dan], "Who rides?")
    group = SandboxChat.objects.get(is_group=True)
    customers.add(nora, group, eve)
    customers.remove(nora, group, ben)
    customers.rename(nora, group, "Riders")
    customers.set_icon(nora, group, camera.icon())
    road()
    Handset.objects.create(environment=environment, handle="+15035550199", kind="unreachable")
    program.chats.create(
        from_=shop.phone_number,
        to=["+15035550199"],
        message=text("Hello?", preferred_service="iMessage"),
    )
    road()

    wait_until(lambda: {event["event_type"] for event in endpoint.events} == set(COMMON), within=10)
    told = {}
    for event in endpoint.events:
        told.setdefault(event["event_type"], []).append(event["data"])
    assert {data["service"] for data in told["message.sent"] + told["message.received"]} == {"iMessage"}
    assert sent.id in [data["id"] for data in told["message.read"]]
    assert sent.id in [(data.get("reply_to") or {}).get("message_id") for data in told["message.received"]]


# Are webhooks configured per number?


def test_are_webhooks_configured_per_number(program, listen, write, shop, workshop):
    everything, some = listen(), listen(phone_numbers=[workshop.phone_number])
    write("Hello shop")
    write("Hello workshop", workshop)

    said = {request.event["data"]["parts"][0]["value"] for request in everything.gets(2)}
    assert said == {"Hello shop", "Hello workshop"}
    # Today they can be filtered as well.
    assert some.gets(1)[0].event["data"]["parts"][0]["value"] == "Hello workshop"
    assert len(some.requests) == 1


# Do webhooks retry if our endpoint fails?


def test_do_webhooks_retry_on_the_schedule(quickly, listen, write):
    assert (quickly.timeout, quickly.tries, quickly.waits) == (10, 6, (2, 4, 8, 16, 30))
    assert sum(quickly.waits) == 60
    endpoint = listen(answers=lambda request: 500)
    write("Hello")

    tries = endpoint.gets(6, within=15)
    pauses = [after.at - before.at for before, after in pairwise(tries)]
    for pause, wait in zip(pauses, quickly.waits, strict=True):
        assert wait * SECONDS <= pause < wait * SECONDS + 1
    time.sleep(1)
    assert len(endpoint.requests) == 6


def hang(request):
    return None


@pytest.mark.parametrize("answers", [lambda request: 503, lambda request: 429, hang])
def test_do_webhooks_retry_on_failures_that_pass(quickly, listen, write, answers):
    endpoint = listen(answers=lambda request: 200 if len(endpoint.requests) > 2 else answers(request))
    write("Hello")

    first, second, third = endpoint.gets(3, within=15)
    assert first.body == second.body == third.body


def test_do_webhooks_retry_on_network_errors(quickly, delivering, listen, write):
    endpoint = listen()
    delivering.do(endpoint.stop())
    write("Hello")
    wait_until(lambda: Attempt.objects.filter(error="connection").exists())
    delivering.do(endpoint.start())

    assert endpoint.gets(1, within=15)[0].event["event_type"] == "message.received"


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
def test_do_webhooks_retry_on_4xx_no(quickly, listen, write, status):
    endpoint = listen(answers=lambda request: status)
    write("Hello")

    endpoint.gets(1)
    time.sleep(10 * SECONDS)
    assert len(endpoint.requests) == 1


# Where do we view webhook delivery logs?


def test_where_do_we_view_webhook_delivery_logs(quickly, admin, listen, write):
    endpoint = listen(answers=lambda request: 200 if len(endpoint.requests) > 1 else 500)
    write("Hello")
    endpoint.gets(2)
    log = link_to(page_of(admin, "/api/"), "Delivery log")
    wait_until(lambda: "Delivered" in page_of(admin, log))

    delivery = re.search(r'href="(/api/deliveries/\d+/)', page_of(admin, log))[1]
    page = page_of(admin, delivery)
    for said in ("message.received", endpoint.events[0]["event_id"], "500", "200"):
        assert said in page


# Will Linq stop sending webhooks if our server returns errors?


def test_will_linq_stop_sending_webhooks_if_our_server_returns_errors(program, listen, write):
    endpoint = listen(answers=lambda request: 400 if len(endpoint.requests) <= 20 else 200)
    for number in range(20):
        write(f"Hello {number}")
    endpoint.gets(20, within=20)
    write("Are you there?")

    assert endpoint.gets(21)[20].event["data"]["parts"][0]["value"] == "Are you there?"
    assert program.webhook_subscriptions.retrieve(endpoint.subscription).is_active


# How do we deduplicate webhook events?


def test_how_do_we_deduplicate_webhook_events(quickly, listen, write):
    processed, seen = [], set()

    def handle(request):
        """As the seed says: remember the event_id, and skip what comes again."""
        if request.event["event_id"] not in seen:
            seen.add(request.event["event_id"])
            processed.append(request.event["data"]["parts"][0]["value"])
        # The answer is lost, now and then.
        return 500 if len(first.requests) % 2 else 200

    first = listen(answers=handle)
    second = listen(answers=handle)
    for words in ("One", "Two"):
        write(words)

    wait_until(lambda: len(first.requests) >= 4 and len(second.requests) >= 2, within=15)
    assert sorted(processed) == ["One", "Two"]
    assert {request.headers["webhook-id"] for request in first.requests + second.requests} == seen


# How do we verify webhook signatures?


def test_how_do_we_verify_webhook_signatures(program, listen, write):
    endpoint = listen()
    write("Grüße 🚲")

    request = endpoint.gets(1)[0]
    signed = request.headers["x-webhook-timestamp"].encode() + b"." + request.body
    digest = hmac.new(endpoint.signing_secret.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(request.headers["x-webhook-signature"], digest)
    assert request.event["data"]["parts"][0]["value"] == "Grüße 🚲"
    # The other scheme, which today's client checks by itself.
    client = linq.LinqAPIV3(api_key="none", webhook_secret=endpoint.signing_secret)
    event = client.webhooks.unwrap(request.body.decode(), headers=request.headers)
    assert event.event_id == request.event["event_id"]
    # And the secret is nowhere to be read again.
    listed = program.webhook_subscriptions.with_raw_response.list()
    assert endpoint.signing_secret not in listed.text()
