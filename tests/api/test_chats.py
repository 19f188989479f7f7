"""POST, GET /v3/chats and GET /v3/chats/{id}."""

from uuid import uuid4

import pytest

from inbox.models import Chat, Message, Participant
from tests.api.conftest import refused
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


@pytest.fixture
def begin(program, shop):
    def begin(*to, text="Hello from Fairwheel", **message):
        parts = message.pop("parts", [{"type": "text", "value": text}])
        options = message.pop("options", {})
        return program.chats.create(
            from_=shop.phone_number, to=list(to), message={"parts": parts} | message, **options
        ).chat

    return begin


def test_beginning_a_chat_sends_its_first_message(begin, shop, no_workers):
    made = begin(CARL)
    chat = Chat.objects.get(pk=made.id)
    message = chat.messages.get()
    assert (chat.line, [handle.value for handle in chat.others]) == (shop, [CARL])
    assert message.text == "Hello from Fairwheel"
    assert message.author.name == "CRM"
    assert made.message.id == str(message.pk)
    assert made.message.delivery_status == "pending"
    assert made.display_name == CARL
    assert [handle.handle for handle in made.handles] == [shop.phone_number, CARL]


def test_the_same_people_are_written_to_in_the_same_chat(begin, no_workers):
    first, second = begin(CARL, DORA), begin(DORA, CARL)
    assert first.id == second.id
    assert first.is_group
    assert Message.objects.count() == 2


def test_a_group_with_a_name_or_other_members_is_not_found_by_its_people(begin, no_workers):
    first = begin(CARL, DORA)
    Chat.objects.filter(pk=first.id).update(display_name="Riders")
    second = begin(CARL, DORA)
    assert second.id != first.id
    Participant.objects.filter(chat=second.id, handle__value=DORA).update(left_at="2026-11-01T00:00Z")
    assert begin(CARL, DORA).id not in (first.id, second.id)


@pytest.mark.parametrize(
    "message",
    [
        {"parts": [{"type": "link", "value": "https://fairwheel.example"}]},
        {"text": "Look at https://fairwheel.example"},
        {"effect": {"type": "screen", "name": "confetti"}},
    ],
)
def test_a_first_message_has_no_link_and_no_effect(begin, message):
    with refused(400, 1005):
        begin(CARL, **message)
    assert not Chat.objects.exists()


def test_a_line_of_somebody_else_is_not_sent_from(program, client_with, key_of, shop, workshop):
    message = {"parts": [{"type": "text", "value": "Hi"}]}
    with refused(403, 2006):
        program.chats.create(from_="+12025559999", to=[CARL], message=message)
    with refused(403, 2006):
        other = client_with(key_of(shop.environment, line=workshop))
        other.chats.create(from_=shop.phone_number, to=[CARL], message=message)


@pytest.mark.parametrize(("to", "code"), [(["0171"], 1002), ([], 1002), (["+1 415 555 0123"], 1002)])
def test_a_number_that_is_none_is_refused(begin, to, code):
    with refused(400, code):
        begin(*to)
    assert not Chat.objects.exists()


def test_a_line_does_not_write_to_itself(begin, shop):
    with refused(400, 1002):
        begin(shop.phone_number)


def test_chats_come_page_by_page_the_newest_first(program, shop, make_chat, make_message):
    chats = [make_chat(shop, f"+1415555{number:04}") for number in range(5)]
    for number, chat in enumerate(chats):
        make_message(chat, ago=number * 60)
        Chat.objects.filter(pk=chat.pk).update(status=Chat.Status.values[number % 3])
    pages = program.chats.list_chats(limit=2)
    assert [chat.id for chat in pages] == [str(chat.pk) for chat in chats]
    first = program.chats.list_chats(limit=2)
    assert len(first.chats) == 2
    assert first.next_cursor


def test_chats_are_found_by_line_and_person(program, shop, workshop, make_chat):
    with_carl, with_dora = make_chat(shop, CARL), make_chat(workshop, DORA)
    assert [chat.id for chat in program.chats.list_chats(to=CARL)] == [str(with_carl.pk)]
    assert [c.id for c in program.chats.list_chats(from_=workshop.phone_number)] == [str(with_dora.pk)]
    assert not list(program.chats.list_chats(from_="+12025559999"))


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 101}, {"cursor": "20"}, {"cursor": "e30"}])
def test_a_wrong_page_is_refused(program, wrong):
    with refused(400, 1005):
        program.chats.list_chats(**wrong)


def test_one_chat(program, shop, make_chat):
    chat = make_chat(shop, CARL, DORA)
    told = program.chats.retrieve(str(chat.pk))
    assert told.is_group
    assert {handle.handle for handle in told.handles} == {shop.phone_number, CARL, DORA}
    with refused(404, 2001):
        program.chats.retrieve(str(uuid4()))


def test_a_stranger_finds_no_chat(strangers, shop, make_chat):
    chat = make_chat(shop, CARL)
    for stranger in strangers.values():
        assert not list(stranger.chats.list_chats())
        with refused(404, 2001):
            stranger.chats.retrieve(str(chat.pk))


def test_a_reader_begins_nothing(reader, shop):
    with refused(403, 2005):
        reader.chats.create(
            from_=shop.phone_number, to=[CARL], message={"parts": [{"type": "text", "value": "Hi"}]}
        )
    assert not Chat.objects.exists()


def test_a_page_of_chats_costs_the_same_for_many(
    program, shop, make_chat, make_message, django_assert_max_num_queries
):
    for number in range(12):
        make_message(make_chat(shop, f"+1415555{number:04}", DORA))
    with django_assert_max_num_queries(9):
        assert len(program.chats.list_chats(limit=12).chats) == 12
