"""Polls of programs."""

import pytest

from inbox.models import Chat, Message
from lines.models import OptOut, SandboxMessage
from lines.sandbox import customers
from tests.api.conftest import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(program, noras):
    def ask(*texts, by=program, chat=noras, **more):
        options = [{"text": text} for text in texts]
        return by.chats.polls.create(str(chat.pk), poll={"options": options} | more)

    return ask


def test_a_poll_is_asked_voted_in_and_grows(program, ask, road, nora, shop, environment):
    asked = ask("Monday", " Tuesday ")
    message = Message.objects.get(pk=asked.message_id)
    assert (str(message.author), message.state) == ("CRM", "queued")
    assert [option.text for option in asked.poll.options] == ["Monday", "Tuesday"]
    assert asked.poll.options[0].creator_handle.handle == shop.phone_number
    assert (asked.poll.total_voters, asked.reactions) == (0, [])
    with refused(409, 2009):
        program.messages.poll.vote(
            asked.message_id, operation="add", option_id=asked.poll.options[0].option_id
        )
    road()

    monday, tuesday = (option.option_id for option in asked.poll.options)
    voted = program.messages.poll.vote(asked.message_id, operation="add", option_id=monday)
    assert [voter.handle for voter in voted.poll.options[0].voters] == [shop.phone_number]
    at_carrier = SandboxMessage.objects.get(handset=None)
    for option in at_carrier.poll["options"]:
        customers.vote(nora, at_carrier, option["option_id"])
    grown = program.messages.poll.add_options(asked.message_id, options=[{"text": "Wednesday"}])
    assert [option.text for option in grown.poll.options] == ["Monday", "Tuesday", "Wednesday"]
    customers.react(nora, at_carrier, "love")
    road()

    stands = program.messages.poll.retrieve(asked.message_id)
    assert (stands.chat_id, stands.message_id) == (asked.chat_id, asked.message_id)
    assert [len(option.voters) for option in stands.poll.options] == [2, 1, 0]
    assert [option.option_id for option in stands.poll.options][:2] == [monday, tuesday]
    assert stands.poll.total_voters == 2
    assert [reaction.type for reaction in stands.reactions] == ["love"]
    assert stands.updated_at > stands.created_at

    assert program.messages.retrieve(asked.message_id).parts == []

    taken = program.messages.poll.vote(asked.message_id, operation="remove", option_id=monday)
    assert [voter.handle for voter in taken.poll.options[0].voters] == [nora.handle]


def test_the_same_key_asks_once(ask, noras):
    first = ask("Monday", "Tuesday", idempotency_key="poll-1")
    again = ask("Monday", "Tuesday", idempotency_key="poll-1")
    assert first.message_id == again.message_id
    assert [o.option_id for o in first.poll.options] == [o.option_id for o in again.poll.options]
    with refused(409, 2015):
        ask("Yes", "No", idempotency_key="poll-1")
    assert noras.messages.filter(direction="outbound").count() == 1


@pytest.mark.parametrize("texts", [[], ["Monday"], ["Monday", ""], ["Monday", "x" * 101], ["x"] * 13])
def test_a_poll_has_two_options_or_more(ask, noras, texts):
    with refused(400, 1005):
        ask(*texts)
    assert noras.messages.count() == 1


def test_polls_are_for_imessage_and_pass_the_guard(ask, noras, environment, nora):
    OptOut.objects.create(environment=environment, handle=nora.handle, since=noras.created_at, keyword="STOP")
    with refused(403, 2024):
        ask("Yes", "No")
    OptOut.objects.all().delete()
    Chat.objects.update(service="RCS")
    with refused(409, 2017):
        ask("Yes", "No")
    Chat.objects.update(line_left_at=noras.created_at)
    with refused(409, 2013):
        ask("Yes", "No")


def test_what_is_wrong_with_a_vote_or_an_option_is_said(program, ask, road, noras):
    poll = ask("Yes", "No")
    road()
    for wrong in ({"operation": "add", "option_id": "x"}, {"operation": "toggle", "option_id": "x"}):
        with refused(400, 1005):
            program.messages.poll.vote(poll.message_id, **wrong)
    for texts in ([], [""], ["x"] * 11):
        with refused(400, 1005):
            program.messages.poll.add_options(poll.message_id, options=[{"text": text} for text in texts])
    text = noras.messages.earliest("at")
    with refused(404, 2002):
        program.messages.poll.retrieve(str(text.pk))
    with refused(404, 2002):
        program.messages.poll.vote(str(text.pk), operation="add", option_id="x")


def test_a_stranger_finds_no_poll(ask, strangers, reader, road, noras):
    poll = ask("Yes", "No")
    road()
    option = poll.poll.options[0].option_id
    verbs = [
        lambda by: by.messages.poll.add_options(poll.message_id, options=[{"text": "Maybe"}]),
        lambda by: by.messages.poll.vote(poll.message_id, operation="add", option_id=option),
    ]
    for stranger in strangers.values():
        with refused(404, 2001):
            ask("Yes", "No", by=stranger)
        for verb in (*verbs, lambda by: by.messages.poll.retrieve(poll.message_id)):
            with refused(404, 2002):
                verb(stranger)
    assert reader.messages.poll.retrieve(poll.message_id).message_id == poll.message_id
    for verb in (*verbs, lambda by: ask("Yes", "No", by=by)):
        with refused(403, 2005):
            verb(reader)
