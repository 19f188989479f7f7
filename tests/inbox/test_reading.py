"""Who has read what: each colleague for themselves, the team for each other, our line for them."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from inbox import mirror
from inbox.mirror import HandleNews, MessageNews
from inbox.models import Chat, ChatRead, Errand, Message
from lines.gateways import PermanentFailure
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db
CHAT = "c0ffee00-1111-4222-8333-444455556666"


@pytest.fixture
def write(environment, chat, ana, ben):
    """Carl writes, `late` seconds ago by the carrier's clock."""

    def write(*, late=0):
        at = timezone.now() - timedelta(seconds=late)
        news = MessageNews(
            message_id=f"m-{Message.objects.count()}",
            chat_id=CHAT,
            direction="inbound",
            at=at,
            line="+12025550100",
            sender=HandleNews(CARL),
            parts=[{"type": "text", "value": "Hello?"}],
            sent_at=at,
        )
        with transaction.atomic():
            mirror.learn(environment, [news])

    return write


def told(chat):
    return chat.errands.filter(kind=Errand.Kind.READ).count()


def test_whoever_reads_first_tells_them_and_nobody_tells_them_again(
    press, chat, ana, ben, write, run_errands, gateway
):
    write()
    assert press(ana, "read", chat).status_code == 204
    press(ana, "read", chat)
    press(ben, "read", chat)
    run_errands()
    assert gateway.calls == [("mark_read", CHAT)]
    assert chat.environment.events.filter(type="inbox.chat_read").count() == 2

    write()
    press(ben, "read", chat)
    press(ana, "read", chat)
    run_errands()
    assert gateway.calls == [("mark_read", CHAT)] * 2


@pytest.mark.parametrize("late", [-30, 300])
def test_the_carriers_clock_is_of_no_account(chat, ana, ben, write, late):
    for number in (1, 2):
        write(late=late)
        chat.mark_read(by=ana)
        chat.mark_read(by=ben)
        assert told(chat) == number


def test_marking_as_unread_and_reading_again_tells_nothing_new(press, chat, ana, write):
    write()
    press(ana, "read", chat)
    press(ana, "unread", chat)
    press(ana, "read", chat)
    assert told(chat) == 1


def test_where_the_carrier_refused_the_next_reader_tries_again(
    chat, ana, ben, write, run_errands, gateway, environment
):
    write()
    chat.mark_read(by=ana)
    gateway.failures.append(PermanentFailure("no", code=4001))
    run_errands()
    assert not environment.events.filter(type="inbox.errand_failed").exists()
    chat.mark_read(by=ben)
    run_errands()
    assert gateway.calls == [("mark_read", CHAT)] * 2


def test_a_line_can_keep_it_to_itself(chat, ana, shop, write):
    shop.turn("sends_read_receipts", False, by=None)
    write()
    chat.mark_read(by=ana)
    assert told(chat) == 0
    assert not chat.reads.get(user=ana).is_unread


def test_groups_and_new_conversations_know_no_such_thing(ana, shop, make_chat, make_message):
    for chat in (make_chat(shop, CARL, DORA, external_id="g"), make_chat(shop, DORA)):
        make_message(chat)
        chat.mark_read(by=ana)
        assert told(chat) == 0


def test_who_has_said_nothing_is_not_told(ana, shop, make_chat, make_message):
    chat = make_chat(shop, DORA, external_id="d")
    make_message(chat, author=ana)
    ChatRead.objects.create(chat=chat, user=ana, is_unread=True)
    chat.mark_read(by=ana)
    assert told(chat) == 0


@pytest.mark.django_db(transaction=True)
def test_several_reading_at_once_tell_them_once(chat, ana, ben, write, no_workers):
    write()
    together = threading.Barrier(4)

    def read(user):
        mine = Chat.objects.get(pk=chat.pk)
        together.wait(10)
        mine.mark_read(by=user)
        connection.close()

    threads = [threading.Thread(target=read, args=[user]) for user in (ana, ben, ana, ben)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert told(chat) == 1
    assert chat.reads.filter(is_unread=False).count() == 2


def test_the_team_sees_who_has_read_everything(client_of, press, chat, ana, ben, write):
    def seen():
        html = client_of(ana).get(reverse("conversation", args=["all", chat.pk])).content.decode()
        return html.partition('id="seen"')[2].partition("</p>")[0]

    write()
    assert "Seen by" not in seen()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        press(ana, "read", chat)
        clock.shift(timedelta(minutes=1))
        press(ben, "read", chat)
        assert seen().index("Ben") < seen().index("Ana")
        write()
    assert "Seen by" not in seen()
    press(ben, "unread", chat)
    press(ana, "read", chat)
    assert "Ana" in seen()
    assert "Ben" not in seen()


def test_strangers_find_nothing(press, olga, wim, chat, write):
    write()
    for stranger in (olga, wim):
        for name in ("read", "unread"):
            assert press(stranger, name, chat).status_code == 404
    assert told(chat) == 0


def test_their_receipt_on_ours_says_when(client_of, ana, chat, make_message, environment):
    message = make_message(chat, "Three left", author=ana, external_id="ours-1")
    news = MessageNews(
        message_id="ours-1",
        chat_id=CHAT,
        direction="outbound",
        at=message.at,
        line="+12025550100",
        parts=[{"type": "text", "value": "Three left"}],
        delivered_at=message.at + timedelta(seconds=1),
        read_at=message.at + timedelta(seconds=5),
        type="message.read",
    )
    with transaction.atomic():
        mirror.learn(environment, [news])

    html = client_of(ana).get(reverse("messages", args=[chat.pk])).content.decode()
    assert 'data-state="read"' in html
    assert (message.at + timedelta(seconds=5)).isoformat() in html
