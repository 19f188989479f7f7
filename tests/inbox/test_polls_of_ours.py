"""Polls that we ask: out by the queue, back from the carrier as one, voted in, and with more options."""

import pytest

from inbox.models import Errand, Message, PollVote, Refused
from inbox.models.content import Content
from inbox.models.options import poll_of
from lines.models import Handset, OptOut, SandboxFaults, SandboxMessage
from lines.sandbox import customers

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(noras, ana):
    def ask(*texts, chat=noras, **options):
        return chat.send(by=ana, content=Content([{"poll": poll_of(texts)}], **options))

    return ask


@pytest.fixture
def poll(ask, road):
    """A poll of ours that both sides know."""
    message = ask("Monday", "Tuesday")
    road()
    return Message.objects.select_related("chat__line__environment", "environment").get(pk=message.pk)


def options_of(message):
    return message.parts.get().extra["options"]


def id_of(message, text):
    return next(option["option_id"] for option in options_of(message) if option["text"] == text)


def voters(message, text):
    votes = PollVote.objects.filter(message=message, option_id=id_of(message, text))
    return [vote.handle and vote.handle.value for vote in votes if vote.is_live]


def test_it_leaves_like_any_message_and_comes_back_as_one(ask, road, noras, ana, environment):
    message = ask("Monday", "Tuesday")
    assert road() == ["poll.sent", "poll.delivered"]

    ours = noras.messages.get(direction="outbound")
    assert (ours.pk, ours.author, ours.state) == (message.pk, ana, "delivered")
    at_carrier = SandboxMessage.objects.get(handset=None)
    assert [option["external_id"] for option in options_of(ours)] == [
        option["option_id"] for option in at_carrier.poll["options"]
    ]
    told = environment.events.get(type="poll.sent").data
    assert told["message_id"] == str(message.pk)
    assert [option["option_id"] for option in told["poll"]["options"]] == [
        option["option_id"] for option in options_of(ours)
    ]
    assert not environment.events.filter(type="message.sent", message_id=message.pk).exists()


def test_the_webhook_may_be_faster_than_the_answer(ask, road, noras, environment):
    """The carrier takes the poll, and its answer is lost."""
    SandboxFaults.objects.create(environment=environment, lose_answers=1)
    message = ask("Monday", "Tuesday")
    other = ask("Yes", "No")
    Message.objects.filter(pk=message.pk).update(next_try_at=None)
    road()
    assert Message.objects.get(pk=message.pk).external_id
    assert noras.messages.filter(direction="outbound").count() == 2
    Message.objects.update(next_try_at=None, claimed_at=None)
    road()
    assert {m.pk for m in noras.messages.filter(direction="outbound")} == {message.pk, other.pk}
    assert all(option["external_id"] for option in options_of(message))
    assert SandboxMessage.objects.filter(handset=None).count() == 2


def test_they_vote_and_we_vote_and_take_it_back(poll, road, nora, ana, environment):
    at_carrier = SandboxMessage.objects.get(handset=None)
    customers.vote(nora, at_carrier, at_carrier.poll["options"][1]["option_id"])
    poll.vote(id_of(poll, "Monday"), by=ana)
    poll.vote(id_of(poll, "Monday"), by=ana)
    assert sorted(road()) == ["poll.vote.added", "poll.vote.added"]
    assert (voters(poll, "Monday"), voters(poll, "Tuesday")) == ([None], [nora.handle])
    told = environment.events.filter(type="poll.vote.added")
    assert {event.data["option_id"] for event in told} == {one["option_id"] for one in options_of(poll)}

    poll.vote(id_of(poll, "Monday"), by=ana, is_removed=True)
    assert road() == ["poll.vote.removed"]
    assert voters(poll, "Monday") == []
    at_carrier.refresh_from_db()
    assert [len(option["voters"]) for option in at_carrier.poll["options"]] == [0, 1]


def test_options_are_added_by_both(poll, road, nora, ana, environment):
    poll.add_options(["Wednesday"], by=ana)
    customers.add_option(nora, SandboxMessage.objects.get(handset=None), "Thursday")
    road()
    assert [option["text"] for option in options_of(poll)] == ["Monday", "Tuesday", "Wednesday", "Thursday"]
    # Our option in the carrier's words is still ours.
    wednesday = options_of(poll)[2]
    assert wednesday["external_id"] not in ("", wednesday["option_id"])
    poll.vote(wednesday["option_id"], by=ana)
    poll.vote(id_of(poll, "Thursday"), by=ana)
    road()
    at_carrier = SandboxMessage.objects.get(handset=None)
    voted = {option["text"] for option in at_carrier.poll["options"] if option["voters"]}
    assert voted == {"Wednesday", "Thursday"}
    told = [event.data["added_options"][0] for event in environment.events.filter(type="poll.updated")]
    assert {option["text"]: option["option_id"] for option in told} == {
        text: id_of(poll, text) for text in ("Wednesday", "Thursday")
    }


def test_we_vote_in_theirs(noras, nora, road, ana):
    from lines.sandbox import carrier

    customers.poll(nora, carrier.chat_with(nora, noras.line.phone_number), ["Red", "Blue"])
    road()
    poll = noras.messages.latest("at")
    poll.vote(id_of(poll, "Blue"), by=ana)
    poll.add_options(["Green"], by=ana)
    assert sorted(road()) == ["poll.updated", "poll.vote.added"]
    assert voters(poll, "Blue") == [None]
    assert [option["text"] for option in options_of(poll)] == ["Red", "Blue", "Green"]


def test_what_the_carrier_refuses_is_taken_back(poll, road, ana, environment):
    SandboxFaults.objects.create(environment=environment, refuse_actions=2)
    poll.add_options(["Wednesday"], by=ana)
    poll.vote(id_of(poll, "Monday"), by=ana)
    assert road() == []
    assert [option["text"] for option in options_of(poll)] == ["Monday", "Tuesday"]
    assert voters(poll, "Monday") == []
    failed = environment.events.filter(type="inbox.errand_failed").order_by("pk")
    assert [event.data["kind"] for event in failed] == ["add_options", "vote"]


def test_a_poll_that_cannot_arrive_fails_as_one(ask, road, nora, environment):
    Handset.objects.filter(pk=nora.pk).update(kind="unreachable")
    message = ask("Monday", "Tuesday")
    assert road() == ["poll.failed"]
    assert Message.objects.get(pk=message.pk).state == "failed"
    told = environment.events.get(type="poll.failed").data
    assert (told["message_id"], told["error"]["code"]) == (str(message.pk), 4001)
    assert [o["option_id"] for o in told["poll"]["options"]] == [o["option_id"] for o in options_of(message)]


def test_what_the_guard_stops_says_so_of_the_poll(ask, road, noras, nora, environment):
    message = ask("Monday", "Tuesday")
    OptOut.objects.create(environment=environment, handle=nora.handle, since=message.at, keyword="STOP")
    road()
    assert environment.events.get(type="poll.failed").data["error"]["code"] == 2024


@pytest.mark.parametrize(
    ("texts", "number"),
    [
        (["Monday"], 1005),
        (["Monday", " "], 1005),
        (["Monday", "x" * 101], 1005),
        ([str(number) for number in range(13)], 1005),
    ],
)
def test_a_poll_has_two_options_or_more(ask, texts, number):
    with pytest.raises(Refused) as refused:
        ask(*texts)
    assert refused.value.number == number


def test_a_poll_goes_alone_on_imessage_and_not_first(ask, noras, ana, make_chat, shop):
    poll = {"poll": poll_of(["Yes", "No"])}
    for parts, options, number in (
        ([poll, {"text": "Well?"}], {}, 1004),
        ([poll], {"effect": {"name": "confetti"}}, 1004),
        ([poll], {"preferred_service": "SMS"}, 2017),
    ):
        with pytest.raises(Refused) as refused:
            noras.send(by=ana, content=Content(parts, **options))
        assert refused.value.number == number
    for chat, number in (
        (make_chat(shop, "+14155550190", external_id="x", service="RCS"), 2017),
        (make_chat(shop, "+14155550191"), 1005),
    ):
        if number == 2017:
            chat.messages.create(
                environment=chat.environment, line=shop, direction="inbound", at=noras.created_at
            )
        with pytest.raises(Refused) as refused:
            ask("Yes", "No", chat=chat)
        assert refused.value.number == number


def test_votes_and_options_have_their_rules(poll, ana):
    with pytest.raises(Refused, match="no such option"):
        poll.vote("nonsense", by=ana)
    for texts in ([], [""], ["x" * 101], [str(number) for number in range(11)]):
        with pytest.raises(Refused) as refused:
            poll.add_options(texts, by=ana)
        assert refused.value.number == 1005
    assert not Errand.objects.filter(kind__in=["vote", "add_options"]).exists()
    text = poll.chat.messages.earliest("at")
    with pytest.raises(Refused) as refused:
        text.vote(id_of(poll, "Monday"), by=ana)
    assert refused.value.number == 2002
