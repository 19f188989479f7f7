"""Answers to a message: the quote, the thread, and originals that come later or never."""

from itertools import pairwise

import pytest
from django.urls import reverse

from inbox import tasks
from inbox.models import Message, Part
from inbox.models.content import Content, parts_of
from lines.gateways import PermanentFailure
from tests.conftest import CARL, DORA
from tests.inbox.conftest import nothing_changes
from tests.webhooks import payloads as told
from tests.webhooks.conftest import rows_of
from webhooks import apply
from webhooks import tasks as webhook_tasks
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db
CHAT = "c0ffee00-1111-4222-8333-444455556666"


@pytest.fixture
def original(chat):
    Message.objects.update(external_id="theirs-1")
    return chat.messages.get()


@pytest.fixture
def arrive(environment, no_workers):
    """Webhooks, applied one after the other."""

    def arrive(*events):
        for event in events:
            Receipt.objects.bulk_create(rows_of(environment, [event]))
            apply.apply_pending()

    return arrive


def received(message_id, text="Hello", *, at=10, answers=None, chat=CHAT, **fields):
    reply_to = answers and {"message_id": answers, "part_index": 0}
    parts = [told.text(text)]
    return told.message(
        "message.received", message_id, chat, at=at, parts=parts, sender=CARL, reply_to=reply_to, **fields
    )


def quote_of(client, message):
    html = client.get(reverse("messages", args=[message.chat_id])).content.decode()
    bubble = html.partition(f'id="message-{message.pk}"')[2].partition("</li>")[0]
    return bubble.partition('class="quote"')[2].partition("message__bubble")[0]


def test_an_answer_leaves_with_what_it_answers_and_shows_it(press, ana, chat, original, gateway, no_workers):
    Part.objects.create(message=original, index=1, kind="text", text="Or the red one?")
    answer = press(ana, "reply", chat, text="The red one is", reply_to=original.pk, reply_part=1)
    tasks.send_chat(chat.pk)

    html = answer.content.decode()
    assert f'href="/messages/{original.pk}/" data-jump="{original.pk}"' in html
    assert "Or the red one?" in html
    assert gateway.calls[0][1].reply_to == {"message_id": "theirs-1", "part_index": 1}


def test_the_quote_leads_to_the_original_in_its_place(client_of, ana, chat, original):
    answer = client_of(ana).get(reverse("message", args=[original.pk]))
    assert answer["Location"] == f"/inbox/all/{chat.pk}/?message={original.pk}"


def test_what_waits_itself_can_be_answered_and_both_leave_in_order(ana, chat, original, gateway, no_workers):
    first = chat.send(by=ana, text="We have three")
    chat.send(by=ana, content=Content(parts_of("Blue ones, that is"), original=first))
    tasks.send_chat(chat.pk)

    first.refresh_from_db()
    assert [call[1].reply_to for call in gateway.calls] == [
        None,
        {"message_id": first.external_id, "part_index": 0},
    ]


def test_where_the_original_never_left_the_answer_still_does(ana, chat, original, gateway, no_workers):
    first = chat.send(by=ana, text="We have three")
    second = chat.send(by=ana, content=Content(parts_of("Blue ones, that is"), original=first))
    gateway.failures.append(PermanentFailure("no", code=4001))
    tasks.send_chat(chat.pk)

    second.refresh_from_db()
    assert second.state == "accepted"
    assert gateway.calls[1][1].reply_to is None


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"reply_to": "abc"}, "The message that this answers is not in this conversation."),
        ({"reply_to": "01a20000-0000-7000-8000-000000000000"}, "is not in this conversation."),
        ({"reply_part": "1"}, "The message that this answers has no such part."),
        ({"reply_part": "-1"}, "The message that this answers has no such part."),
        ({"reply_part": "abc"}, "The message that this answers has no such part."),
        ({"reply_part": "9" * 5000}, "The message that this answers has no such part."),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(press, ana, chat, original, data, sentence):
    chat.keep_draft("The red one", by=ana)
    with nothing_changes():
        answer = press(ana, "reply", chat, **({"text": "It is", "reply_to": original.pk} | data))

    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)


def test_what_was_deleted_failed_or_is_elsewhere_is_not_answered(
    press, ana, chat, original, shop, make_chat, make_message, no_workers
):
    elsewhere = make_message(make_chat(shop, DORA), "For Dora only")
    failed = make_message(chat, "Three left", author=ana)
    failed.fail(4001, "not delivered")
    original.delete_here(by=ana)
    for message, sentence in [
        (elsewhere, "is not in this conversation."),
        (failed, "The message that this answers never left."),
        (original, "The message that this answers was deleted."),
    ]:
        with nothing_changes():
            answer = press(ana, "reply", chat, text="It is", reply_to=message.pk)
        assert (answer.status_code, sentence in answer.content.decode()) == (422, True)


def test_either_may_be_told_first(client_of, ana, chat, environment, arrive):
    arrive(received("b", "As I said", answers="a", at=20))
    answer = Message.objects.get(external_id="b")
    assert "An earlier message that has not arrived here" in quote_of(client_of(ana), answer)

    arrive(received("a", "First things first", at=10), received("c", "Again", answers="a", at=30))
    answer.refresh_from_db()
    assert answer.original.external_id == "a"
    assert Message.objects.get(external_id="c").original == answer.original
    assert "First things first" in quote_of(client_of(ana), answer)
    assert environment.events.get(type="inbox.original_found").message_id == answer.pk


def test_a_quick_answer_to_what_we_have_just_sent_finds_it(ana, chat, arrive, gateway, no_workers):
    sent = chat.send(by=ana, text="Three left")
    sending = Message.claim_next(chat.pk)
    gateway.send = lambda self, message: arrive(received("b", answers="ours-1")) or gateways_accept()
    sending.leave()

    assert Message.objects.get(external_id="b").original == sent


def gateways_accept():
    from lines.gateways import Accepted

    return Accepted(chat_id=CHAT, message_id="ours-1")


def test_a_quick_answer_finds_what_the_webhook_names_by_its_key(ana, chat, arrive, no_workers):
    sent = chat.send(by=ana, text="Three left")
    arrive(received("b", answers="ours-1", at=20))
    ours = told.message(
        "message.sent", "ours-1", CHAT, at=10, parts=[told.text("x")], idempotency_key=sent.idempotency_key
    )
    arrive(ours)

    assert Message.objects.get(external_id="b").original == sent


def test_what_answers_the_twin_answers_the_message(ana, chat, arrive, gateway, no_workers):
    """The webhook of our message came without its key, and before the carrier's answer."""
    sent = chat.send(by=ana, text="Three left")
    arrive(
        told.message("message.sent", "ours-1", CHAT, at=10, parts=[told.text("Three left")]),
        received("b", answers="ours-1", at=20),
        told.edited("ours-1", CHAT, at=30, value="Four left"),
    )
    sending = Message.claim_next(chat.pk)
    sending.accept(gateways_accept())

    assert Message.objects.get(external_id="b").original == sent
    assert [edit.text for edit in sent.edits.oldest_first()] == ["Three left", "Four left"]


def test_what_is_not_known_is_asked_for_once_and_shown(
    client_of, ana, chat, environment, arrive, monkeypatch
):
    asked, woken = [], []
    monkeypatch.setattr(apply, "wake", lambda task, *args, countdown: woken.append((task, *args)))
    arrive(received("b", answers="a", at=20))
    assert woken == [(webhook_tasks.fetch_quoted, str(environment.pk), "a")]

    def learn(environment, message_id):
        asked.append(message_id)
        arrive(received(message_id, "Long ago", at=1))

    monkeypatch.setattr(apply, "fetch_message", learn)
    for _ in range(2):
        webhook_tasks.fetch_quoted(str(environment.pk), "a")

    assert asked == ["a"]
    assert "Long ago" in quote_of(client_of(ana), Message.objects.get(external_id="b"))


def test_what_the_carrier_does_not_know_either_is_an_empty_quote(
    client_of, ana, chat, environment, arrive, gateway, monkeypatch
):
    monkeypatch.setattr(gateway, "fetch_message", lambda self, message_id: None, raising=False)
    arrive(received("b", answers="a"))
    webhook_tasks.fetch_quoted(str(environment.pk), "a")

    assert "has not arrived here" in quote_of(client_of(ana), Message.objects.get(external_id="b"))


def test_nothing_of_another_conversation_is_quoted(
    client_of, ana, chat, workshop, make_chat, make_message, arrive
):
    secret = make_message(make_chat(workshop, DORA), "The price is a secret", external_id="secret")
    arrive(received("b", answers="secret"))
    answer = Message.objects.get(external_id="b")

    assert answer.original is None
    html = quote_of(client_of(ana), answer)
    assert "has not arrived here" in html
    assert str(secret.pk) not in html


def test_a_deleted_original_is_quoted_as_such(client_of, ana, chat, original, arrive):
    arrive(received("b", answers="theirs-1"))
    original.delete_here(by=ana)
    original.purge()

    quote = quote_of(client_of(ana), Message.objects.get(external_id="b"))
    assert "A deleted message" in quote
    assert "blue" not in quote


def texts(html):
    return [piece.partition("</span>")[0] for piece in html.split('class="message__text">')[1:]]


def test_the_thread_is_all_of_it_however_deep_and_nothing_else(
    client_of, ana, chat, arrive, django_assert_max_num_queries
):
    arrive(received("a", "a"), received("z", "z", at=11))
    names = "abcdefg"
    for number, (before, name) in enumerate(pairwise(names)):
        arrive(received(name, name, answers=before, at=12 + number))
    arrive(received("h", "h", answers="a", at=40))

    for name in ("a", "c", "g", "h"):
        message = Message.objects.get(external_id=name)
        with django_assert_max_num_queries(60):
            answer = client_of(ana).get(reverse("messages", args=[chat.pk]), {"thread": message.pk})
        assert texts(answer.content.decode()) == [*names, "h"], name


def test_messages_that_answer_each_other_in_a_circle_do_no_harm(client_of, ana, chat, arrive):
    arrive(
        received("a", "a", answers="b"),
        received("b", "b", answers="a", at=20),
        received("c", answers="c", at=30),
    )
    for name in "abc":
        message = Message.objects.get(external_id=name)
        answer = client_of(ana).get(reverse("messages", args=[chat.pk]), {"thread": message.pk})
        assert f"message-{message.pk}" in answer.content.decode()


@pytest.mark.parametrize("place", ["before", "after", "around", "thread"])
@pytest.mark.parametrize("which", ["abc", "\0", "9" * 5000, "01a20000-0000-7000-8000-000000000000", ""])
def test_a_place_that_there_is_not_is_not_found(client_of, ana, chat, place, which):
    assert client_of(ana).get(reverse("messages", args=[chat.pk]), {place: which}).status_code == 404


def test_a_message_of_another_chat_is_no_place_here(client_of, ana, chat, shop, make_chat, make_message):
    other = make_message(make_chat(shop, DORA))
    assert client_of(ana).get(reverse("messages", args=[chat.pk]), {"thread": other.pk}).status_code == 404
