"""Invariant 2: any order, any number of times, on any number of workers: one final state."""

import random
import threading
import uuid

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox.models import Attachment, Chat, ChatRead, Contact, Handle, LocationShare, Message, Reaction
from inbox.models.reaction import shown
from lines.models import Environment, Event, Line, LineAccess, OptOut, User
from tests.conftest import CARL, DORA
from tests.webhooks import payloads as told
from tests.webhooks.conftest import chat_key, rows_of
from webhooks import apply
from webhooks.models import Receipt

pytestmark = [pytest.mark.django_db(transaction=True)]

CHAT, GROUP = str(uuid.uuid4()), str(uuid.uuid4())
EVE = "+14155550177"
TEXTS = st.sampled_from(["Hello", "STOP", "start", "When do you open?", "opt-out"])
SERVICES = st.sampled_from(["iMessage", "RCS", "SMS"])
# Few, so that much happens in the same moment.
TIMES = st.integers(1, 60)
TAPBACKS = st.sampled_from(
    [("like", None), ("love", None), ("question", None), ("custom", "🚀"), ("custom", "🙌")]
)


@st.composite
def stories(draw):
    """What happened in one chat with carl and one group: a list of events, each of which was sent at least once."""
    events = [told.chat_created(CHAT, CARL), told.chat_created(GROUP, CARL, DORA, display_name="Crew")]
    for number in range(draw(st.integers(1, 5))):
        at = draw(st.integers(1, 500))
        message_id = f"in-{number}"
        group = draw(st.booleans())
        parts = [told.text(draw(TEXTS))]
        older = draw(st.booleans()) and not group
        make = told.older_message if older else told.message
        extra = {"service": draw(SERVICES)} if not older else {}
        if not older:
            extra |= {"is_group": group} | draw(replies(number))
        events.append(
            make(
                "message.received",
                message_id,
                GROUP if group else CHAT,
                at=at,
                parts=parts,
                sender=CARL,
                **extra,
            )
        )
        for edit in range(draw(st.integers(0, 2))):
            events.append(told.edited(message_id, CHAT, at=at + 10 + edit, value=f"edit {edit}"))
    for number in range(draw(st.integers(1, 4))):
        at = draw(st.integers(1, 500))
        message_id = f"out-{number}"
        reply = draw(replies(9))
        kinds = draw(
            st.sets(st.sampled_from(["message.sent", "message.delivered", "message.read"]), min_size=1)
        )
        for kind in sorted(kinds):
            decorated = (
                {"text_decorations": [{"range": [0, 2], "style": "bold"}]} if kind == "message.sent" else {}
            )
            effect = {"effect": {"type": "bubble", "name": "gentle"}} if kind == "message.sent" else {}
            parts = [told.text("Hi there", **decorated), told.text("again")]
            events.append(told.message(kind, message_id, CHAT, at=at, parts=parts, **effect | reply))
        if draw(st.booleans()):
            events.append(told.failed(message_id, CHAT, at=at + 3, reason="first"))
            events.append(told.failed(message_id, CHAT, at=at + 4, reason="second"))
    messages = {event["data"].get("id") for event in events if event["event_type"].startswith("message.")}
    return [*events, *draw(happenings(sorted(messages - {None})))]


def replies(number):
    """A message answers one that may be told later, or is never told."""
    names = [f"in-{other}" for other in range(5) if other != number] + [f"out-{other}" for other in range(4)]
    answers = st.builds(
        lambda name: {"reply_to": {"message_id": name, "part_index": 0}}, st.sampled_from(names)
    )
    return st.just({}) | answers


@st.composite
def happenings(draw, messages):
    """What else is told of: reactions, members, names, pictures, polls, places, cards, and our number."""
    events = []
    for _ in range(draw(st.integers(0, 8)) if messages else 0):
        kind, emoji = draw(TAPBACKS)
        events.append(
            told.reaction(
                draw(st.sampled_from(messages)),
                CHAT,
                at=draw(TIMES),
                sender=draw(st.sampled_from([None, CARL, DORA])),
                kind=kind,
                emoji=emoji,
                index=draw(st.integers(0, 1)),
                removed=draw(st.booleans()),
            )
        )
    for _ in range(draw(st.integers(0, 5))):
        person = draw(st.sampled_from([CARL, DORA, EVE, told.LINE]))
        what = draw(st.sampled_from(["added", "removed"]))
        events.append(told.member(what, GROUP, person, at=draw(TIMES), is_me=person == told.LINE))
    for _ in range(draw(st.integers(0, 4))):
        what, values = draw(
            st.sampled_from(
                [
                    ("name", ["Crew", "!", None]),
                    ("icon", ["https://cdn.example/1", "https://cdn.example/2", None]),
                ]
            )
        )
        events.append(told.group_changed(what, GROUP, at=draw(TIMES), value=draw(st.sampled_from(values))))
    for _ in range(draw(st.integers(0, 2))):
        value = draw(st.sampled_from([None, {"type": "color", "variant": "ice"}, {"type": "photo"}]))
        events.append(told.background(CHAT, value, at=draw(TIMES)))
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(["Carl", "C.", ""]))
        photo = draw(st.sampled_from([None, "https://cdn.example/a", "https://cdn.example/b"]))
        events.append(told.card(CARL, name, at=draw(TIMES), photo=photo))
    for _ in range(draw(st.integers(0, 3))):
        status = draw(st.sampled_from(["ACTIVE", "FLAGGED"]))
        events.append(told.number(status, at=draw(TIMES)))
    return [*events, *draw(polls()), *draw(places())]


@st.composite
def polls(draw):
    """A poll of theirs that grows and is voted in, and one of ours."""
    if draw(st.booleans()):
        return []
    first, added = [told.option("A", by=CARL), told.option("B", by=CARL)], told.option("C", by=DORA)
    at = draw(TIMES)
    events = [told.poll("poll.received", "poll-in", GROUP, first, at=at, sender=CARL)]
    events.append(told.poll_event("poll.updated", "poll-in", GROUP, at=at + 3, added_options=[added]))
    for _ in range(draw(st.integers(0, 6))):
        events.append(
            told.poll_event(
                draw(st.sampled_from(["poll.vote.added", "poll.vote.removed"])),
                "poll-in",
                GROUP,
                at=at + draw(TIMES),
                person=draw(st.sampled_from([CARL, DORA, told.LINE])),
                option_id=draw(st.sampled_from(["option-A", "option-B", "option-C"])),
            )
        )
    later = [told.option("A", voters=[(DORA, at + 2)]), told.option("B"), added]
    told_so = draw(st.sets(st.sampled_from(["poll.sent", "poll.delivered", "poll.read"])))
    for step, kind in enumerate(sorted(told_so)):
        options = first if kind == "poll.sent" else later
        events.append(told.poll(kind, "poll-out", GROUP, options, at=at, told_at=at + 10 * step))
    if told_so:
        events.append(told.reaction("poll-out", GROUP, at=draw(TIMES), sender=DORA))
    return events


@st.composite
def places(draw):
    """Shares of a location that are told with their chat or without, and stops that say of what or do not."""
    events = []
    for _ in range(draw(st.integers(0, 3))):
        at, chat_id = draw(TIMES), draw(st.sampled_from([None, CHAT]))
        events.append(
            told.location(CARL, at=at, chat_id=chat_id, ends_at=draw(st.sampled_from([None, at + 30])))
        )
        if draw(st.booleans()):
            known = draw(st.booleans())
            stop = told.location(CARL, at=at if known else None, ended_at=at + draw(TIMES))
            events.append(stop)
    return events


def keep_and_apply(environment, batches, *, workers):
    for batch in batches:
        Receipt.objects.bulk_create(rows_of(environment, batch), ignore_conflicts=True)
        run(workers)
    for _ in range(3):
        run(workers)
    # What waited for a chat that another worker made in the same moment is found by the sweep.
    Receipt.objects.filter(state="awaiting").update(next_try_at=timezone.now())
    apply.fetch_awaited()


def run(workers):
    def work():
        try:
            apply.apply_pending()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def state_of(environment):
    """All that a person could see of it, without our random ids."""
    messages = [
        (
            message.external_id, message.at, message.direction, message.text, message.state, message.consent,
            message.sent_at, message.delivered_at, message.read_at, message.failed_at, message.error,
            message.edited_at, message.effect, message.sender and message.sender.value,
            message.original and message.original.external_id, message.service,
            [(row.part_index, row.key, row.handle and row.handle.value, row.added_at)
             for row in shown(message.reactions.all())],
            sorted((vote.option_id, str(vote.handle), vote.added_at, vote.removed_at) for vote in message.votes.all()),
            [(part.index, part.kind, part.text, str(part.extra)) for part in message.parts.all()],
            [(edit.part_index, edit.text, edit.edited_at) for edit in message.edits.all()],
        )
        for message in Message.objects.filter(environment=environment).order_by("at", "id")
    ]  # fmt: skip
    chats = [
        (
            chat.external_id, chat.display_name, chat.is_group, chat.service, chat.status, chat.inbound_count,
            chat.last_message and chat.last_message.external_id, chat.last_activity_at, chat.waiting_since,
            chat.last_inbound_at, chat.last_outbound_at, chat.created_at, chat.line.phone_number,
            chat.named_at, chat.icon and chat.icon.source_url, chat.icon_at, chat.background, chat.background_at,
            chat.line_joined_at, chat.line_left_at, chat.participants_key, chat.reacted_at, chat.asked_at,
            chat.last_reaction and (chat.last_reaction.message.external_id, chat.last_reaction.key),
            sorted((p.handle.value, p.joined_at, p.left_at) for p in chat.participants.all()),
        )
        for chat in Chat.objects.filter(environment=environment).order_by("external_id")
    ]  # fmt: skip
    reads = [
        (read.chat.external_id, read.chat.inbound_count - read.seen, read.is_unread)
        for read in ChatRead.objects.filter(chat__environment=environment).order_by("chat__external_id")
    ]
    # Only who is opted out now: that somebody was meanwhile depends on when we were told.
    outs = OptOut.objects.active().filter(environment=environment).values_list("handle", "since", "keyword")
    people = [
        (
            handle.value, handle.service, handle.service_at, handle.name,
            handle.contact and (handle.contact.card, handle.contact.photo and handle.contact.photo.source_url),
        )
        for handle in Handle.objects.filter(environment=environment).order_by("value")
    ]  # fmt: skip
    shares = LocationShare.objects.filter(chat__environment=environment).order_by("began_at")
    places = [(share.chat.external_id, share.began_at, share.ends_at, share.ended_at) for share in shares]
    lines = list(environment.lines.values_list("phone_number", "status", "reputation", "carrier_status"))
    return messages, chats, reads, sorted(outs), people, places, lines


def world(pk=None):
    """An environment with a line and a person. With the pk of an earlier one that one goes: ids depend on it."""
    Reaction.objects.filter(chat__environment=pk).delete()
    Chat.objects.filter(environment=pk).delete()
    Handle.objects.filter(environment=pk).delete()
    Contact.objects.filter(environment=pk).delete()
    Attachment.objects.filter(environment=pk).delete()
    Environment.objects.filter(pk=pk).delete()
    environment = Environment.objects.create(
        pk=pk or uuid.uuid4(), name="World", slug=f"w{uuid.uuid4().hex[:12]}"
    )
    line = Line.objects.create(environment=environment, phone_number=told.LINE)
    user = User.objects.create(email=f"{uuid.uuid4().hex}@example.com", name="Ana")
    LineAccess.objects.create(line=line, user=user)
    return environment


def outcome(environment):
    unsettled = Receipt.objects.filter(environment=environment).exclude(state="applied")
    assert not list(unsettled.values_list("event_type", "state", "error"))
    events = Event.objects.filter(environment=environment).order_by("sequence")
    assert list(events.values_list("sequence", flat=True)) == list(range(1, events.count() + 1))
    return state_of(environment)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False)
@given(story=stories(), seed=st.integers(0, 2**32), cuts=st.integers(1, 4))
def test_any_order_repeats_and_two_workers_end_in_one_state(transactional_db, story, seed, cuts):
    dice = random.Random(seed)
    straight = world()
    keep_and_apply(straight, [story], workers=1)
    expected = outcome(straight)

    events = [event for event in story for _ in range(dice.choice([1, 1, 2]))]
    dice.shuffle(events)
    batches = [events[index::cuts] for index in range(cuts)]
    shuffled = world(straight.pk)
    keep_and_apply(shuffled, batches, workers=2)

    assert outcome(shuffled) == expected


def test_two_workers_at_once_apply_each_receipt_once(transactional_db):
    environment = world()
    events = [
        told.message(
            "message.received", f"m-{n}", f"chat-{n % 5}", at=n, parts=[told.text(str(n))], sender=CARL
        )
        for n in range(300)
    ]
    assert len({chat_key(event) for event in events}) == 5
    Receipt.objects.bulk_create(rows_of(environment, events))
    for _ in range(5):
        run(3)

    assert Message.objects.filter(environment=environment).count() == 300
    assert sum(Chat.objects.filter(environment=environment).values_list("inbound_count", flat=True)) == 300
    assert Event.objects.filter(environment=environment, type="message.received").count() == 300


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False)
@given(
    story=st.lists(st.tuples(st.sampled_from(["starts", "stops", "writes"]), st.integers(1, 30)), max_size=8),
    seed=st.integers(0, 2**32),
)
def test_who_types_depends_on_no_order(transactional_db, story, seed):
    """Dots of a chat that is not known are let go, so here it is known before."""
    events = [
        told.message("message.received", f"m-{at}", CHAT, at=at, parts=[told.text("Hi")], sender=CARL)
        if what == "writes"
        else told.typing(CHAT, CARL, at=at, ended=what == "stops")
        for what, at in story
    ]
    shuffled = random.Random(seed).sample(events, len(events))
    ends = []
    for order in (events, shuffled):
        environment = world()
        keep_and_apply(environment, [[told.chat_created(CHAT, CARL)], order], workers=2)
        person = Chat.objects.get(environment=environment).participants.get()
        has_ended = person.typing_at and person.typing_ended_at and person.typing_ended_at >= person.typing_at
        ends.append((person.typing_at, has_ended and person.typing_ended_at))

    assert ends[0] == ends[1]


def test_what_was_taken_away_does_not_come_back_when_it_is_told_again(transactional_db):
    environment = world()
    bold = {"text_decorations": [{"range": [0, 2], "style": "bold"}]}
    events = [
        told.chat_created(CHAT, CARL),
        told.message("message.sent", "m-1", CHAT, at=5, parts=[told.text("Our secret")]),
        told.poll(
            "poll.received", "p-1", CHAT, [told.option("A", by=CARL, voters=[(CARL, 7)])], at=6, sender=CARL
        ),
    ]
    again = [
        told.message("message.read", "m-1", CHAT, at=5, parts=[told.text("Our secret", **bold)]),
        told.edited("m-1", CHAT, at=9, value="Our other secret"),
        told.reaction("m-1", CHAT, at=9, sender=CARL),
        told.poll_event("poll.updated", "p-1", CHAT, at=9, added_options=[told.option("B", by=CARL)]),
        told.poll_event("poll.vote.added", "p-1", CHAT, at=9, person=CARL, option_id="option-A"),
    ]
    keep_and_apply(environment, [events], workers=1)
    for message in Message.objects.filter(environment=environment):
        message.delete_here(by=User.objects.first())
        message.purge()

    Receipt.objects.update(state="pending")
    keep_and_apply(environment, [again], workers=2)

    for message in Message.objects.filter(environment=environment):
        assert message.deleted_at
        assert [(part.text, part.extra, part.attachment) for part in message.parts.all()] == [("", {}, None)]
        assert not message.edits.exists()
        assert not message.reactions.exists()
        assert not message.votes.exists()
    # When it was read is no secret.
    assert Message.objects.get(environment=environment, external_id="m-1").state == "read"
