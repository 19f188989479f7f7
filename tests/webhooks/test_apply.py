import uuid

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox.models import Attachment, Chat, ChatRead, Handle, Message, Participant
from lines.models import Event, Line, OptOut
from tests.conftest import CARL, DORA
from tests.webhooks import payloads as told
from webhooks import apply
from webhooks.models import Receipt

CHAT, GROUP = str(uuid.uuid4()), str(uuid.uuid4())
M1, M2, M3 = "m-1", "m-2", "m-3"

pytestmark = pytest.mark.django_db


def received(message_id=M1, chat=CHAT, *, at=10, value="Hello", sender=CARL, **fields):
    parts = fields.pop("parts", [told.text(value)])
    return told.message("message.received", message_id, chat, at=at, parts=parts, sender=sender, **fields)


def sent(kind="message.sent", message_id=M2, chat=CHAT, *, at=20, value="Hi", **fields):
    return told.message(kind, message_id, chat, at=at, parts=[told.text(value)], **fields)


def test_a_message_makes_its_line_chat_person_and_text(keep, environment):
    keep(received(value="Is the blue one in stock?"))

    assert apply.apply_pending() == 1

    message = Message.objects.get()
    assert message.text == "Is the blue one in stock?"
    assert message.chat.line.phone_number == told.LINE
    assert [handle.value for handle in message.chat.others] == [CARL]
    assert message.chat.last_message == message
    assert message.chat.waiting_since == message.at
    assert Receipt.objects.get().state == "applied"


def test_the_people_of_the_line_have_it_unread(keep, environment, shop, ana, ben, lea):
    keep(received(), received(M2, at=11))

    apply.apply_pending()

    reads = ChatRead.objects.filter(is_unread=True)
    assert {read.user for read in reads} == {ana, ben}
    assert all(read.chat.inbound_count - read.seen == 2 for read in reads)


def test_both_payload_versions_say_the_same(keep):
    keep(
        told.older_message("message.received", M1, CHAT, at=10, parts=[told.text("Hello")], sender=CARL),
        told.older_message("message.read", M2, CHAT, at=20, parts=[told.text("Hi")]),
    )
    apply.apply_pending()

    keep(received(), sent("message.read"))
    apply.apply_pending()

    assert Message.objects.count() == 2
    ours = Message.objects.get(external_id=M2)
    assert ours.state == "read"
    assert ours.chat.line.phone_number == told.LINE
    assert Message.objects.get(external_id=M1).sender.value == CARL


def test_states_are_the_furthest_that_is_known_in_any_order(keep):
    keep(sent("message.read"))
    apply.apply_pending()
    keep(sent("message.delivered"), sent())
    apply.apply_pending()

    message = Message.objects.get()
    assert message.state == "read"
    assert message.sent_at < message.delivered_at < message.read_at


def test_a_failure_is_shown_with_its_reason_and_a_later_delivery_wins(keep):
    keep(sent(), told.failed(M2, CHAT, at=30, reason="number cannot get texts"))
    apply.apply_pending()
    assert Message.objects.get().state == "failed"
    assert Message.objects.get().error == "number cannot get texts"

    keep(sent("message.delivered"))
    apply.apply_pending()
    assert Message.objects.get().state == "delivered"


def test_a_failure_of_an_unknown_message_waits_for_it(keep):
    keep(told.failed(M2, CHAT, at=30))
    apply.apply_pending()
    assert Receipt.objects.get().state == "awaiting"

    keep(sent())
    apply.apply_pending()
    apply.apply_pending()

    assert Message.objects.get().state == "failed"
    assert set(Receipt.objects.values_list("state", flat=True)) == {"applied"}


def test_an_edit_keeps_every_version_and_shows_the_newest(keep):
    keep(
        told.edited(M1, CHAT, at=40, value="third"),
        received(value="first"),
        told.edited(M1, CHAT, at=30, value="second"),
    )
    apply.apply_pending()
    apply.apply_pending()

    message = Message.objects.get()
    assert message.text == "third"
    assert [edit.text for edit in message.edits.all()] == ["first", "second", "third"]


def test_decorations_survive_an_event_that_does_not_carry_them(keep):
    bold = [{"range": [0, 2], "style": "bold"}]
    plain, decorated = sent("message.delivered"), sent()
    decorated["data"]["parts"] = [told.text("Hi", text_decorations=bold)]
    keep(plain)
    apply.apply_pending()
    keep(decorated)
    apply.apply_pending()

    assert Message.objects.get().parts.get().extra == {"text_decorations": bold}


def test_a_group_has_its_name_and_its_members(keep):
    keep(
        told.chat_created(GROUP, CARL, DORA, display_name="Gravel crew"),
        received(chat=GROUP, is_group=True, sender=DORA),
    )
    apply.apply_pending()

    chat = Chat.objects.get()
    assert chat.is_group
    assert chat.name == "Gravel crew"
    assert {p.handle.value for p in chat.participants.all()} == {CARL, DORA}


def test_who_wrote_before_we_heard_that_they_joined_has_joined_all_the_same(keep):
    joined = {"handle": DORA, "participant": told.handle(DORA), "added_at": told.moment(0)}
    keep(
        told.chat_created(GROUP, CARL, "+14155550199"),
        received(chat=GROUP, is_group=True, sender=DORA),
        told.envelope("participant.added", {"chat_id": GROUP} | joined, at=0),
    )
    apply.apply_pending()

    assert Participant.objects.filter(chat__external_id=GROUP, left_at=None).count() == 3
    assert Event.objects.filter(type="participant.added").count() == 1


def test_two_new_messages_of_a_new_chat_make_one_chat(keep):
    keep(*[received(f"m-{n}", at=n) for n in range(20)])
    apply.apply_pending()

    assert Chat.objects.count() == Handle.objects.count() == Participant.objects.count() == 1
    assert Chat.objects.get().inbound_count == 20


def test_an_album_is_one_message_with_twenty_parts(keep):
    parts = [
        {
            "type": "media",
            "id": f"a-{n}",
            "filename": f"{n}.png",
            "mime_type": "image/png",
            "size_bytes": 10,
            "url": f"https://cdn.example/{n}",
        }
        for n in range(20)
    ]
    keep(received(parts=parts))
    apply.apply_pending()

    assert Message.objects.get().parts.count() == 20
    assert Attachment.objects.filter(state="pending").count() == 20


def test_the_log_tells_each_change_once_with_our_ids(keep, environment):
    keep(received(), sent(), sent("message.delivered"))
    apply.apply_pending()
    Receipt.objects.update(state="pending")
    apply.apply_pending()

    events = Event.objects.order_by("id")
    assert [event.type for event in events] == ["message.received", "message.sent", "message.delivered"]
    first = events[0]
    assert first.data["id"] == str(Message.objects.get(external_id=M1).pk)
    assert first.data["parts"] == [{"type": "text", "value": "Hello"}]
    assert first.trace_id == received()["trace_id"]


def test_an_unknown_event_is_kept_and_can_be_applied_later(keep, monkeypatch):
    keep(received() | {"event_type": "doodle.received"})
    apply.apply_pending()
    assert Receipt.objects.get().state == "kept"
    assert not Message.objects.exists()

    monkeypatch.setitem(apply.HANDLERS, "doodle.received", apply.HANDLERS["message.received"])
    call_command("reapply", verbosity=0)

    assert Message.objects.get().text == "Hello"
    assert Receipt.objects.get().state == "applied"


def test_a_bad_receipt_is_retried_then_parked_and_blocks_only_its_own_chat(keep):
    bad = received(M1, "chat-bad", at=1)
    del bad["data"]["direction"]
    keep(bad, received(M2, "chat-bad", at=2), received(M3, CHAT, at=3))

    apply.apply_pending()

    assert [m.external_id for m in Message.objects.all()] == [M3]
    receipt = Receipt.objects.get(event_id=bad["event_id"])
    assert receipt.tries == 1
    assert "KeyError: 'direction'" in receipt.error

    for _ in range(10):
        Receipt.objects.update(next_try_at=timezone.now())
        apply.apply_pending()

    receipt.refresh_from_db()
    assert receipt.state == "parked"
    assert {m.external_id for m in Message.objects.all()} == {M2, M3}


def test_nul_and_half_characters_do_not_stop_a_message(keep):
    keep(received(value="a\0b 🙌 \ud83d"))
    apply.apply_pending()
    assert Message.objects.get().text == "ab 🙌 \ufffd"


def test_stop_holds_for_every_line_until_they_write_again(keep, environment):
    keep(received(value=" Opt out "))
    apply.apply_pending()
    opt_out = OptOut.objects.get()
    assert (opt_out.handle, opt_out.lifted_at) == (CARL, None)

    keep(received(M2, at=50, value="Actually, one more thing"))
    apply.apply_pending()
    assert not OptOut.objects.active().exists()
    assert [e.type for e in Event.objects.filter(type__startswith="inbox.")] == [
        "inbox.opted_out",
        "inbox.opted_in",
    ]


def test_a_late_stop_does_not_outrank_a_newer_message(keep):
    keep(received(M2, at=50, value="Hello again"))
    apply.apply_pending()
    keep(received(M1, at=10, value="STOP"))
    apply.apply_pending()

    assert not OptOut.objects.active().exists()


def test_by_setting_only_a_start_word_lifts_it(keep, environment):
    environment.opt_out_lift = "keyword"
    environment.save()
    keep(received(value="stop"), received(M2, at=20, value="hm"))
    apply.apply_pending()
    assert OptOut.objects.active().exists()

    keep(received(M3, at=30, value="Start"))
    apply.apply_pending()
    assert not OptOut.objects.active().exists()


def test_stop_in_a_group_is_not_meant_for_us(keep):
    keep(told.chat_created(GROUP, CARL, DORA), received(chat=GROUP, is_group=True, value="STOP"))
    apply.apply_pending()
    assert not OptOut.objects.exists()


def test_a_new_message_reopens_a_closed_chat_but_history_does_not(keep, environment, shop, ana):
    keep(received())
    apply.apply_pending()
    chat = Chat.objects.get()
    Chat.objects.update(status="closed", closed_at=told.START + (Message.objects.get().at - told.START) * 2)

    keep(received(M2, at=90, reconciled_at=told.moment(100)))
    apply.apply_pending()
    chat.refresh_from_db()
    assert chat.is_closed
    assert chat.inbound_count == 1

    keep(received(M3, at=95))
    apply.apply_pending()
    chat.refresh_from_db()
    assert chat.is_open


def test_another_environment_learns_nothing(keep, environment, olga):
    elsewhere = olga.memberships.get().environment
    keep(received())
    keep(received(value="Hello elsewhere"), environment=elsewhere)
    apply.apply_pending()

    assert Message.objects.filter(environment=environment).count() == 1
    assert Message.objects.get(environment=elsewhere).text == "Hello elsewhere"
    assert Line.objects.count() == 2


def test_a_batch_takes_a_constant_number_of_queries(keep, django_assert_max_num_queries):
    keep(*[received(f"a-{n}", f"chat-{n % 3}", at=n) for n in range(6)])
    apply.apply_pending()

    def events(prefix, count):
        return [
            event
            for n in range(count)
            for event in (
                received(f"{prefix}-{n}", f"{prefix}-chat-{n % 7}", at=n),
                sent("message.delivered", f"{prefix}-out-{n}", f"{prefix}-chat-{n % 7}", at=n),
            )
        ]

    keep(*events("b", 100))
    with django_assert_max_num_queries(45):
        apply.apply_batch()
    keep(*[sent("message.read", f"b-out-{n}", f"b-chat-{n % 7}", at=n) for n in range(100)])
    with django_assert_max_num_queries(45):
        apply.apply_batch()


def test_a_mixed_batch_of_fifty_costs_what_one_of_a_few_costs(keep):
    def someone(prefix, n):
        return f"+1415{len(prefix)}55{n:04}"

    def mixed(prefix, count):
        """`count` of each kind, all in chats of their own that are known."""
        for n in range(count):
            one, person = f"{prefix}-{n}", someone(prefix, n)
            yield from (
                received(f"{one}-in", one, at=10, sender=person),
                sent("message.delivered", f"{one}-out", one, at=12),
                told.reaction(f"{one}-first", one, at=13, sender=person),
                told.edited(f"{one}-first", one, at=14, value="edited"),
                told.group_changed("name", one, at=15, value=f"Crew {n}"),
                told.member("added", one, person, at=16),
                told.poll(
                    "poll.received",
                    f"{one}-poll",
                    one,
                    [told.option("A", voters=[(person, 9)])],
                    at=17,
                    sender=person,
                ),
                told.poll_event(
                    "poll.vote.added", f"{one}-asked", one, at=18, person=person, option_id="option-A"
                ),
                told.location(person, at=19, chat_id=one),
                told.card(person, "Carl", at=20, photo=f"https://cdn.example/{one}"),
            )

    def known(prefix, count):
        for n in range(count):
            one, person = f"{prefix}-{n}", someone(prefix, n)
            yield told.chat_created(one, person)
            yield received(f"{one}-first", one, at=5, sender=person)
            yield told.poll("poll.received", f"{one}-asked", one, [told.option("A")], at=6, sender=person)

    counts = []
    for prefix, count in (("one", 1), ("some", 5), ("thirty", 30)):
        keep(*known(prefix, count))
        apply.apply_pending()
        keep(*mixed(prefix, count))
        with CaptureQueriesContext(connection) as queries:
            assert apply.apply_batch() == 10 * count
        assert not Receipt.objects.exclude(state="applied").exists()
        counts.append(len(queries))

    assert counts[0] == counts[1] == counts[2]
