"""Every verb of the gateway to a Linq account, against our own V3."""

import json
from dataclasses import replace

import httpx
import pytest
import respx
from django.core.files.base import ContentFile
from django.utils import timezone

from inbox import tasks
from inbox.models import Attachment, Chat, Message, Reaction
from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from lines.gateways import linq as way
from lines.gateways.breaker import breaker_of
from lines.models import Account, BlockedHandle, ContactCard, Environment, Line
from tests.inbox.files import sound

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


@pytest.fixture
def sent(gateway, outgoing, road):
    """A message of ours that the account has sent, and the chat that it began: (chat id, message id)."""
    accepted = gateway.send(outgoing())
    road()
    return accepted.chat_id, accepted.message_id


@pytest.fixture
def group(gateway, outgoing, phones, road):
    first, second, third = phones("iphone", "iphone", "iphone")
    accepted = gateway.send(outgoing(to=[first.handle, second.handle, third.handle], idempotency_key="group"))
    road()
    return accepted.chat_id


def test_a_message_is_sent_once_for_its_key(gateway, outgoing, nora):
    first, again = gateway.send(outgoing("On our way")), gateway.send(outgoing("On our way"))

    assert first == again
    message = Message.objects.get()
    assert (str(message.pk), message.text) == (first.message_id, "On our way")
    assert message.chat.participants_key == nora.handle


def test_what_a_message_has_besides_its_words_goes_along(gateway, outgoing, sent):
    chat, message = sent
    gateway.send(
        outgoing(
            "Look",
            chat=chat,
            idempotency_key="key-2",
            effect={"type": "screen", "name": "confetti"},
            reply_to={"message_id": message, "part_index": 0},
            preferred_service="iMessage",
        )
    )
    made = Message.objects.exclude(pk=message).get()
    assert made.effect == {"type": "screen", "name": "confetti"}
    assert str(made.original_id) == message
    assert made.preferred_service == "iMessage"


@pytest.fixture
def picture(account):
    from tests.inbox import files

    content = files.picture("PNG", (300, 300))
    picture = Attachment.objects.create(
        environment=account, filename="bike.png", mime_type="image/png", size=len(content), state="stored"
    )
    picture.file.save("bike.png", ContentFile(content))
    return picture


def part_of(attachment):
    return {
        "type": "media",
        "filename": attachment.filename,
        "mime_type": attachment.mime_type,
        "size_bytes": attachment.size,
        "file": attachment.file,
    }


def test_a_file_is_uploaded_once_however_often_it_is_tried(environment, gateway, outgoing, picture):
    message = outgoing(parts=[part_of(picture)])
    assert gateway.send(message) == gateway.send(message)

    (uploaded,) = environment.attachments.all()
    assert (uploaded.filename, uploaded.size, uploaded.state) == ("bike.png", picture.size, "stored")
    with uploaded.file.open("rb") as theirs, picture.file.open("rb") as ours:
        assert theirs.read() == ours.read()
    assert Message.objects.get().parts.get().attachment == uploaded


@pytest.fixture
def memo(account):
    content = sound("wav", "pcm_s16le")
    return Attachment.objects.create(
        environment=account,
        filename="memo.wav",
        mime_type="audio/x-wav",
        size=len(content),
        state="stored",
        file=ContentFile(content, "memo.wav"),
    )


def test_a_voice_memo_whose_answer_got_lost_is_not_sent_again(gateway, outgoing, sent, memo):
    chat, _ = sent
    message = outgoing(chat=chat, parts=[part_of(memo)], is_voice_memo=True, idempotency_key="memo")
    first, again = gateway.send(message), gateway.send(message)

    assert first.message_id == again.message_id
    assert Message.objects.filter(is_voice_memo=True).count() == 1
    gateway.send(replace(message, idempotency_key="memo-2"))
    assert Message.objects.filter(is_voice_memo=True).count() == 2


def test_options_of_a_poll_whose_answer_got_lost_are_not_added_again(gateway, outgoing, sent, road):
    chat, _ = sent
    parts = [{"type": "poll", "options": ["Five", "Six"]}]
    asked = gateway.send(outgoing(chat=chat, parts=parts, idempotency_key="poll"))
    road()
    first, again = (gateway.add_options(asked.message_id, ["Seven", "Eight"]) for _ in range(2))

    assert first == again
    assert len(Message.objects.get(pk=asked.message_id).poll_part.extra["options"]) == 4


def test_a_contact_card_that_is_there_is_changed(gateway, account, shop):
    line = Line.objects.create(environment=account, phone_number=shop.phone_number)
    gateway.put_contact_card(
        shop.phone_number, ContactCard(line=line, first_name="Fairwheel", last_name="Shop")
    )
    ContactCard.objects.filter(line=shop).update(accepted_at=timezone.now(), accepted_edition=1)
    gateway.put_contact_card(shop.phone_number, ContactCard(line=line, first_name="Wheels"))

    card = ContactCard.of(shop)
    assert (card.first_name, card.last_name) == ("Wheels", "")


def test_only_what_the_wire_knows_of_a_text_goes_over_it(remote, outgoing):
    answers, gateway = remote
    route = answers.post(f"{URL}/v3/chats/c1/messages").respond(500)
    mention = {"mention": "+15035550171", "mention_range": [0, 4]}
    part = {"type": "text", "value": "Nora"} | mention
    with pytest.raises(TemporaryFailure):
        gateway.send(outgoing(chat="c1", parts=[part | {"mentions": [{"is_me": False}]}]))
    assert json.loads(route.calls[0].request.content)["message"]["parts"] == [part]

    with pytest.raises(PermanentFailure, match="sticker"):
        gateway.send(outgoing(chat="c1", parts=[part | {"inline_stickers": [{"id": "ours"}]}]))
    assert route.call_count == 1


@pytest.mark.parametrize("code", [4004, 4009, 4010])
def test_nobody_can_say_whether_they_get_rcs(remote, code):
    answers, gateway = remote
    answers.post(f"{URL}/v3/capability/check_rcs").mock(return_value=refusal(503, code))
    assert gateway.check_rcs("+15035550171", line="+12025550100") is None


def test_an_answer_that_nobody_can_read_is_worth_another_try(remote, outgoing):
    answers, gateway = remote
    broken = httpx.Response(202, text="{", headers={"Content-Type": "application/json"})
    answers.post(f"{URL}/v3/chats/c1/messages").mock(return_value=broken)
    with pytest.raises(TemporaryFailure, match="cannot be read"):
        gateway.send(outgoing(chat="c1"))


def test_what_is_done_to_a_message(gateway, outgoing, sent, road):
    _, message = sent
    gateway.react(message, operation="add", type="custom", emoji="🚲", part_index=0)
    assert Reaction.objects.get().emoji == "🚲"
    gateway.react(message, operation="remove", type="custom", emoji="🚲", part_index=0)
    assert Reaction.objects.get().removed_at
    gateway.edit(message, text="Hello, Nora", part_index=0)
    assert Message.objects.get().text == "Hello, Nora"
    assert gateway.fetch_message(message)["parts"][0]["value"] == "Hello, Nora"
    gateway.delete_message(message)
    assert Message.objects.get().deleted_at
    assert gateway.fetch_message(message) is None


def test_what_is_done_in_a_chat(gateway, sent):
    chat, _ = sent
    gateway.start_typing(chat)
    gateway.stop_typing(chat)
    gateway.mark_read(chat)
    gateway.set_background(chat, {"type": "dynamic", "style": "sky", "variant": "dusk"})
    gateway.set_background(chat, None)
    assert gateway.fetch_chat(chat)["is_group"] is False
    assert gateway.fetch_chat("00000000-0000-4000-8000-000000000000") is None


def test_what_is_done_with_a_group(gateway, group, phones, road):
    (fourth,) = phones("iphone")
    gateway.rename(group, "Sunday ride")
    gateway.add_participant(group, fourth.handle)
    road()
    chat = Chat.objects.get(pk=group)
    assert chat.display_name == "Sunday ride"
    assert fourth.handle in {handle.value for handle in chat.others}
    gateway.remove_participant(group, fourth.handle)
    road()
    assert fourth.handle not in {handle.value for handle in Chat.objects.get(pk=group).others}


def test_a_poll_is_asked_answered_and_grows(gateway, outgoing, sent, road):
    chat, _ = sent
    asked = gateway.send(
        outgoing(chat=chat, parts=[{"type": "poll", "options": ["Five", "Six"]}], idempotency_key="poll")
    )
    assert len(asked.option_ids) == 2
    with pytest.raises(TemporaryFailure, match="has not left yet"):
        gateway.add_options(asked.message_id, ["Seven"])
    road()
    (seven,) = gateway.add_options(asked.message_id, ["Seven"])
    assert seven not in asked.option_ids
    gateway.vote(asked.message_id, asked.option_ids[0], operation="add")


def test_what_is_asked_of_an_account(gateway, shop, nora, environment, account):
    assert gateway.check_imessage(nora.handle, line=shop.phone_number) is True
    gateway.block(nora.handle)
    assert BlockedHandle.objects.filter(environment=environment, handle=nora.handle).exists()
    gateway.unblock(nora.handle)
    assert not BlockedHandle.objects.filter(environment=environment).exists()
    gateway.forward_calls(shop.phone_number, "+12025550177")
    shop.refresh_from_db()
    assert shop.forwarding_number == "+12025550177"
    audit = gateway.start_audit(shop.phone_number)
    assert gateway.fetch_audit(shop.phone_number, audit)["audit_id"] == audit
    line = Line.objects.create(environment=account, phone_number=shop.phone_number)
    gateway.put_contact_card(shop.phone_number, ContactCard(line=line, first_name="Fairwheel"))
    assert ContactCard.of(shop).first_name == "Fairwheel"
    with pytest.raises(PermanentFailure):
        gateway.forward_calls("+12025550999", "")


def test_what_an_agent_writes_leaves_by_the_account(account, shop, nora, make_chat, person, outgoing):
    line = Line.objects.create(environment=account, phone_number=shop.phone_number)
    agent = person("Agnes", account, lines=[line])
    chat = make_chat(line, nora.handle)
    first, second = chat.send(by=agent, text="Hello"), chat.send(by=agent, text="It is ready")
    tasks.send_chat(str(chat.pk))

    chat.refresh_from_db()
    theirs = Message.objects.filter(chat__line=shop).order_by("at")
    assert [message.text for message in theirs] == ["Hello", "It is ready"]
    assert str(theirs[0].chat_id) == chat.external_id
    for ours, its in zip((first, second), theirs, strict=True):
        ours.refresh_from_db()
        assert (ours.state, ours.external_id) == ("accepted", str(its.pk))


def test_a_refusal_has_the_carriers_code_sentence_and_trace(gateway):
    with pytest.raises(PermanentFailure) as caught:
        gateway.mark_read("00000000-0000-4000-8000-000000000000")
    assert (caught.value.code, caught.value.reason) == (2001, "There is no such chat")
    assert len(caught.value.trace_id) == 32


def test_whoever_has_no_key_goes_nowhere(account, gateway, environment):
    Account.objects.filter(pk=account.pk).update(key="")
    account.refresh_from_db()
    with pytest.raises(PermanentFailure, match="connected to no account"):
        gateways.for_environment(account)


URL = "https://carrier.example"


@pytest.fixture
def remote(settings, environment):
    """The account is somewhere else, and answers as it is told."""
    settings.LINQ_API_URL = URL
    account = Environment.objects.create(name="Away", slug="away", carrier="linq")
    Account.objects.create(environment=account, key="key", base_url=URL)
    way.client_for.cache_clear()
    way.http_for.cache_clear()
    breaker_of.cache_clear()
    with respx.mock(assert_all_called=False) as answers:
        yield answers, gateways.for_environment(account)
    way.client_for.cache_clear()


def refusal(status, code, **headers):
    body = {
        "success": False,
        "error": {"status": status, "code": code, "message": "Not now."},
        "trace_id": "t" * 32,
    }
    return httpx.Response(status, json=body, headers={"X-Trace-ID": "t" * 32} | headers)


@pytest.mark.parametrize(
    ("answer", "kind", "code", "wait"),
    [
        (refusal(429, 1007, **{"Retry-After": "7"}), TemporaryFailure, 1007, 7),
        (refusal(429, 1007, **{"Retry-After": "soon"}), TemporaryFailure, 1007, 0),
        (refusal(500, 3006), TemporaryFailure, 3006, 0),
        (refusal(503, 3002), TemporaryFailure, 3002, 0),
        (httpx.Response(502, text="<html>Bad gateway</html>"), TemporaryFailure, 0, 0),
        (refusal(409, 2009), TemporaryFailure, 2009, 0),
        (refusal(409, 2012, **{"x-should-retry": "false"}), PermanentFailure, 2012, 0),
        (refusal(401, 2004), TemporaryFailure, 2004, 0),
        (refusal(403, 2024), PermanentFailure, 2024, 0),
        (refusal(404, 2001), PermanentFailure, 2001, 0),
        (refusal(400, 1005), PermanentFailure, 1005, 0),
        (httpx.ConnectError("no route"), TemporaryFailure, 3005, 0),
        (httpx.ReadTimeout("slow"), TemporaryFailure, 3005, 0),
        (httpx.RemoteProtocolError("cut"), TemporaryFailure, 3005, 0),
    ],
)
def test_failures_are_worth_trying_again_or_not(remote, answer, kind, code, wait):
    answers, gateway = remote
    route = answers.post(f"{URL}/v3/chats/c1/read")
    route.side_effect = [answer] if isinstance(answer, Exception) else None
    if not isinstance(answer, Exception):
        route.return_value = answer
    with pytest.raises(kind) as caught:
        gateway.mark_read("c1")

    assert caught.value.code == code
    assert caught.value.retry_after.total_seconds() == wait
    # We try again, the client does not.
    assert route.call_count == 1
