"""Typing, reading and the contact card, by a program."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox import tasks
from inbox.models import Chat, ChatRead, Errand
from lines.models import ContactCard, OptOut
from tests.api.conftest import refused
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


@pytest.fixture
def woken(no_workers):
    return no_workers


def test_dots_are_shown_and_ended(program, chat, woken):
    assert program.chats.typing.start(str(chat.pk)) is None
    assert program.chats.typing.stop(str(chat.pk)) is None
    assert woken == [(tasks.show_typing, str(chat.pk), False), (tasks.show_typing, str(chat.pk), True)]


def test_in_groups_too_and_elsewhere_nothing_is_shown(program, shop, make_chat, woken):
    group = make_chat(shop, CARL, DORA, external_id="group")
    program.chats.typing.start(str(group.pk))
    assert woken == [(tasks.show_typing, str(group.pk), False)]
    woken.clear()
    for service in ("RCS", "SMS"):
        Chat.objects.update(service=service)
        program.chats.typing.start(str(group.pk))
    assert woken == []


def test_reading_is_told_once_and_leaves_what_colleagues_have_unread(program, chat, ana, woken, shop):
    ChatRead.objects.create(chat=chat, user=ana, seen=0, is_unread=True)
    for _ in range(2):
        program.chats.mark_as_read(str(chat.pk))
    assert [(errand.kind, str(errand.author)) for errand in Errand.objects.all()] == [("read", "CRM")]
    assert ChatRead.objects.get(user=ana).is_unread
    Errand.objects.all().delete()
    shop.turn("sends_read_receipts", False, by=None)
    program.chats.mark_as_read(str(chat.pk))
    assert not Errand.objects.exists()


@pytest.fixture
def written(chat, shop, make_message, ana):
    """We have written in the chat, and the line has a card."""
    make_message(chat, "Yes", author=ana)
    ContactCard.objects.create(line=shop, first_name="Fairwheel", edition=1, accepted_edition=1)
    return chat


def test_the_card_is_shared_once_in_five_minutes(program, written, woken):
    assert program.chats.share_contact_card(str(written.pk)) is None
    assert [(errand.kind, str(errand.author)) for errand in Errand.objects.all()] == [("share_card", "CRM")]
    with refused(429, 1007) as caught:
        program.chats.share_contact_card(str(written.pk))
    assert 295 <= int(caught.value.response.headers["retry-after"]) <= 301


def test_a_card_needs_a_card_imessage_and_a_message_before(program, chat, written, woken):
    Chat.objects.update(last_outbound_at=None)
    with refused(409, 2015):
        program.chats.share_contact_card(str(chat.pk))
    Chat.objects.update(last_outbound_at=timezone.now() - timedelta(days=1))
    ContactCard.objects.all().delete()
    with refused(404, 2012):
        program.chats.share_contact_card(str(chat.pk))
    Chat.objects.update(service="SMS")
    with refused(409, 2017):
        program.chats.share_contact_card(str(chat.pk))


VERBS = {
    "typing": lambda program, pk: program.chats.typing.start(pk),
    "no typing": lambda program, pk: program.chats.typing.stop(pk),
    "reading": lambda program, pk: program.chats.mark_as_read(pk),
    "card": lambda program, pk: program.chats.share_contact_card(pk),
}


@pytest.mark.parametrize("name", VERBS)
def test_where_nothing_can_be_shown_it_says_so(program, written, shop, environment, woken, name):
    def ask():
        VERBS[name](program, str(written.pk))

    OptOut.objects.create(environment=environment, handle=CARL, since=written.created_at, keyword="STOP")
    with refused(403, 2024):
        ask()
    shop.pause(by=None)
    with refused(403, 2027):
        ask()
    Chat.objects.update(external_id=None)
    with refused(409, 2009):
        ask()
    Chat.objects.update(external_id="x", line_left_at=timezone.now())
    with refused(409, 2013):
        ask()
    assert woken == []


@pytest.mark.parametrize("name", VERBS)
def test_a_stranger_finds_no_chat(strangers, reader, written, woken, name):
    for stranger in strangers.values():
        with refused(404, 2001):
            VERBS[name](stranger, str(written.pk))
    with refused(403, 2005):
        VERBS[name](reader, str(written.pk))
    assert woken == []
