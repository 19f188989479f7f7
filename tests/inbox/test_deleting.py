"""Deleting a message: from our records and the carrier's, for good, with a moment to think again."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from inbox import mirror, tasks
from inbox.mirror import EditNews, HandleNews, MessageNews, ReactionNews
from inbox.models import Attachment, Chat, Edit, Errand, Message, Part, Reaction, Refused
from inbox.models.content import Content, parts_of
from inbox.models.deleting import UNDO_WITHIN
from lines.gateways import Accepted, PermanentFailure, TemporaryFailure
from lines.models import Event
from tests.conftest import CARL, DORA
from tests.inbox.conftest import nothing_changes

pytestmark = pytest.mark.django_db
CHAT = "c0ffee00-1111-4222-8333-444455556666"
# No id can hold it by chance.
SECRET = "The code is QX4711"


@pytest.fixture
def message(chat, environment, ana):
    """What carl wrote, as it was told: with a file, a reaction and an edit."""
    told = MessageNews(
        message_id="theirs-1",
        chat_id=CHAT,
        direction="inbound",
        at=timezone.now() - timedelta(seconds=30),
        line="+12025550100",
        sender=HandleNews(CARL),
        parts=[
            {"type": "text", "value": SECRET, "text_decorations": [{"range": [0, 3], "style": "bold"}]},
            {"type": "media", "id": "file-1", "url": "https://cdn.example/a", "filename": "code.txt"},
        ],
    )
    with transaction.atomic():
        mirror.learn(environment, [told])
    Attachment.objects.get().take(SimpleUploadedFile("code.txt", b"QX4711"))
    message = chat.messages.get(external_id="theirs-1")
    message.told = told
    return message


def retell(environment, *news):
    with transaction.atomic():
        return mirror.learn(environment, list(news))


def everything_written():
    """All that the database holds of conversations."""
    nouns = [Part, Edit, Reaction, Errand, Event, Message, Chat]
    return "\n".join(str(list(noun.objects.values())) for noun in nouns)


def test_it_is_a_tombstone_at_once_with_who_and_when(press, client_of, ben, message):
    answer = press(ben, "delete", message)
    html = answer.content.decode()

    assert answer.status_code == 200
    assert "data-deleted" in html
    assert f'data-user="{ben.pk}"' in html
    assert "It stays on Carl’s phone." in html
    assert "Message deleted" in html
    assert reverse("undelete", args=[message.pk]) in html
    assert "QX471" not in html
    page = client_of(ben).get(reverse("conversation", args=["all", message.chat_id])).content.decode()
    assert "QX471" not in page
    assert "Message deleted" in page


def test_nothing_has_gone_until_the_moment_has_passed(ana, message, gateway, no_workers):
    message.delete_here(by=ana)
    errand = Errand.objects.get()
    assert abs(errand.next_try_at - timezone.now() - UNDO_WITHIN) < timedelta(seconds=1)
    tasks.run_errand(errand.pk)

    assert gateway.calls == []
    assert message.text == SECRET


def test_then_all_that_it_said_is_gone_here_and_at_the_carrier(
    ana, chat, message, environment, run_errands, gateway
):
    retell(environment, EditNews("theirs-1", 0, f"{SECRET}!", timezone.now()))
    retell(environment, ReactionNews("theirs-1", 0, "love", timezone.now(), actor=HandleNews(CARL)))
    assert SECRET in everything_written()
    message.delete_here(by=ana)
    run_errands(all=True)
    message.refresh_from_db()

    assert gateway.calls == [("delete_message", "theirs-1")]
    assert "QX471" not in everything_written()
    assert [(part.text, part.extra, part.attachment) for part in message.parts.all()] == [("", {}, None)] * 2
    assert not Attachment.objects.exists()
    assert not message.edits.exists()
    assert not message.reactions.exists()
    assert (message.deleted_by, len(message.digest)) == (ana, 64)
    assert list(
        environment.events.filter(message_id=message.pk).order_by("pk").values_list("type", flat=True)
    ) == [
        "message.received",
        "message.edited",
        "reaction.added",
        "inbox.message_deleted",
        "inbox.message_purged",
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT words::text FROM inbox_part WHERE message_id = %s", [message.pk])
        assert {words for (words,) in cursor.fetchall()} == {""}


@pytest.mark.django_db(transaction=True)
def test_its_bytes_are_gone_too(ana, message, run_errands):
    file = Attachment.objects.get().file
    assert file.storage.exists(file.name)
    message.delete_here(by=ana)
    run_errands(all=True)
    assert not file.storage.exists(file.name)


def test_a_file_that_others_use_stays(ana, chat, message, environment, run_errands):
    file = Attachment.objects.get()
    chat.send(by=ana, content=Content([{"attachment": file}]))
    message.delete_here(by=ana)
    run_errands(all=True)

    assert Attachment.objects.get() == file
    assert file.file.storage.exists(file.file.name)


def test_what_it_was_when_it_was_planned_is_gone_too(ana, chat, environment, run_errands):
    file = Attachment.keep(environment, SimpleUploadedFile("code.txt", b"QX4711"), by=ana)
    later = timezone.now() + timedelta(hours=1)
    scheduled = chat.schedule(Content(parts_of(SECRET, [file])), send_at=later, by=ana)
    with time_machine.travel(later + timedelta(seconds=1)):
        tasks.send_scheduled(str(scheduled.pk))
        chat.messages.get(direction="outbound").delete_here(by=ana)
        run_errands(all=True)

    scheduled.refresh_from_db()
    assert (scheduled.text, scheduled.files.count(), Attachment.objects.count()) == ("", 0, 0)


def test_an_edit_of_ours_leaves_no_trace_either(ana, chat, make_message, run_errands):
    message = make_message(chat, SECRET, author=ana, external_id="ours-1")
    message.edit(f"{SECRET} or QX4712", by=ana)
    message.delete_here(by=ana)
    run_errands(all=True)
    assert "QX471" not in everything_written()


def test_it_can_be_brought_back_for_a_moment(press, ana, ben, chat, message, run_errands, gateway):
    press(ana, "delete", message)
    answer = press(ben, "undelete", message)
    html = answer.content.decode()

    assert answer.status_code == 200
    assert "code is QX4711" in html
    assert "data-deleted" not in html
    run_errands(all=True)
    assert gateway.calls == []
    message.refresh_from_db()
    assert (message.deleted_at, message.deleted_by) == (None, None)
    with nothing_changes():
        assert press(ben, "undelete", message).status_code == 200


def test_and_deleted_again(press, ana, message, run_errands, gateway):
    for name in ("delete", "undelete", "delete"):
        press(ana, name, message)
    run_errands(all=True)
    assert gateway.calls == [("delete_message", "theirs-1")]


def test_once_it_is_going_it_is_too_late(press, ana, message, no_workers):
    press(ana, "delete", message)
    Errand.objects.update(next_try_at=timezone.now())
    Errand.claim(Errand.objects.get().pk)
    with nothing_changes():
        answer = press(ana, "undelete", message)
    assert (answer.status_code, "It is too late to bring this message back." in answer.content.decode()) == (
        422,
        True,
    )

    Errand.objects.get().run()
    with nothing_changes():
        assert press(ana, "undelete", message).status_code == 422


def test_a_double_click_deletes_once(press, ana, ben, message):
    press(ana, "delete", message)
    with nothing_changes():
        again = press(ben, "delete", message)
    assert again.status_code == 200
    assert "Undo" not in again.content.decode()


@pytest.mark.django_db(transaction=True)
def test_deleting_and_bringing_back_at_the_same_moment_end_in_one_of_the_two(
    ana, message, gateway, no_workers
):
    message.delete_here(by=ana)
    Errand.objects.update(next_try_at=timezone.now())
    pk, together, late = Errand.objects.get().pk, threading.Barrier(2), []

    def purge():
        together.wait(10)
        tasks.run_errand(pk)
        connection.close()

    def undo():
        mine = Message.objects.get(pk=message.pk)
        together.wait(10)
        try:
            mine.undelete(by=ana)
        except Refused as refusal:
            late.append(refusal)
        connection.close()

    threads = [threading.Thread(target=work) for work in (purge, undo)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    message.refresh_from_db()
    gone = Part.objects.get(message=message, index=0).text == ""
    assert gone == bool(message.deleted_at) == bool(late) == (gateway.calls != [])


@pytest.mark.django_db(transaction=True)
def test_deleting_while_the_carrier_tells_of_it_waits_in_no_circle(
    environment, ana, chat, message, no_workers
):
    """The mirror takes the chat and then the message; so does everybody."""
    together, errors = threading.Barrier(3), []
    Part.objects.create(message=message, index=2, kind="text", text="a")

    def attempt(work):
        together.wait(10)
        try:
            for number in range(8):
                work(number)
        except OperationalError as error:
            errors.append(error)
        connection.close()

    def delete(number):
        mine = Message.objects.get(pk=message.pk)
        mine.undelete(by=ana) if number % 2 else mine.delete_here(by=ana)

    def tell(number):
        news = [
            ReactionNews(
                "theirs-1", 0, "love", timezone.now(), actor=HandleNews(CARL), is_removed=number % 2 == 0
            ),
            EditNews("theirs-1", 0, f"edit {number}", timezone.now()),
        ]
        retell(environment, *news)

    def react(number):
        mine = Message.objects.get(pk=message.pk)
        if not mine.deleted_at:
            with suppress(Refused):
                mine.react("like" if number % 2 else "love", by=ana)

    threads = [threading.Thread(target=attempt, args=[work]) for work in (delete, tell, react)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_the_right_to_delete_is_needed(
    press, client_of, olga, wim, person, environment, shop, reader, message, ana
):
    cleo = person("Cleo", environment)
    shop.let_in(cleo, by=None, may_answer=True, may_delete=False)
    message.delete_here(by=ana)
    with nothing_changes():
        for name in ("delete", "undelete"):
            for stranger in (olga, wim):
                assert press(stranger, name, message).status_code == 404
            for colleague in (cleo, reader):
                assert press(colleague, name, message).status_code == 403
            assert client_of(ana).get(reverse(name, args=[message.pk])).status_code == 405


def test_who_may_not_delete_is_not_offered_it(client_of, person, environment, shop, ana, chat):
    cleo = person("Cleo", environment)
    shop.let_in(cleo, by=None, may_answer=True, may_delete=False)
    address = reverse("conversation", args=["all", chat.pk])
    assert b'data-do="delete"' in client_of(ana).get(address).content
    assert b'data-do="delete"' not in client_of(cleo).get(address).content


# What has not left yet.


def test_a_queued_message_that_was_deleted_never_leaves(ana, chat, gateway, run_errands):
    message = chat.send(by=ana, text="Oops")
    second = chat.send(by=ana, text="Three left")
    message.delete_here(by=ana)
    tasks.send_chat(chat.pk)
    run_errands(all=True)
    tasks.send_chat(chat.pk)

    assert [call[1].parts[0]["value"] for call in gateway.calls] == ["Three left"]
    message.refresh_from_db()
    second.refresh_from_db()
    assert (message.text, message.external_id, second.state) == ("", None, "accepted")
    assert message.retry(by=ana) is None


def test_what_never_left_is_on_no_phone(press, ana, chat, make_message):
    queued = chat.send(by=ana, text="Oops")
    assert "It never left." in press(ana, "delete", queued).content.decode()
    sent = make_message(chat, "Three left", author=ana, external_id="ours-1")
    assert "It stays on their phone." in press(ana, "delete", sent).content.decode()


def test_brought_back_it_leaves_after_all(ana, chat, gateway, no_workers):
    message = chat.send(by=ana, text="Oops")
    message.delete_here(by=ana)
    no_workers.clear()
    message.undelete(by=ana)
    assert (tasks.send_chat, str(chat.pk)) in no_workers
    tasks.send_chat(chat.pk)
    assert len(gateway.calls) == 1


def test_what_was_just_leaving_is_deleted_at_the_carrier_as_well(ana, chat, gateway, run_errands):
    message = chat.send(by=ana, text="Oops")
    leaving = Message.claim_next(chat.pk)
    message.delete_here(by=ana)
    run_errands(all=True)
    assert gateway.calls == []
    assert Message.objects.get(pk=message.pk).text == "Oops"

    leaving.accept(Accepted(chat_id=CHAT, message_id="ours-1"))
    run_errands(all=True)
    assert gateway.calls == [("delete_message", "ours-1")]
    assert Message.objects.get(pk=message.pk).text == ""


# It stays deleted.


def test_what_the_carrier_tells_again_does_not_come_back_to_life(
    client_of, ana, environment, message, run_errands
):
    message.delete_here(by=ana)
    run_errands(all=True)
    learned = retell(
        environment,
        message.told,
        EditNews("theirs-1", 0, f"{SECRET}!", timezone.now()),
        ReactionNews("theirs-1", 0, "love", timezone.now(), actor=HandleNews(CARL)),
    )

    assert SECRET not in everything_written()
    assert "bold" not in str(list(Part.objects.values()))
    assert learned.media == []
    message.refresh_from_db()
    assert message.deleted_at
    html = client_of(ana).get(reverse("messages", args=[message.chat_id])).content.decode()
    assert "data-deleted" in html
    assert 'class="reaction"' not in html


def test_an_edit_told_between_deleting_and_forgetting_is_forgotten(ana, environment, message, run_errands):
    message.delete_here(by=ana)
    retell(environment, EditNews("theirs-1", 0, f"{SECRET}!", timezone.now()))
    run_errands(all=True)
    assert SECRET not in everything_written()


@pytest.mark.parametrize(
    ("failure", "kept"),
    [(PermanentFailure("no such message", code=2002), False), (PermanentFailure("no", code=4001), True)],
)
def test_whatever_the_carrier_says_it_is_gone_here(
    ana, message, environment, gateway, run_errands, failure, kept
):
    message.delete_here(by=ana)
    gateway.failures.append(failure)
    run_errands(all=True)

    assert Message.objects.get(pk=message.pk).text == ""
    assert environment.events.filter(type="inbox.errand_failed").exists() == kept


def test_while_the_carrier_is_away_it_waits(ana, message, gateway, run_errands):
    message.delete_here(by=ana)
    gateway.failures.append(TemporaryFailure("busy"))
    run_errands(all=True)
    assert Errand.objects.waiting().count() == 1
    run_errands(all=True)
    assert Message.objects.get(pk=message.pk).text == ""


# In the list and in the search.


def test_the_list_says_that_it_was_deleted(client_of, ana, chat, message):
    message.delete_here(by=ana)
    html = client_of(ana).get("/inbox/all/").content.decode()
    assert "Message deleted" in html
    assert "QX471" not in html


def test_a_deleted_message_is_not_found(client_of, ana, chat, message):
    def found():
        return client_of(ana).get("/search/", {"q": "QX4711"}).content.decode()

    assert str(message.pk) in found()
    message.delete_here(by=ana)
    assert str(message.pk) not in found()
    message.undelete(by=ana)
    assert str(message.pk) in found()


# A file alone.


@pytest.fixture
def file(message):
    return Attachment.objects.get()


def test_a_file_is_deleted_here_and_at_the_carrier_and_the_message_stays(
    press, client_of, ben, message, file, run_errands, gateway
):
    answer = press(ben, "delete-file", file, message=message.pk)
    run_errands()
    html = answer.content.decode()

    assert answer.status_code == 200
    assert f'id="message-{message.pk}"' in html
    assert "code is QX4711" in html
    assert "File deleted" in html
    assert "<b>code.txt</b>" in html
    assert f'data-user="{ben.pk}"' in html
    assert gateway.calls == [("delete_attachment", "file-1")]
    file.refresh_from_db()
    assert (file.state, file.deleted_by) == ("deleted", ben)
    assert client_of(ben).get(reverse("media", args=[file.pk, "code.txt"])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_its_bytes_go_at_once(press, ana, message, file):
    stored = file.file
    press(ana, "delete-file", file, message=message.pk)
    assert not stored.storage.exists(stored.name)


def test_deleting_a_file_twice_asks_once(press, ana, ben, message, file):
    press(ana, "delete-file", file, message=message.pk)
    with nothing_changes():
        assert press(ben, "delete-file", file, message=message.pk).status_code == 200
    assert Errand.objects.filter(kind="delete_file").count() == 1
    file.refresh_from_db()
    assert file.deleted_by == ana


def test_a_file_of_ours_is_nothing_to_the_carrier(press, ana, chat, environment):
    file = Attachment.keep(environment, SimpleUploadedFile("ours.txt", b"x"), by=ana)
    message = chat.send(by=ana, content=Content([{"attachment": file}]))
    press(ana, "delete-file", file, message=message.pk)

    assert Attachment.objects.get().state == "deleted"
    assert not Errand.objects.filter(kind="delete_file").exists()


def test_a_file_that_is_twice_in_a_message_is_one_file(press, ana, message, file):
    Part.objects.create(message=message, index=2, kind="media", attachment=file)
    assert press(ana, "delete-file", file, message=message.pk).status_code == 200


@pytest.mark.parametrize(
    ("failure", "failed"),
    [(PermanentFailure("gone", code=2003), False), (PermanentFailure("no", code=4001), True)],
)
def test_what_the_carrier_says_of_a_file_troubles_nobody(
    ana, message, file, environment, gateway, run_errands, failure, failed
):
    message.delete_file(file, by=ana)
    gateway.failures.append(failure)
    run_errands()
    assert bool(Errand.objects.get().failed_at) == failed
    assert not environment.events.filter(type="inbox.errand_failed").exists()


def test_only_who_may_delete_on_the_line_deletes_its_files(
    press, client_of, olga, wim, person, environment, shop, reader, message, file
):
    cleo = person("Cleo", environment)
    shop.let_in(cleo, by=None, may_answer=True, may_delete=False)
    with nothing_changes():
        for stranger in (olga, wim):
            assert press(stranger, "delete-file", file, message=message.pk).status_code == 404
        for colleague in (cleo, reader):
            assert press(colleague, "delete-file", file, message=message.pk).status_code == 403
        assert client_of(cleo).get(reverse("delete-file", args=[file.pk])).status_code == 405
    file.refresh_from_db()
    assert file.state == "stored"


@pytest.mark.parametrize("named", ["", "abc", "\0", "01a20000-0000-7000-8000-000000000000"])
def test_a_file_is_deleted_from_a_message_that_shows_it(
    press, ana, chat, shop, make_chat, make_message, message, file, named
):
    other = make_message(make_chat(shop, DORA))
    assert press(ana, "delete-file", file, message=named or other.pk).status_code == 404
    assert press(ana, "delete-file", file).status_code == 404
    file.refresh_from_db()
    assert file.state == "stored"


def test_the_menu_knows_the_files_of_a_bubble(client_of, ana, chat, message, file):
    html = client_of(ana).get(reverse("messages", args=[chat.pk])).content.decode()
    assert html.count(f'data-file="{file.pk}"') == 1
    message.delete_file(file, by=ana)
    html = client_of(ana).get(reverse("messages", args=[chat.pk])).content.decode()
    assert f'data-file="{file.pk}"' not in html


def test_the_moment_to_think_again_is_longer_than_what_is_shown():
    assert timedelta(seconds=5) < UNDO_WITHIN
