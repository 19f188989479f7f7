"""The simulated carrier, seen from our side of the wire."""

import json
from datetime import timedelta

import linq.types
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from standardwebhooks import Webhook

from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.models import (
    Environment,
    Handset,
    SandboxChat,
    SandboxCopy,
    SandboxFaults,
    SandboxMedia,
    SandboxMessage,
    SandboxWebhook,
)
from lines.sandbox import carrier, outbox, services
from tests.lines.conftest import NORA

MODELS = {
    "message.sent": linq.types.MessageSentWebhookEvent,
    "message.received": linq.types.MessageReceivedWebhookEvent,
    "message.delivered": linq.types.MessageDeliveredWebhookEvent,
    "message.read": linq.types.MessageReadWebhookEvent,
    "message.failed": linq.types.MessageFailedWebhookEvent,
    "chat.created": linq.types.ChatCreatedWebhookEvent,
}


@pytest.fixture
def received(monkeypatch):
    """What our side was posted, in order; nothing waits for its time. `received.answers` are given first."""

    class Client:
        posted, answers = [], []

        def __init__(self, **options):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *args):
            pass

        def post(self, path, content, headers):
            import httpx

            answer = self.answers.pop(0) if self.answers else 200
            if answer == "away":
                raise httpx.ConnectError("refused")
            self.posted.append((path, content, headers))
            return httpx.Response(answer)

    monkeypatch.setattr(outbox.httpx, "Client", Client)
    monkeypatch.setattr(outbox.time, "sleep", lambda seconds: None)
    return Client


def deliver_all():
    """Let all that is queued be due now, in its order."""
    for place, webhook in enumerate(outbox.waiting().order_by("due_at", "id")):
        webhook.due_at = timezone.now() - timedelta(seconds=60) + timedelta(milliseconds=place)
        webhook.save()
    outbox.post_due()


def events():
    return [webhook.event_type for webhook in SandboxWebhook.objects.order_by("due_at", "id")]


def test_every_payload_is_one_that_the_sdk_knows(environment, shop, nora, write):
    write(preferred_service="iMessage")
    chat = SandboxChat.objects.get()
    SandboxCopy.objects.update(arrived_at=timezone.now() - timedelta(seconds=1))
    carrier.photo(nora, chat, "bike.png", "image/png", b"png", words="This one")
    Handset.objects.create(environment=environment, handle="+15035550172", kind="unreachable")
    write(to="+15035550172", key="key-2")

    seen = set()
    for webhook in SandboxWebhook.objects.all():
        body = json.loads(webhook.body)
        model = MODELS[webhook.event_type].model_validate(body, strict=False)
        extra = set(body["data"]) - set(type(model.data).model_fields) - {"from"}
        assert not extra, f"{webhook.event_type}: {extra}"
        assert body["event_id"] == str(webhook.event_id)
        assert body["webhook_version"] == "2026-02-03"
        seen.add(webhook.event_type)
    assert seen == set(MODELS)


def test_what_the_carrier_answers_is_what_v3_answers(write, gateway):
    accepted = write()

    message = gateway.fetch_message(accepted.message_id)
    chat = gateway.fetch_chat(accepted.chat_id)

    linq.types.Chat.model_validate(chat)
    linq.types.Message.model_validate(message)
    assert message["chat_id"] == accepted.chat_id
    assert {handle["handle"] for handle in chat["handles"]} == {"+12025550100", NORA}
    assert gateway.fetch_message("c0ffee00-1111-4222-8333-444455556666") is None
    assert gateway.fetch_chat("nonsense") is None


def test_a_message_is_sent_then_delivered_then_read(nora, write):
    Handset.objects.update(reads_at_once=True)
    write()

    assert events() == ["chat.created", "message.sent", "message.delivered", "message.read"]
    times = [
        json.loads(webhook.body)["data"]
        for webhook in SandboxWebhook.objects.exclude(event_type="chat.created")
    ]
    assert [
        [bool(data[name]) for name in ("sent_at", "delivered_at", "read_at")]
        for data in sorted(times, key=lambda data: (data["read_at"] or "", data["delivered_at"] or ""))
    ] == [[True, False, False], [True, True, False], [True, True, True]]


def test_the_same_key_is_one_message(write):
    first, second = write(), write("Something else")

    assert first == second
    assert SandboxMessage.objects.count() == 1
    assert events().count("message.sent") == 1


def test_the_same_key_makes_no_second_group_where_the_first_was_named_since(write):
    people = [NORA, "+15035550172"]
    first = write(to=people)
    SandboxChat.objects.update(handles_key=None)

    assert write(to=people) == first
    assert SandboxChat.objects.count() == 1


def test_the_same_people_are_one_chat_whatever_names_it(write, gateway):
    first = write()
    by_people = write(key="key-2")
    by_id = write(key="key-3", chat=first.chat_id, to=[])

    assert first.chat_id == by_people.chat_id == by_id.chat_id


def test_an_unknown_number_is_an_iphone(environment, write):
    assert write(to="+15035550199").service == "iMessage"
    assert Handset.objects.get(handle="+15035550199").kind == "imessage"


@pytest.mark.parametrize(
    ("kind", "preferred", "service", "error"),
    [
        ("imessage", None, "iMessage", 0),
        ("imessage", "iMessage", "iMessage", 0),
        ("imessage", "SMS", "SMS", 0),
        ("imessage", "RCS", "SMS", 0),
        ("rcs", None, "RCS", 0),
        ("rcs", "RCS", "RCS", 0),
        ("rcs", "SMS", "RCS", 0),
        ("rcs", "iMessage", "iMessage", 4005),
        ("sms", None, "SMS", 0),
        ("sms", "RCS", "SMS", 0),
        ("sms", "iMessage", "iMessage", 4005),
        ("unreachable", None, "iMessage", 4001),
    ],
)
def test_the_service_is_chosen_as_the_contract_says(kind, preferred, service, error):
    assert services.route([Handset(kind=kind)], preferred) == (service, error)


def test_a_group_goes_the_way_that_all_its_phones_know():
    iphone, android = Handset(kind="imessage"), Handset(kind="rcs")

    assert services.route([iphone, iphone], None) == ("iMessage", 0)
    assert services.route([iphone, android], None) == ("SMS", 0)
    assert services.route([iphone, android], "iMessage") == ("iMessage", 4005)


def test_sms_and_groups_have_no_receipts(environment, write):
    Handset.objects.create(environment=environment, handle=NORA, kind="sms", reads_at_once=True)
    write()
    write(to=[NORA, "+15035550172"], key="key-2")

    assert {"message.delivered", "message.read"}.isdisjoint(events())
    assert SandboxCopy.objects.exclude(arrived_at=None).count() == 3


def test_who_cannot_be_reached_and_who_cannot_receive_it_fails(environment, write):
    Handset.objects.create(environment=environment, handle=NORA, kind="unreachable")
    write()
    Handset.objects.create(environment=environment, handle="+15035550172", kind="sms")
    write(to="+15035550172", key="key-2", preferred_service="iMessage")

    failures = SandboxWebhook.objects.filter(event_type="message.failed")
    codes = [json.loads(webhook.body)["data"]["code"] for webhook in failures.order_by("id")]
    assert codes == [4001, 4005]
    assert "message.sent" not in events()


def test_out_of_coverage_it_waits_and_arrives_afterwards(nora, write):
    carrier.leave_coverage(nora)
    write()
    assert "message.delivered" not in events()

    carrier.enter_coverage(nora)
    carrier.enter_coverage(nora)

    assert events().count("message.delivered") == 1
    assert events().count("message.sent") == 1


def test_a_phone_without_coverage_cannot_write(nora, shop):
    carrier.leave_coverage(nora)
    nora.refresh_from_db()

    with pytest.raises(carrier.NoCoverage):
        carrier.text(nora, carrier.chat_with(nora, shop.phone_number), "Hello?")
    assert not SandboxWebhook.objects.exists()


def test_reading_is_told_once_and_only_by_who_tells(nora, write):
    write()
    SandboxCopy.objects.update(arrived_at=timezone.now())
    chat = SandboxChat.objects.get()
    carrier.read(nora, chat)
    carrier.read(nora, chat)
    assert events().count("message.read") == 1

    nora.sends_read_receipts = False
    write(key="key-2")
    SandboxCopy.objects.update(arrived_at=timezone.now())
    carrier.read(nora, chat)
    assert events().count("message.read") == 1


def test_the_first_text_of_a_customer_makes_a_chat(nora, shop):
    carrier.text(nora, carrier.chat_with(nora, shop.phone_number), "Is the blue one still in stock?")
    carrier.text(nora, carrier.chat_with(nora, shop.phone_number), "Hello?")

    assert events() == ["chat.created", "message.received", "message.received"]


def test_media_of_ours_is_kept_by_the_carrier(client, write, gateway, settings):
    settings.RECEIVER_URL = "http://127.0.0.1:8000"
    file = ContentFile(b"%PDF-1.4", name="x")
    part = {
        "type": "media",
        "filename": "../Fitting guide.pdf",
        "mime_type": "application/pdf",
        "size_bytes": 8,
    }
    write(parts=[part | {"file": Openable(file)}])

    told = SandboxMessage.objects.get().parts[0]
    response = client.get(told["url"].removeprefix("http://127.0.0.1:8000"))

    assert gateway.media_hosts() == {"127.0.0.1:8000"}
    assert told["size_bytes"] == 8
    assert b"".join(response.streaming_content) == b"%PDF-1.4"
    assert response["X-Content-Type-Options"] == "nosniff"


class Openable:
    """As a FieldFile is: opened by its user."""

    def __init__(self, file):
        self.file = file

    def open(self, mode):
        return self.file.open(mode)


@pytest.mark.django_db(transaction=True)
def test_webhooks_are_posted_in_order_and_signed_with_both_schemes(environment, write, received):
    received.posted.clear()
    write()
    deliver_all()

    types = [json.loads(body)["event_type"] for _, body, _ in received.posted]
    assert types == ["chat.created", "message.sent", "message.delivered"]
    for path, body, headers in received.posted:
        assert path == "/webhooks/in/fairwheel/"
        told = Webhook(environment.signing_secret).verify(body, headers)
        assert headers["webhook-id"] == told["event_id"]
        assert len(headers["X-Webhook-Signature"]) == 64
    assert not outbox.waiting().exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_lost_while_our_side_is_away(write, received):
    received.posted.clear()
    received.answers[:] = ["away", 503, "away"]
    write()
    deliver_all()
    waits = [round((webhook.due_at - timezone.now()).total_seconds()) for webhook in outbox.waiting()]
    assert waits == [2, 2, 2]

    deliver_all()
    assert not outbox.waiting().exists()
    assert SandboxWebhook.objects.filter(tries=2, delivered_at__isnull=False).count() == 3


@pytest.mark.django_db(transaction=True)
def test_what_our_side_refuses_is_not_posted_again(write, received):
    received.answers[:] = [401, 401, 401]
    write()
    deliver_all()

    assert not outbox.waiting().exists()
    assert SandboxWebhook.objects.filter(outcome="401", delivered_at=None).count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_posters_never_claim_the_same(write):
    write()
    SandboxWebhook.objects.update(due_at=timezone.now())

    first, second = outbox.claim(), outbox.claim()

    assert len(first) == 3
    assert second == []


def test_repeats_are_the_same_event_twice(environment, write):
    SandboxFaults.objects.create(environment=environment, repeat_percent=100, reorder=True, delay_seconds=30)
    write()

    ids = list(SandboxWebhook.objects.values_list("event_id", flat=True))
    assert len(ids) == 6
    assert len(set(ids)) == 3
    assert min(SandboxWebhook.objects.values_list("due_at", flat=True)) > timezone.now() + timedelta(
        seconds=25
    )


def test_a_500_takes_nothing_and_a_lost_answer_takes_it_once(environment, write):
    SandboxFaults.objects.create(environment=environment, fail_sends=1, lose_answers=1)
    with pytest.raises(TemporaryFailure, match="500"):
        write()
    assert not SandboxMessage.objects.exists()

    with pytest.raises(TemporaryFailure, match="did not answer"):
        write()
    accepted = write()

    assert str(SandboxMessage.objects.get().pk) == accepted.message_id


def test_harriet_answers_by_herself_and_in_order(environment, shop, write):
    Handset.objects.create(environment=environment, handle=NORA, name="Harriet", persona="harriet")
    write()
    write(key="key-2")

    said = SandboxMessage.objects.filter(is_scripted=True).order_by("created_at")
    assert [message.parts[0]["value"][:6] for message in said] == ["Oh goo", "Lovely"]
    assert events().count("message.read") == 2
    assert all(message.created_at > timezone.now() for message in said)


def test_gwen_opts_out_at_the_second_message_and_comes_back_when_asked(environment, shop, write):
    gwen = Handset.objects.create(environment=environment, handle=NORA, name="Gwen", persona="gwen")
    write()
    write(key="key-2")
    assert SandboxMessage.objects.filter(is_scripted=True).last().parts[0]["value"] == "STOP"

    carrier.nudge(gwen, SandboxChat.objects.get())
    assert "one more thing" in SandboxMessage.objects.filter(is_scripted=False).last().parts[0]["value"]


def test_a_linq_environment_reaches_nothing_of_it(environment, nora, shop, max, client_of, client):
    part = carrier.keep(environment, "bike.png", "image/png", b"png")
    browser = client_of(max)
    assert browser.get("/sandbox/").status_code == 200

    Environment.objects.update(carrier="linq")
    environment.refresh_from_db()

    for path in ("/sandbox/", f"/sandbox/{nora.pk}/", f"/sandbox/{nora.pk}/thread/"):
        assert browser.get(path).status_code == 404
    for path in (f"/sandbox/{nora.pk}/send/", "/sandbox/faults/", "/sandbox/handsets/"):
        assert browser.post(path).status_code == 404
    assert client.get(f"/sandbox/media/{part['id']}/bike.png").status_code == 404
    with pytest.raises(PermanentFailure):
        gateways.sandbox.SandboxGateway(environment)


def test_a_stranger_finds_no_phone(environment, nora, shop, olga, client_of, client):
    stranger = client_of(olga)
    thread = f"?thread={shop.phone_number}"

    for path in (f"/sandbox/{nora.pk}/", f"/sandbox/{nora.pk}/thread/{thread}"):
        assert stranger.get(path).status_code == 404
        assert client.get(path).status_code == 302
    for verb in ("send", "read", "coverage", "receipts", "reading", "spam", "nudge"):
        assert stranger.post(f"/sandbox/{nora.pk}/{verb}/", {"thread": shop.phone_number}).status_code == 404
    assert not SandboxWebhook.objects.exists()


def test_a_customer_texts_and_sends_a_photo_from_the_page(nora, shop, ana, client_of):
    from django.core.files.uploadedfile import SimpleUploadedFile

    browser = client_of(ana)
    thread = {"thread": shop.phone_number}
    browser.post(f"/sandbox/{nora.pk}/send/", thread | {"text": "Hello"})
    photo = SimpleUploadedFile("bike.png", b"\x89PNG", content_type="image/png")
    browser.post(f"/sandbox/{nora.pk}/send/", thread | {"photo": photo})

    kinds = [message.parts[0]["type"] for message in SandboxMessage.objects.all()]
    assert kinds == ["text", "media"]
    assert SandboxMedia.objects.get().size == 4
    page = browser.get(f"/sandbox/{nora.pk}/", thread).content.decode()
    assert "Hello" in page
    assert "bike.png" in page


def test_nothing_to_send_is_said_and_changes_nothing(nora, shop, ana, client_of):
    response = client_of(ana).post(f"/sandbox/{nora.pk}/send/", {"thread": shop.phone_number, "text": " "})

    assert response.status_code == 422
    assert not SandboxMessage.objects.exists()


def test_the_thread_is_drawn_again_only_when_it_changed(nora, shop, ana, client_of):
    import re

    browser = client_of(ana)
    path = f"/sandbox/{nora.pk}/thread/"
    first = browser.get(path, {"thread": shop.phone_number}).content.decode()
    version = re.search(r'name="version" value="(\w+)"', first)[1]
    same = {"thread": shop.phone_number, "version": version}
    assert browser.get(path, same).status_code == 204

    carrier.text(nora, carrier.chat_with(nora, shop.phone_number), "Still there?")
    changed = browser.get(path, same)
    assert changed.status_code == 200
    assert "Still there?" in changed.content.decode()


def test_a_new_handset_needs_a_number_that_exists(environment, ana, client_of):
    browser = client_of(ana)
    wrong = browser.post("/sandbox/handsets/", {"name": "Yuki", "number": "12", "kind": "rcs"})
    right = browser.post("/sandbox/handsets/", {"name": "Yuki", "number": "(503) 555-0144", "kind": "rcs"})

    assert wrong.status_code == 422
    assert right.status_code == 302
    assert Handset.objects.get().handle == "+15035550144"


def test_faults_are_switched_on_from_the_page(environment, ana, client_of):
    switches = {"repeat_percent": 10, "delay_seconds": 0, "fail_sends": 2, "lose_answers": 0, "reorder": "on"}
    switches |= {"refuse_actions": 1, "refuse_group_changes": 0}
    client_of(ana).post("/sandbox/faults/", switches)

    assert (
        SandboxFaults.objects.get().summary == "10 % repeated, out of order, 2 × 500, 1 × no reaction or edit"
    )
