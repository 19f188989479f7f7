"""The block list of programs, and what it keeps away."""

import pytest

from inbox.models import Chat, Message
from lines import gateways
from lines.gateways import TemporaryFailure
from lines.models import BlockedHandle, Event, SandboxBlock, SandboxWebhook
from lines.sandbox import carrier as sandbox
from lines.sandbox import customers, typing
from tests.api.conftest import refused
from tests.conftest import CARL

pytestmark = pytest.mark.django_db


def test_the_list_has_the_newest_first(program, environment, max):
    for handle, kept in (
        ("+14155550123", "+14155550123"),
        ("Carl@Example.com", "carl@example.com"),
        ("262966", "262966"),
        ("ACME Corp", "ACME Corp"),
    ):
        entry = program.blocked_handles.block(handle=handle, reason="Spam").blocked_handle
        assert (entry.handle, entry.reason) == (kept, "Spam")
    listed = program.blocked_handles.list().blocked_handles
    assert [one.handle for one in listed] == ["ACME Corp", "262966", "carl@example.com", "+14155550123"]

    program.blocked_handles.unblock(handle="CARL@example.com")
    assert len(program.blocked_handles.list().blocked_handles) == 3
    assert {block.handle for block in SandboxBlock.objects.all()} == {"ACME Corp", "262966", "+14155550123"}
    told = Event.objects.filter(type__startswith="inbox.handle_").order_by("pk")
    types = [event.type for event in told]
    assert types == ["inbox.handle_blocked"] * 4 + ["inbox.handle_unblocked"]
    assert str(BlockedHandle.objects.first().blocked_by) == "CRM"


def test_blocking_again_changes_nothing(program, environment):
    first = program.blocked_handles.block(handle=CARL).blocked_handle
    again = program.blocked_handles.block(handle=CARL, reason="Now I know why").blocked_handle
    assert (again.blocked_at, again.reason) == (first.blocked_at, None)
    assert BlockedHandle.objects.count() == Event.objects.filter(type="inbox.handle_blocked").count() == 1
    for _ in range(2):
        program.blocked_handles.unblock(handle=CARL)


@pytest.mark.parametrize("handle", ["", "12", "+0123", "carl@", "a name that is too long", "+1 415 555 0123"])
def test_what_can_be_no_handle_is_refused(program, handle):
    for verb in (program.blocked_handles.block, program.blocked_handles.unblock):
        with refused(400, 1002):
            verb(handle=handle)


def test_what_the_carrier_does_not_take_is_not_so(program, environment, monkeypatch):
    class Away:
        def __init__(self, environment):
            pass

        def block(self, handle):
            raise TemporaryFailure("The carrier did not answer", code=3005)

        unblock = block

    block = BlockedHandle.block(environment, CARL, by=None)
    monkeypatch.setattr(gateways, "for_environment", Away)
    with refused(504, 3005):
        program.blocked_handles.block(handle="262966")
    with refused(504, 3005):
        program.blocked_handles.unblock(handle=CARL)
    assert list(BlockedHandle.objects.all()) == [block]


def test_it_is_for_keys_of_a_whole_environment(program, strangers, reader, client_with, key_of, environment):
    program.blocked_handles.block(handle=CARL)
    assert strangers["another environment"].blocked_handles.list().blocked_handles == []
    strangers["another environment"].blocked_handles.unblock(handle=CARL)
    line = strangers["another line"].blocked_handles
    for verb in (line.list, lambda: line.block(handle=CARL), lambda: line.unblock(handle=CARL)):
        with refused(403, 2005):
            verb()
    assert len(reader.blocked_handles.list().blocked_handles) == 1
    sender = client_with(key_of(environment, scopes=["read", "send"])).blocked_handles
    for verb in (sender.block, sender.unblock):
        with refused(403, 2005):
            verb(handle=CARL)
    assert BlockedHandle.objects.count() == 1


def test_the_carrier_tells_nothing_of_who_is_blocked(program, noras, nora, road, phones):
    chat = sandbox.chat_with(nora, noras.line.phone_number)
    program.blocked_handles.block(handle=nora.handle)
    message = sandbox.text(nora, chat, "Are you there?")
    customers.react(nora, message, "like")
    typing.start(nora, chat)
    assert not SandboxWebhook.objects.filter(delivered_at=None).exists()

    (other,) = phones("iphone")
    customers.start_group(nora, noras.line.phone_number, [other], "Hello all")
    assert road() == ["chat.created", "message.received"]

    program.blocked_handles.unblock(handle=nora.handle)
    sandbox.text(nora, chat, "Now?")
    assert road() == ["message.received"]
    assert [m.text for m in noras.messages.order_by("at")] == ["Just left it with Ben", "Now?"]


def test_what_a_carrier_tells_nevertheless_is_dropped(environment, noras, nora, road, phones):
    """As one does that has not heard of it yet."""
    environment.blocked_handles.create(handle=nora.handle)
    chat = sandbox.chat_with(nora, noras.line.phone_number)
    before = Event.objects.count(), Message.objects.count()
    message = sandbox.text(nora, chat, "Are you there?")
    customers.poll(nora, chat, ["Yes", "No"])
    customers.react(nora, chat.messages.earliest("created_at"), "like")
    typing.start(nora, chat)
    customers.share_location(nora, chat)
    customers.share_card(nora, chat)
    assert "message.received" in road()
    assert (Event.objects.count(), Message.objects.count()) == before
    assert message.chat.messages.count() == 3

    (other,) = phones("iphone")
    group = customers.start_group(nora, noras.line.phone_number, [other], "Hello all")
    customers.react(nora, group, "love")
    road()
    assert Chat.objects.get(is_group=True).messages.get().reactions.get().type == "love"
