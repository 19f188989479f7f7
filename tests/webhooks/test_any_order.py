"""Invariant 2: any order, any number of times, on any number of workers: one final state."""

import random
import threading
import uuid

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inbox.models import Chat, ChatRead, Handle, Message
from lines.models import Environment, Event, Line, LineAccess, OptOut, User
from tests.conftest import CARL, DORA
from tests.webhooks import payloads as told
from tests.webhooks.conftest import chat_key, rows_of
from webhooks import apply
from webhooks.models import Receipt

pytestmark = [pytest.mark.django_db(transaction=True)]

CHAT, GROUP = str(uuid.uuid4()), str(uuid.uuid4())
TEXTS = st.sampled_from(["Hello", "STOP", "start", "When do you open?", "opt-out"])


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
        extra = {} if older else {"is_group": group}
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
        kinds = draw(
            st.sets(st.sampled_from(["message.sent", "message.delivered", "message.read"]), min_size=1)
        )
        for kind in sorted(kinds):
            decorated = (
                {"text_decorations": [{"range": [0, 2], "style": "bold"}]} if kind == "message.sent" else {}
            )
            effect = {"effect": {"type": "bubble", "name": "gentle"}} if kind == "message.sent" else {}
            parts = [told.text("Hi there", **decorated)]
            events.append(told.message(kind, message_id, CHAT, at=at, parts=parts, **effect))
        if draw(st.booleans()):
            events.append(told.failed(message_id, CHAT, at=at + 3, reason="first"))
            events.append(told.failed(message_id, CHAT, at=at + 4, reason="second"))
    return events


def keep_and_apply(environment, batches, *, workers):
    for batch in batches:
        Receipt.objects.bulk_create(rows_of(environment, batch), ignore_conflicts=True)
        run(workers)
    for _ in range(3):
        run(workers)


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
    return messages, chats, reads, sorted(outs)


def world(pk=None):
    """An environment with a line and a person. With the pk of an earlier one that one goes: ids depend on it."""
    Chat.objects.filter(environment=pk).delete()
    Handle.objects.filter(environment=pk).delete()
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
