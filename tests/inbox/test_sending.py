"""One way out (invariant 3), and sending twice is impossible (invariant 4)."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from inbox import tasks
from inbox.models import Attachment, Chat, Message, Refused
from inbox.models.content import Content, parts_of
from inbox.models.writing import Writable
from lines import gateways
from lines.gateways import Accepted, PermanentFailure, TemporaryFailure
from lines.models import BlockedHandle, OptOut
from tests.conftest import CARL, DORA
from tests.webhooks import payloads as told
from tests.webhooks.conftest import rows_of
from webhooks import apply
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db


@pytest.fixture
def carrier(monkeypatch):
    """A carrier that keeps what it took, by key, and fails as told."""

    class Carrier(gateways.Gateway):
        taken, asked, failures = {}, [], []

        def send(self, message):
            self.asked.append(message)
            failure = self.failures.pop(0) if self.failures else None
            if failure and not getattr(failure, "after", False):
                raise failure
            accepted = self.taken.setdefault(
                message.idempotency_key,
                Accepted(chat_id=message.chat or "carrier-chat", message_id=f"carrier-{len(self.taken)}"),
            )
            if failure:
                raise failure
            return accepted

    Carrier.taken, Carrier.asked, Carrier.failures = {}, [], []
    monkeypatch.setattr(gateways, "for_environment", Carrier)
    monkeypatch.setattr(tasks, "wake", lambda *args, **kwargs: None)
    return Carrier


def timeout_after_acceptance():
    failure = TemporaryFailure("timed out")
    failure.after = True
    return failure


def texts(carrier):
    return [message.parts[0]["value"] for message in carrier.asked]


def test_a_reply_leaves_and_is_accepted(chat, ana, carrier):
    message = chat.send(by=ana, text="Yes, three left.")
    assert message.state == "queued"

    tasks.send_chat(chat.pk)

    message.refresh_from_db()
    assert message.state == "accepted"
    assert message.external_id == "carrier-0"
    assert carrier.asked[0].chat == chat.external_id
    assert carrier.asked[0].idempotency_key == message.idempotency_key


def test_the_same_key_makes_one_message(chat, ana, carrier):
    first = chat.send(by=ana, text="Yes", key="key-1")
    again = chat.send(by=ana, text="Yes", key="key-1")
    tasks.send_chat(chat.pk)
    tasks.send_chat(chat.pk)

    assert first == again
    assert len(carrier.asked) == 1


def test_answering_takes_the_chat_ends_the_waiting_and_reopens_it(chat, ana, ben):
    Chat.objects.filter(pk=chat.pk).update(
        waiting_since=timezone.now(), status="closed", closed_at=timezone.now()
    )
    chat.send(by=ana, text="Yes")
    chat.refresh_from_db()
    assert (chat.assignee, chat.waiting_since, chat.is_open) == (ana, None, True)

    chat.send(by=ben, text="And more")
    chat.refresh_from_db()
    assert chat.assignee == ana


def test_what_is_temporary_is_tried_again_with_backoff_under_the_same_key(chat, ana, carrier):
    message = chat.send(by=ana, text="Yes")
    carrier.failures += [TemporaryFailure("The carrier answered 500"), timeout_after_acceptance()]
    for _ in range(3):
        Message.objects.update(next_try_at=timezone.now())
        tasks.send_chat(chat.pk)

    message.refresh_from_db()
    assert message.state == "accepted"
    assert message.tries == 3
    assert len({asked.idempotency_key for asked in carrier.asked}) == 1
    assert len(carrier.taken) == 1


def test_it_waits_for_its_next_try_and_says_why(chat, ana, carrier):
    message = chat.send(by=ana, text="Yes")
    carrier.failures.append(TemporaryFailure("The carrier answered 503", retry_after=30))
    tasks.send_chat(chat.pk)
    tasks.send_chat(chat.pk)

    message.refresh_from_db()
    assert message.state == "queued"
    assert message.verdict["reason"] == "The carrier answered 503"
    assert message.next_try_at > timezone.now() + timedelta(seconds=25)
    assert len(carrier.asked) == 1


def test_tried_too_often_it_fails_visibly_and_can_be_retried(chat, ana, carrier):
    message = chat.send(by=ana, text="Yes")
    carrier.failures += [TemporaryFailure("The carrier answered 500")] * 8
    for _ in range(8):
        Message.objects.update(next_try_at=timezone.now())
        tasks.send_chat(chat.pk)
    message.refresh_from_db()
    assert message.state == "failed"
    assert message.error == "The carrier answered 500 (tried 8 times)"

    message.retry(by=ana)
    tasks.send_chat(chat.pk)
    message.refresh_from_db()
    assert message.state == "accepted"


def test_what_the_carrier_refuses_fails_at_once_with_its_reason(chat, ana, carrier):
    message = chat.send(by=ana, text="Yes")
    carrier.failures.append(PermanentFailure("recipient cannot receive this", code=4005))
    tasks.send_chat(chat.pk)

    message.refresh_from_db()
    assert (message.state, message.error_code, message.error) == (
        "failed",
        4005,
        "recipient cannot receive this",
    )
    assert chat.environment.events.filter(type="message.failed").count() == 1


def test_retrying_what_was_taken_but_not_delivered_is_a_new_message(chat, ana, carrier):
    message = chat.send(by=ana, text="Yes")
    tasks.send_chat(chat.pk)
    Message.objects.filter(pk=message.pk).update(failed_at=timezone.now(), error="not delivered")
    message.refresh_from_db()

    again = message.retry(by=ana)
    assert message.retry(by=ana) is None
    tasks.send_chat(chat.pk)

    again.refresh_from_db()
    assert again.state == "accepted"
    assert again.retry_of == message
    assert texts(carrier) == ["Yes", "Yes"]
    assert len(carrier.taken) == 2


def test_messages_of_a_chat_leave_in_their_order_even_when_the_first_must_wait(chat, ana, carrier):
    chat.send(by=ana, text="first")
    chat.send(by=ana, text="second")
    carrier.failures.append(TemporaryFailure("later"))
    tasks.send_chat(chat.pk)
    assert texts(carrier) == ["first"]

    Message.objects.update(next_try_at=timezone.now())
    tasks.send_chat(chat.pk)
    assert texts(carrier) == ["first", "first", "second"]


def test_a_claim_of_a_dead_worker_is_taken_over(chat, ana, carrier):
    message = chat.send(by=ana, text="Yes")
    assert Message.claim_next(chat.pk) == message
    assert Message.claim_next(chat.pk) is None

    Message.objects.update(claimed_at=timezone.now() - timedelta(seconds=61))
    tasks.send_due()
    tasks.send_chat(chat.pk)
    message.refresh_from_db()
    assert message.state == "accepted"


def opt_out(chat):
    return OptOut.objects.create(
        environment=chat.environment, handle=CARL, since=timezone.now(), keyword="STOP"
    )


@pytest.mark.parametrize(("lift", "word"), [("any", "again"), ("keyword", "START")])
def test_the_bar_says_what_lifts_an_opt_out_here(chat, lift, word):
    chat.environment.opt_out_lift = lift
    chat.environment.save()
    OptOut.objects.create(environment=chat.environment, handle=CARL, since=timezone.now())

    assert chat.verdict().remedy == f"They lift it themselves by writing {word}."


def test_who_opted_out_gets_nothing_and_the_message_says_why(chat, ana, carrier):
    opt_out(chat)
    message = chat.send(by=ana, text="Yes")
    tasks.send_chat(chat.pk)

    assert message.state == "refused"
    assert "opted out with STOP" in message.error
    assert message.verdict["code"] == 2024
    assert carrier.asked == []


def test_an_opt_out_stops_what_is_already_queued(chat, ana, carrier):
    message = chat.send(by=ana, text="Yes")
    opt_out(chat)
    tasks.send_chat(chat.pk)

    message.refresh_from_db()
    assert message.state == "refused"
    assert carrier.asked == []


def test_an_opt_out_holds_on_every_line_of_the_environment(chat, ana, workshop, lea, make_chat, carrier):
    opt_out(chat)
    other = make_chat(workshop, CARL)
    assert other.send(by=lea, text="Hello").state == "refused"


def test_a_group_is_never_blocked(shop, make_chat, ana, chat):
    opt_out(chat)
    group = make_chat(shop, CARL, DORA)
    assert group.send(by=ana, text="Hello all").state == "queued"


def test_blocked_people_and_paused_lines_are_refused_with_their_codes(chat, shop, ana, max):
    BlockedHandle.objects.create(environment=chat.environment, handle=CARL)
    assert chat.send(by=ana, text="Yes").verdict["code"] == 2026

    shop.pause(by=max, reason="moving house")
    chat.refresh_from_db()
    message = chat.send(by=ana, text="Yes")
    assert message.verdict["code"] == 2027
    assert message.error == "Shop is paused: moving house"

    BlockedHandle.objects.all().delete()
    shop.resume(by=max)
    assert message.retry(by=ana).state == "queued"


def test_the_thirty_first_message_within_a_minute_is_held_not_refused(chat, ana, carrier):
    for number in range(31):
        message = chat.send(by=ana, text=str(number))
    assert message.state == "held"
    assert timezone.now() < message.next_try_at < timezone.now() + timedelta(seconds=61)

    tasks.send_chat(chat.pk)
    assert len(carrier.asked) == 30

    Message.objects.exclude(pk=message.pk).update(cleared_at=timezone.now() - timedelta(seconds=61))
    Message.objects.update(next_try_at=timezone.now())
    tasks.send_chat(chat.pk)
    assert len(carrier.asked) == 31


def test_a_new_conversation_gets_its_id_from_the_answer(shop, ana, carrier):
    chat = Chat.start(shop, [CARL], by=ana)
    assert Chat.start(shop, [CARL], by=ana) == chat
    chat.send(by=ana, text="Hello")
    tasks.send_chat(chat.pk)

    chat.refresh_from_db()
    assert chat.external_id == "carrier-chat"
    assert carrier.asked[0].to == [CARL]
    assert carrier.asked[0].chat is None


def sent_webhook(key, **fields):
    return told.message(
        "message.sent",
        "carrier-0",
        "carrier-chat",
        at=0,
        parts=[told.text("Hello")],
        idempotency_key=key,
        **fields,
    )


@pytest.mark.parametrize("first", ["webhook", "answer"])
@pytest.mark.parametrize("echoed", [True, False])
def test_the_webhook_and_the_answer_meet_in_one_message_whoever_is_first(shop, ana, carrier, first, echoed):
    chat = Chat.start(shop, [CARL], by=ana)
    message = chat.send(by=ana, text="Hello")
    created = told.chat_created("carrier-chat", CARL)
    webhook = sent_webhook(message.idempotency_key if echoed else None)
    steps = [
        lambda: tasks.send_chat(chat.pk),
        lambda: (
            Receipt.objects.bulk_create(rows_of(chat.environment, [created, webhook])),
            apply.apply_pending(),
        ),
    ]
    for step in steps if first == "answer" else reversed(steps):
        step()

    message = Message.objects.get()
    assert (message.author, message.text, message.state) == (ana, "Hello", "sent")
    assert Chat.objects.get().external_id == "carrier-chat"
    assert Chat.objects.get().last_message == message


def test_in_a_known_chat_the_faster_webhook_leaves_no_trace_of_a_twin(chat, ana, carrier):
    message = chat.send(by=ana, text="Hello")
    told_of = told.message(
        "message.sent", "carrier-0", chat.external_id, at=10**7, parts=[told.text("Hello")]
    )
    Receipt.objects.bulk_create(rows_of(chat.environment, [told_of]))
    apply.apply_pending()
    tasks.send_chat(chat.pk)

    chat.refresh_from_db()
    assert chat.last_message == message
    assert chat.messages.filter(direction="outbound").count() == 1
    assert set(chat.environment.events.filter(type="message.sent").values_list("message_id", flat=True)) == {
        message.pk
    }


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_a_double_click_send_once(chat, ana, carrier):
    def click():
        chat.send(by=ana, text="Yes", key="one")
        tasks.send_chat(chat.pk)
        connection.close()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    tasks.send_chat(chat.pk)

    assert Message.objects.filter(direction="outbound").count() == 1
    assert len(carrier.asked) == 1


def test_an_empty_message_is_an_error(chat, ana):
    with pytest.raises(Refused, match="Write something, or attach a file"):
        chat.send(by=ana, text="  ")
    assert issubclass(Chat, Writable)


def fail_for_good(message, *, at_carrier):
    """As the carrier took it and could not deliver it, or never took it."""
    if at_carrier:
        Message.objects.filter(pk=message.pk).update(external_id="lost", accepted_at=timezone.now())
        message.refresh_from_db()
    message.fail(4001, "The carrier did not answer")


@pytest.mark.parametrize("at_carrier", [True, False])
def test_a_retry_says_all_of_it_again_once_however_often_it_is_pressed(
    chat, ana, ben, carrier, make_message, at_carrier
):
    original = make_message(chat, "Slam or loud?", ago=30, external_id="theirs")
    content = Content(
        parts_of("Slam"), effect={"name": "slam"}, original=original, preferred_service="iMessage"
    )
    message = chat.send(by=ana, content=content)
    fail_for_good(message, at_carrier=at_carrier)
    chat.keep_draft("Something else", by=ana)
    message.retry(by=ana)
    assert Message.objects.get(pk=message.pk).retry(by=ben) is None
    tasks.send_chat(chat.pk)

    (asked,) = carrier.asked
    assert (asked.effect["name"], asked.preferred_service, asked.reply_to["message_id"]) == (
        "slam",
        "iMessage",
        "theirs",
    )
    assert (asked.idempotency_key == message.idempotency_key) != at_carrier
    assert chat.drafts_of(ana)["reply"] == "Something else"


def test_it_is_shown_to_go_by_what_the_carrier_says(chat, ana, environment, carrier, monkeypatch):
    message = chat.send(by=ana, content=Content(parts_of("As a text"), preferred_service="RCS"))
    assert message.service == "RCS"
    accepted = Accepted(chat_id=chat.external_id, message_id="taken", service="SMS")
    monkeypatch.setattr(carrier, "send", lambda self, message: accepted)
    tasks.send_chat(chat.pk)

    message.refresh_from_db()
    assert message.service == "SMS"


def test_it_is_shown_to_go_by_what_a_webhook_says_later(chat, ana, environment, carrier):
    message = chat.send(by=ana, text="Yes")
    tasks.send_chat(chat.pk)
    assert message.service == chat.service == "iMessage"
    told_of = told.message(
        "message.sent", "carrier-0", chat.external_id, at=60, parts=[told.text("Yes")], service="SMS"
    )
    Receipt.objects.bulk_create(rows_of(environment, [told_of]))
    apply.apply_pending()

    message.refresh_from_db()
    assert message.service == "SMS"


def test_a_voice_memo_is_retried_as_one(chat, ana, environment, carrier):
    memo = Attachment.objects.create(
        environment=environment, filename="memo.m4a", mime_type="audio/mp4", size=9, state="stored"
    )
    message = chat.send(by=ana, content=Content([{"attachment": memo}], is_voice_memo=True))
    fail_for_good(message, at_carrier=True)
    again = message.retry(by=ana)
    tasks.send_chat(chat.pk)

    assert again.is_voice_memo
    assert carrier.asked[0].is_voice_memo


def test_what_a_rule_forbids_by_now_is_not_retried_and_says_why(chat, ana, carrier, make_message, client_of):
    original = make_message(chat, "Slam or loud?", ago=30, external_id="theirs")
    message = chat.send(by=ana, content=Content(parts_of("Slam"), original=original))
    fail_for_good(message, at_carrier=False)
    original.delete_here(by=ana)
    answer = client_of(ana).post(f"/messages/{message.pk}/retry/", headers={"HX-Request": "true"})
    tasks.send_chat(chat.pk)

    assert answer.status_code == 200
    assert "The message that this answers was deleted." in answer.content.decode()
    assert (carrier.asked, chat.messages.filter(direction="outbound").count()) == ([], 1)


def test_what_was_deleted_is_not_retried(chat, ana, carrier):
    message = chat.send(by=ana, text="Yes")
    fail_for_good(message, at_carrier=False)
    message.delete_here(by=ana)

    assert message.retry(by=ana) is None


@pytest.mark.django_db(transaction=True)
def test_two_who_press_retry_at_once_send_once(chat, ana, ben):
    message = chat.send(by=ana, text="Yes")
    fail_for_good(message, at_carrier=True)
    start, results = threading.Barrier(2), []

    def press(user):
        try:
            start.wait(10)
            results.append(Message.objects.get(pk=message.pk).retry(by=user))
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[user]) for user in (ana, ben)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(result is None for result in results) == [False, True]
    assert chat.messages.filter(direction="outbound").count() == 2
