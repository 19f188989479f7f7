"""A flagged line: what to do about it, and conversations that go on from another."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox import mirror, tasks
from inbox.mirror import LineNews
from inbox.models import Chat, Label, Message, ScheduledSend
from inbox.models.content import Content
from inbox.models.moving import words_for
from lines.models import Line, LineAlert, SandboxWebhook
from tests.conftest import CARL, DORA

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_workers", "gateway")]

WORDS = "Hi {first_name}, Ana here from another number."


def hear(environment, line, status, *, after=0):
    at = timezone.now() + timedelta(seconds=after)
    mirror.learn(environment, [LineNews(number=line.phone_number, status=status, at=at)])
    line.refresh_from_db()


@pytest.fixture
def flagged(environment, shop, workshop, ana):
    """The shop, on which ana answers as she does on the workshop."""
    workshop.let_in(ana, by=None)
    hear(environment, shop, "FLAGGED")
    return shop


def drill(client, line):
    return client.get(reverse("flag-drill", args=[line.pk]))


def move(client, line, *chats, words=WORDS, **more):
    data = {"chat": [chat.pk for chat in chats], "words": words, "takes_waiting": "yes"} | more
    return client.post(reverse("move-from-line", args=[line.pk]), data)


def texts_of(chat):
    return [message.text for message in chat.messages.order_by("at", "id")]


def test_a_conversation_goes_on_from_another_line_with_what_waits(flagged, workshop, chat, ana):
    label = Label.make(chat.environment, "Wheels", by=ana)
    chat.add_label(label, by=ana)
    held = chat.send(by=ana, text="It is ready")
    assert held.state == "held"

    other = chat.move_to(workshop, words=WORDS, by=ana)

    assert (other.line, other.assignee, list(other.labels.all())) == (workshop, ana, [label])
    assert texts_of(other) == ["Hi Carl, Ana here from another number.", "It is ready"]
    chat.refresh_from_db()
    held.refresh_from_db()
    assert chat.is_closed
    assert (held.error, held.error_code) == ("it was sent from Workshop instead", 2027)
    tasks.send_chat(other.pk)
    assert {message.state for message in other.messages.all()} == {"accepted"}
    # Both tell of each other.
    for one, type_, counterpart in ((chat, "moved", other), (other, "continued", chat)):
        event = one.environment.events.get(type=f"inbox.chat_{type_}", chat_id=one.pk)
        assert event.data["chat"] == str(counterpart.pk)


def test_it_is_moved_once(flagged, workshop, chat, ana):
    assert chat.move_to(workshop, words=WORDS, by=ana)
    assert chat.move_to(workshop, words=WORDS, by=ana) is None
    assert Message.objects.filter(chat__line=workshop).count() == 1


def test_what_waits_may_stay_and_leaves_when_the_line_is_active_again(
    environment, flagged, workshop, chat, ana
):
    held = chat.send(by=ana, text="It is ready")
    chat.move_to(workshop, words=WORDS, by=ana, takes_waiting=False)
    hear(environment, flagged, "ACTIVE", after=5)
    tasks.send_chat(chat.pk)

    held.refresh_from_db()
    assert held.state == "accepted"
    assert not LineAlert.objects.open().exists()


def test_what_cannot_be_moved_says_why_and_stays(environment, flagged, workshop, chat, make_chat, ana):
    group = make_chat(flagged, CARL, DORA)
    with pytest.raises(ValidationError, match="A group keeps its line"):
        group.move_to(workshop, words=WORDS, by=ana)
    environment.opt_outs.create(handle=CARL, since=timezone.now(), keyword="STOP")
    before = Chat.objects.count()
    with pytest.raises(ValidationError, match="opted out"):
        chat.move_to(workshop, words=WORDS, by=ana)
    workshop.pause(by=None)
    with pytest.raises(ValidationError, match="sends nothing now"):
        chat.move_to(workshop, words=WORDS, by=ana)
    assert Chat.objects.count() == before
    chat.refresh_from_db()
    assert chat.is_open


def test_whose_name_nobody_knows_is_greeted_without(flagged, make_chat, ana):
    unknown = make_chat(flagged, DORA)
    assert words_for(unknown, WORDS, ana, flagged) == "Hi, Ana here from another number."


def test_what_goes_along_answers_nothing_of_the_old_conversation_and_asks_as_before(
    flagged, workshop, chat, make_message, ana
):
    theirs = chat.messages.get()
    chat.send(by=ana, content=Content([{"text": "It is"}], original=theirs))
    soon = timezone.now() + timedelta(minutes=2)
    later = chat.schedule(Content([{"text": "See you"}], original=theirs), send_at=soon, by=ana)
    other = chat.move_to(workshop, words="Now from {line}", by=ana)
    assert texts_of(other) == ["Now from Workshop", "It is"]
    assert not other.messages.filter(original__isnull=False).exists()

    make_message(other, "Too late")
    ScheduledSend.objects.update(send_at=timezone.now())
    later.refresh_from_db()
    later.leave()
    assert (later.chat, later.state, later.reply_to) == (other, "asking", None)


def test_the_page_says_what_waits_and_where_each_could_go(
    flagged, workshop, chat, make_chat, make_message, ana, client_of
):
    chat.send(by=ana, text="It is ready")
    dora, known = make_chat(flagged, DORA), make_chat(workshop, DORA)
    make_message(dora, "Anybody there?", ago=30)
    Chat.objects.filter(pk=dora.pk).update(waiting_since=timezone.now())
    make_message(known, "Hello", ago=3000)
    group = make_chat(flagged, CARL, DORA)
    make_message(group, "Who drives?", ago=20)

    response = drill(client_of(ana), flagged)
    html = response.content.decode()
    moves = {move.chat.pk: move for move in response.context["moves"]}
    assert response.status_code == 200
    assert (moves[chat.pk].why, moves[chat.pk].waiting) == ("Something waits to leave", 1)
    assert (moves[dora.pk].line, moves[dora.pk].why) == (workshop, "Waits for us")
    assert moves[group.pk].line is None
    assert "1 message held" in html
    assert "It is ready" in html
    assert html.count(" checked") == 3


def test_those_who_are_ticked_are_moved_one_a_minute(
    flagged, workshop, chat, make_chat, make_message, ana, client_of
):
    dora = make_chat(flagged, DORA)
    make_message(dora, "Anybody there?", ago=30)
    client = client_of(ana)
    assert move(client, flagged, chat, dora).status_code == 302
    assert move(client, flagged, chat, dora).status_code == 422

    first, second = Message.objects.filter(chat__line=workshop).order_by("next_try_at")
    assert second.next_try_at - first.next_try_at > timedelta(seconds=55)
    tasks.send_due()
    assert second.state == "queued"
    html = client.get(reverse("conversation", args=["closed", chat.pk])).content.decode()
    assert "moved the conversation to" in html


def test_all_may_go_to_the_line_that_is_chosen(
    environment, flagged, workshop, chat, make_chat, ana, client_of
):
    other = environment.lines.create(name="Bikes", phone_number="+12025550102")
    make_chat(workshop, CARL)
    client = client_of(ana)
    for no_line in (other.pk, flagged.pk, "x"):
        assert move(client, flagged, chat, to=no_line).status_code == 422
    other.let_in(ana, by=None)
    assert drill(client, flagged).context["moves"][0].is_known
    assert move(client, flagged, chat, to=other.pk).status_code == 302
    assert Chat.objects.filter(line=other).count() == 1


def test_the_first_words_are_shown_as_one_of_them_reads_them(
    flagged, workshop, chat, ana, reader, wim, client_of
):
    address = reverse("first-words", args=[flagged.pk])
    said = {"chat": [chat.pk], "words": "Hi {first_name}, from {line} <now>"}
    html = client_of(ana).post(address, said).content.decode()
    assert "Hi Carl, from Workshop &lt;now&gt;" in html
    assert client_of(ana).post(address, said | {"chat": ["x"]}).content.strip() == b""
    for user in (reader, wim):
        assert client_of(user).post(address, said).status_code == 404
    assert not Message.objects.filter(chat__line=workshop).exists()


def test_bad_input_moves_nothing(flagged, chat, ana, client_of):
    client = client_of(ana)
    for response in (
        move(client, flagged),
        move(client, flagged, chat, words=" "),
        move(client, flagged, chat, words="Hi {nick}"),
        client.post(reverse("move-from-line", args=[flagged.pk]), {"chat": ["x"], "words": "Hi"}),
    ):
        assert response.status_code == 422
        assert b'role="alert"' in response.content
    chat.refresh_from_db()
    assert chat.is_open


def test_strangers_and_readers_move_nothing(flagged, workshop, chat, reader, wim, olga, client_of):
    for user, sees in ((reader, 200), (wim, 404), (olga, 404)):
        client = client_of(user)
        assert drill(client, flagged).status_code == sees
        assert move(client, flagged, chat).status_code == 404
        for name in ("appeal-flag", "unflag-line"):
            assert client.post(reverse(name, args=[flagged.pk])).status_code == 404
    chat.refresh_from_db()
    assert chat.is_open


def test_an_admin_notes_the_appeal_and_that_it_works_again(environment, flagged, chat, ana, max, client_of):
    held = chat.send(by=ana, text="It is ready")
    client = client_of(max)
    for _ in range(2):
        assert client.post(reverse("appeal-flag", args=[flagged.pk])).status_code == 302
    assert LineAlert.objects.get().appealed_by == max
    assert "Max has asked" in drill(client, flagged).content.decode()

    client.post(reverse("unflag-line", args=[flagged.pk]))
    flagged.refresh_from_db()
    alert = LineAlert.objects.get()
    assert (flagged.status, alert.ended_by) == ("active", max)
    tasks.send_chat(chat.pk)
    held.refresh_from_db()
    assert held.state == "accepted"
    assert drill(client, flagged).status_code == 302
    # The carrier's next word counts again.
    hear(environment, flagged, "FLAGGED", after=5)
    assert flagged.status == "flagged"


def test_the_page_costs_the_same_for_one_as_for_many(flagged, chat, make_chat, make_message, lea, client_of):
    client = client_of(lea)
    drill(client, flagged)
    with CaptureQueriesContext(connection) as few:
        drill(client, flagged)
    for number in range(12):
        make_message(make_chat(flagged, f"+1415555020{number}"[:12]), "Hello", ago=60 + number)
    with CaptureQueriesContext(connection) as many:
        drill(client, flagged)
    assert len(many) == len(few) <= 40


def test_the_sandbox_flags_a_line_and_lifts_it(environment, shop, max, olga, client_of):
    data = {"line": shop.pk, "is_flagged": "yes"}
    assert client_of(olga).post(reverse("sandbox_flag"), data).status_code == 404
    assert client_of(max).post(reverse("sandbox_flag"), data).status_code == 302
    webhook = SandboxWebhook.objects.get()
    assert webhook.event_type == "phone_number.status_updated"
    assert '"new_status": "FLAGGED"' in webhook.body
    assert Line.objects.get(pk=shop.pk).status == "active"
