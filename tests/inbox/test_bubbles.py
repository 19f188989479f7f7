"""Pages of messages with all that hangs on them cost what a page of one costs; bad input never is an error."""

from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox import live
from inbox.models import Attachment, Chat, Contact, Edit, Handle, Message, Part, Reaction
from tests.conftest import CARL, DORA
from tests.inbox.conftest import nothing_changes

pytestmark = pytest.mark.django_db


@pytest.fixture
def fill(environment, shop, make_chat, make_message, ana, ben):
    """A group in which `count` messages all have reactions, a sticker, an edit, a photo, and quote one another."""
    group = make_chat(shop, CARL, DORA, external_id="group-1")
    handles = list(Handle.objects.all())
    for handle, name in zip(handles, ["Carl", "Dora"], strict=True):
        handle.contact = Contact.objects.create(environment=environment, first_name=name)
        handle.save()

    def fill(count):
        before = None
        for number in range(count):
            message = make_message(
                group,
                f"No. {number}",
                author=[None, ana, ben][number % 3],
                ago=1000 - number,
                external_id=f"m-{number}",
            )
            sticker, photo, paper = [
                Attachment.objects.create(
                    environment=environment,
                    external_id=f"a-{number}-{name}",
                    filename=name,
                    mime_type=mime_type,
                    state=state,
                    deleted_by=ben if state == "deleted" else None,
                )
                for name, mime_type, state in [
                    ("s.png", "image/png", "stored"),
                    ("p.png", "image/png", "stored"),
                    ("g.pdf", "application/pdf", "deleted"),
                ]
            ]
            Part.objects.create(message=message, index=1, kind="media", attachment=photo)
            Part.objects.create(message=message, index=2, kind="media", attachment=paper)
            for handle in [*handles, None]:
                Reaction.objects.create(
                    chat=group,
                    message=message,
                    handle=handle,
                    author=None if handle else ben,
                    key="love",
                    type="love",
                    added_at=timezone.now(),
                )
            Reaction.objects.create(
                chat=group,
                message=message,
                handle=handles[0],
                key="sticker s",
                type="sticker",
                sticker=sticker,
                added_at=timezone.now(),
            )
            for edit, text in enumerate(["First", f"No. {number}"]):
                Edit.objects.create(
                    message=message,
                    part_index=0,
                    text=text,
                    author=[ana, ben][edit],
                    edited_at=timezone.now(),
                    is_first=edit == 0,
                )
            message.edited_at = timezone.now()
            message.original, message.reply_to = before, before and {"message_id": before.external_id}
            message.effect = {"type": "bubble", "name": "slam"}
            message.deleted_by = ben if number % 10 == 9 else None
            message.deleted_at = timezone.now() if message.deleted_by else None
            message.save()
            before = message
        return group

    return fill


def cost(look):
    with CaptureQueriesContext(connection) as queries:
        answer = look()
    return len(queries), answer


def test_a_page_full_of_everything_takes_the_queries_of_one_message(client_of, ana, fill):
    client = client_of(ana)
    group = fill(3)
    addresses = [
        reverse("conversation", args=["all", group.pk]),
        reverse("messages", args=[group.pk]),
        reverse("inbox", args=["all"]),
    ]
    for address in addresses:
        client.get(address)
    few = [cost(lambda address=address: client.get(address))[0] for address in addresses]
    Message.objects.all().delete()
    Attachment.objects.all().delete()
    fill(50)
    full = [cost(lambda address=address: client.get(address)) for address in addresses]

    assert [count for count, _ in full] == few
    html = full[1][1].content.decode()
    assert html.count('class="reactions"') == 45
    assert html.count('class="quote"') == 45 - 1
    assert html.count("data-deleted") == 5
    assert html.count("Edited once") == 45


def test_what_is_told_live_of_many_messages_takes_as_many_as_of_few(environment, fill):
    group = fill(3)

    def tell(numbers):
        messages = list(Message.objects.filter(external_id__in=[f"m-{number}" for number in numbers]))
        since = live.last_sequence(environment.pk)
        for message in messages:
            environment.record("reaction.added", message=message)
        connection.check_constraints()
        return cost(
            lambda: live.news_since(environment.pk, since, lines=None, users=set(), watched={group.pk})
        )

    few, news = tell([1, 2])
    assert len(news.pushes) == 2
    Message.objects.all().delete()
    Attachment.objects.all().delete()
    fill(30)
    many, news = tell(range(1, 30))
    assert len(news.pushes) == 29
    assert many == few


WRONG = ["", "abc", "\0", "-1", "9" * 5000, "²", "x" * 100_000, "<script>"]


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/inbox/all/rows/", "before"),
        ("/inbox/all/rows/?before={chat}", "at"),
        ("/inbox/all/{chat}/", "message"),
        ("/inbox/all/{chat}/", "found"),
        ("/inbox/counts/", "view"),
        ("/search/", "q"),
        ("/search/", "with"),
        ("/search/?q=blue", "before"),
        ("/search/?q=blue", "at"),
        ("/search/?q=blue", "chat"),
        ("/chats/new/", "text"),
        ("/chats/new/people/", "q"),
        ("/chats/new/contacts/", "q"),
        ("/chats/new/contacts/", "after"),
        ("/chats/{chat}/replies/", "q"),
        ("/chats/{chat}/messages/", "before"),
    ],
)
def test_whatever_an_address_says_is_answered_and_never_an_error(client_of, ana, chat, address, field):
    address, client = address.format(chat=chat.pk), client_of(ana)
    joint = "&" if "?" in address else "?"
    for wrong in [*WRONG, "2026-13-45T99:99", "9" * 30]:
        answer = client.get(f"{address}{joint}{urlencode({field: wrong})}", headers={"HX-Request": "true"})
        assert answer.status_code < 500, wrong


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("name-group", "name"),
        ("add-members", "to"),
        ("add-note", "text"),
        ("schedule", "send_at"),
        ("schedule", "time_zone"),
        ("send-contact", "key"),
        ("react", "part"),
        ("react", "type"),
        ("react", "emoji"),
        ("react", "operation"),
        ("edit", "part"),
        ("edit", "text"),
        ("reply", "key"),
        ("reply", "effect"),
        ("reply", "service"),
        ("reply", "reply_to"),
        ("reply", "reply_part"),
        ("reply", "uploads"),
        ("draft", "text"),
        ("draft", "mode"),
        ("assign", "to"),
        ("typing", "ended"),
        ("upload", "url"),
        ("delete-file", "message"),
    ],
)
def test_whatever_a_form_holds_is_answered_and_never_an_error(press, ana, chat, no_workers, name, field):
    Message.objects.update(external_id="theirs-1")
    Chat.objects.update(is_group=name in ("name-group", "add-members"))
    noun = chat.messages.get() if name in ("react", "edit") else chat
    good = {"type": "like", "text": "Hello"}
    for wrong in WRONG:
        answer = press(ana, name, noun, data=good | {field: wrong})
        assert answer.status_code < 500, wrong
        if answer.status_code == 422:
            assert answer.content.decode().strip(), wrong


def test_a_retry_that_a_rule_forbids_says_why_and_is_no_error(press, ana, chat, gateway, no_workers):
    message = chat.send(by=ana, text="Three left")
    message.fail(4001, "not delivered")
    Chat.objects.update(is_group=True, line_left_at=timezone.now())
    answer = press(ana, "retry", message)

    assert answer.status_code < 500
    assert "Shop has left this group." in answer.content.decode()


def test_retrying_what_cannot_be_retried_changes_nothing(press, ana, olga, wim, reader, chat, make_message):
    message = make_message(chat, "Three left", author=ana)
    with nothing_changes():
        assert press(ana, "retry", message).status_code == 200
        assert press(reader, "retry", message).status_code == 403
        for stranger in (olga, wim):
            assert press(stranger, "retry", message).status_code == 404
