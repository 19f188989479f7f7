"""Messages of programs: sent, read, edited, deleted, in threads."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from inbox.models import Message
from lines.models import BlockedHandle, OptOut
from tests.api.conftest import refused
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


def text(value, **more):
    return {"parts": [{"type": "text", "value": value}]} | more


@pytest.fixture
def chat(shop, make_chat, make_message):
    chat = make_chat(shop, CARL, external_id="chat-1")
    make_message(chat, "Is it still there?", ago=60)
    return chat


@pytest.fixture
def send(program, chat, no_workers):
    def send(message, **options):
        return program.chats.messages.send(str(chat.pk), message=message, **options)

    return send


def test_what_a_key_sends_is_in_the_inbox_under_its_name(send, chat, client_of, ana):
    sent = send(text("It is"))
    message = Message.objects.get(pk=sent.message.id)
    assert (sent.chat_id, message.author.name, message.text) == (str(chat.pk), "CRM", "It is")
    page = client_of(ana).get(f"/inbox/all/{chat.pk}/").content.decode()
    assert "It is" in page
    assert "CRM" in page


def test_it_is_nobodys_conversation_for_that(send, chat):
    send(text("It is"))
    chat.refresh_from_db()
    assert chat.assignee is None
    assert chat.waiting_since is None


def test_what_the_carrier_gets(send, chat, carrier, monkeypatch):
    sent = send(
        {
            "parts": [
                {
                    "type": "text",
                    "value": "Big news 🎉!",
                    "text_decorations": [
                        {"range": [0, 3], "style": "bold"},
                        {"range": [9, 11], "animation": "explode"},
                    ],
                }
            ],
            "effect": {"type": "screen", "name": "confetti"},
            "preferred_service": "iMessage",
            "idempotency_key": "news-1",
        }
    )
    out = Message.objects.get(pk=sent.message.id).outgoing()
    assert out.parts[0]["text_decorations"][1] == {"range": [9, 11], "animation": "explode"}
    assert (out.effect["name"], out.preferred_service, out.idempotency_key) == (
        "confetti",
        "iMessage",
        "news-1",
    )
    assert sent.message.parts[0].text_decorations[0].style == "bold"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({}, 1004),
        ({"parts": []}, 1004),
        (text(""), 1004),
        (text("   "), 1004),
        (text("a" * 10_001), 1004),
        ({"parts": [{"type": "text", "value": "a"}, {"type": "text", "value": "b"}]}, 1004),
        ({"parts": [{"type": "link", "value": "https://a.example"}, {"type": "text", "value": "b"}]}, 1004),
        ({"parts": [{"type": "hologram", "value": "a"}]}, 1004),
        ({"parts": [{"type": "media"}]}, 1004),
        (text("a", effect={"type": "screen", "name": "earthquake"}), 1004),
        (text("a", preferred_service="Pigeon"), 1004),
        (text("a", idempotency_key="k" * 256), 1004),
    ],
)
def test_what_cannot_be_sent_is_refused_and_changes_nothing(send, message, code):
    with refused(400, code):
        send(message)
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("part", "status", "code"),
    [
        ({"text_decorations": [{"range": [0, 9], "style": "bold"}]}, 400, 1004),
        ({"text_decorations": [{"range": [2, 2], "style": "bold"}]}, 400, 1004),
        ({"text_decorations": [{"range": [0, 2], "style": "bold", "animation": "big"}]}, 400, 1004),
        (
            {
                "text_decorations": [
                    {"range": [0, 3], "style": "bold"},
                    {"range": [2, 5], "animation": "big"},
                ]
            },
            400,
            1004,
        ),
        ({"mention_range": [0, 2]}, 400, 1004),
        ({"mention": CARL}, 409, 2023),
        ({"inline_stickers": [{"range": [0, 1], "attachment_id": str(uuid4())}]}, 404, 2003),
    ],
)
def test_what_stands_on_a_text_has_its_rules(send, part, status, code):
    with refused(status, code):
        send({"parts": [{"type": "text", "value": "Hello"} | part]})
    assert Message.objects.count() == 1


def test_an_emoji_is_not_split(send):
    with refused(400, 1004):
        send(
            {
                "parts": [
                    {"type": "text", "value": "🎉", "text_decorations": [{"range": [0, 1], "style": "bold"}]}
                ]
            }
        )


def test_somebody_is_mentioned_in_a_group(program, shop, make_chat, no_workers):
    chat = make_chat(shop, CARL, DORA, external_id="group-1")
    part = {"type": "text", "value": "Hey Dora!", "mention": DORA, "mention_range": [4, 8]}
    sent = program.chats.messages.send(str(chat.pk), message={"parts": [part]})
    (mention,) = sent.message.parts[0].mentions
    assert (mention.handle, mention.range) == (DORA, [4, 8])
    with refused(400, 1004):
        part["mention"] = "+14155559999"
        program.chats.messages.send(str(chat.pk), message={"parts": [part]})


def test_cards_of_apps_are_not_sent(send):
    with refused(403, 2011):
        send({"parts": [{"type": "app_clip", "value": "https://a.example"}]})


def test_an_opt_out_stops_a_program_unless_it_overrides_it(send, environment):
    OptOut.objects.create(environment=environment, handle=CARL, since=timezone.now(), keyword="STOP")
    with refused(403, 2024):
        send(text("Hi"))
    assert Message.objects.count() == 1
    sent = send(text("Your parcel is here"), override_optout=True)
    message = Message.objects.get(pk=sent.message.id)
    assert message.overrides_opt_out
    assert message.outgoing().overrides_opt_out
    assert not message.judge(leaving=True).refused
    assert OptOut.objects.active().exists()


def test_a_blocked_person_is_not_written_to(send, environment):
    BlockedHandle.objects.create(environment=environment, handle=CARL)
    with refused(403, 2026):
        send(text("Hi"))


def test_a_line_that_cannot_send_says_so(send, chat, max):
    chat.line.pause(by=max)
    with refused(403, 2027):
        send(text("Hi"))


def test_too_many_to_one_person_have_to_wait(send, settings):
    settings.PAIR_LIMIT = 2
    send(text("One"))
    send(text("Two"))
    with refused(429, 1007) as caught:
        send(text("Three"))
    assert 1 <= caught.value.body["retry_after"] <= 60
    assert Message.objects.count() == 3


def test_what_the_guard_holds_is_taken_and_leaves_later(program, shop, make_chat, no_workers, max):
    shop.warm(by=max, ramp=[1])
    chats = [make_chat(shop, number, external_id=number) for number in (CARL, DORA)]
    raw = program.chats.messages.with_raw_response
    answers = [raw.send(str(chat.pk), message=text("Hello")) for chat in chats]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.parse().message.delivery_status for answer in answers] == ["pending", "pending"]
    held = Message.objects.get(chat=chats[1])
    assert held.state == "held"
    told = answers[1].headers
    assert told["X-Guard"] == f"hold; rule=ramp; until={held.next_try_at.isoformat()}"
    assert told["X-Guard-Reason"] == "Shop is warming up and has sent enough for today"
    again = program.messages.with_raw_response.retrieve(str(held.pk)).headers
    assert again["X-Guard"] == told["X-Guard"]


def test_an_answer_quotes_what_it_answers(send, chat):
    original = chat.messages.get()
    sent = send(text("Yes", reply_to={"message_id": str(original.pk)}))
    assert sent.message.reply_to.message_id == str(original.pk)
    with refused(404, 2002):
        send(text("Yes", reply_to={"message_id": str(uuid4())}))
    with refused(400, 1005):
        send(text("Yes", reply_to={"message_id": str(original.pk), "part_index": 4}))


def test_messages_come_page_by_page_the_newest_first(program, chat, make_message):
    for number in range(4):
        make_message(chat, f"And {number}", ago=50 - number)
    pages = program.chats.messages.list(str(chat.pk), limit=2)
    said = [message.parts[0].value for message in pages]
    assert said == ["And 3", "And 2", "And 1", "And 0", "Is it still there?"]


def test_a_page_of_messages_costs_the_same_for_many(
    program, chat, make_message, django_assert_max_num_queries
):
    for number in range(12):
        make_message(chat, f"And {number}")
    with django_assert_max_num_queries(10):
        assert len(program.chats.messages.list(str(chat.pk), limit=12).messages) == 12


def test_one_message(program, chat):
    message = chat.messages.get()
    told = program.messages.retrieve(str(message.pk))
    assert (told.delivery_status, told.is_from_me, told.from_) == ("received", False, CARL)
    with refused(404, 2002):
        program.messages.retrieve(str(uuid4()))


def test_an_iMessage_of_ours_is_edited(program, chat, ana, make_message, no_workers):
    message = make_message(chat, "Tomorow", author=ana, external_id="m-2")
    told = program.messages.update(str(message.pk), text="Tomorrow")
    assert told.parts[0].value == "Tomorrow"
    assert message.edits.last().author.name == "CRM"
    Message.objects.filter(pk=message.pk).update(
        sent_at=timezone.now() - timedelta(minutes=16), at=timezone.now() - timedelta(minutes=16)
    )
    with refused(409, 2015):
        program.messages.update(str(message.pk), text="Never")


def test_deleting_takes_it_from_our_records_only(program, chat, ana, make_message, no_workers):
    message = make_message(chat, "Secret", author=ana, external_id="m-2")
    program.messages.delete(str(message.pk))
    for call in (program.messages.retrieve, program.messages.delete, program.messages.list_messages_thread):
        with refused(404, 2002):
            call(str(message.pk))
    assert "Secret" not in [m.parts[0].value for m in program.chats.messages.list(str(chat.pk))]
    message.refresh_from_db()
    assert message.deleted_by.name == "CRM"


def test_a_thread_in_both_orders(program, chat, ana, make_message):
    first = chat.messages.get()
    answers = [
        make_message(chat, f"Answer {n}", author=ana, ago=30 - n, original=first, reply_to={})
        for n in range(3)
    ]
    ids = [str(message.pk) for message in (first, *answers)]
    rising = program.messages.list_messages_thread(str(answers[1].pk), limit=2)
    assert [message.id for message in rising] == ids
    falling = program.messages.list_messages_thread(str(first.pk), limit=2, order="desc")
    assert [message.id for message in falling] == ids[::-1]


def test_a_stranger_gets_nowhere(strangers, reader, chat):
    message = str(chat.messages.get().pk)
    for stranger in strangers.values():
        with refused(404, 2001):
            stranger.chats.messages.send(str(chat.pk), message=text("Hi"))
        with refused(404, 2001):
            stranger.chats.messages.list(str(chat.pk))
        for call in (
            stranger.messages.retrieve,
            stranger.messages.delete,
            stranger.messages.list_messages_thread,
        ):
            with refused(404, 2002):
                call(message)
        with refused(404, 2002):
            stranger.messages.update(message, text="Mine")
    for call in (
        lambda: reader.chats.messages.send(str(chat.pk), message=text("Hi")),
        lambda: reader.messages.update(message, text="Mine"),
        lambda: reader.messages.delete(message),
    ):
        with refused(403, 2005):
            call()
    assert Message.objects.count() == 1
