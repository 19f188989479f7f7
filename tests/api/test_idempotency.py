"""The seed's section on idempotency: the same key again answers as the first time, and sends nothing."""

import threading

import pytest
from django.db import connection

from inbox.models import Chat, Message
from tests.api.conftest import refused
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


def text(value, key="order-17"):
    return {"parts": [{"type": "text", "value": value}], "idempotency_key": key}


@pytest.fixture
def chat(shop, make_chat):
    return make_chat(shop, CARL, external_id="chat-1")


def test_the_second_call_returns_the_first_result(program, chat, no_workers):
    first = program.chats.messages.send(str(chat.pk), message=text("Hi"))
    second = program.chats.messages.send(str(chat.pk), message=text("Hi"))
    assert first == second
    assert Message.objects.count() == 1


def test_also_for_a_new_chat(program, shop, no_workers):
    call = {"from_": shop.phone_number, "to": [CARL], "message": text("Hi")}
    assert program.chats.create(**call) == program.chats.create(**call)
    assert (Chat.objects.count(), Message.objects.count()) == (1, 1)


def test_also_where_the_line_is_chosen_and_by_the_header(program, shop, no_workers):
    message = {"parts": [{"type": "text", "value": "Hi"}]}
    first = program.messages.create(to=[CARL], message=message, idempotency_key="order-17")
    second = program.messages.create(to=[CARL], message=message, idempotency_key="order-17")
    assert first == second
    assert first.created_new_chat
    third = program.messages.create(to=[CARL], message=text("Hi", "other"), idempotency_key="order-17")
    assert third.message.id != first.message.id
    assert not third.created_new_chat


def test_the_same_key_for_something_else_is_refused(program, chat, shop, make_chat, no_workers):
    program.chats.messages.send(str(chat.pk), message=text("Hi"))
    with refused(409, 2015):
        program.chats.messages.send(str(chat.pk), message=text("Bye"))
    with refused(409, 2015):
        program.chats.messages.send(str(make_chat(shop, DORA).pk), message=text("Hi"))
    assert Message.objects.count() == 1


def test_the_key_of_a_deleted_message_is_used_up(program, chat, no_workers):
    sent = program.chats.messages.send(str(chat.pk), message=text("Hi"))
    program.messages.delete(sent.message.id)
    with refused(404, 2002):
        program.chats.messages.send(str(chat.pk), message=text("Hi"))
    assert Message.objects.count() == 1


def test_a_key_beside_the_message_is_refused_so_that_nobody_believes_in_it(program, chat):
    with refused(400, 1003):
        program.chats.messages.send(
            str(chat.pk),
            message={"parts": [{"type": "text", "value": "Hi"}]},
            extra_body={"idempotency_key": "order-17"},
        )


def test_another_environment_has_keys_of_its_own(program, chat, strangers, olga, make_chat, no_workers):
    from lines.models import Line

    elsewhere = olga.memberships.get().environment
    other = make_chat(Line.objects.create(environment=elsewhere, phone_number="+12025550190"), CARL)
    program.chats.messages.send(str(chat.pk), message=text("Hi"))
    strangers["another environment"].chats.messages.send(str(other.pk), message=text("Hi"))
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_repeats_at_the_same_time_send_once(program, shop, no_workers):
    answers = []

    def call():
        try:
            made = program.chats.create(from_=shop.phone_number, to=[CARL, DORA], message=text("Hi"))
            answers.append((made.chat.id, made.chat.message.id))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert (Chat.objects.count(), Message.objects.count()) == (1, 1)
