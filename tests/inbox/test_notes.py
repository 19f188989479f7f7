"""What colleagues say among themselves."""

import json
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from inbox import live
from inbox.models import Chat, Draft, Note
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


@pytest.fixture
def note(chat, ana):
    return chat.add_note("It is the crank arm", by=ana)


@pytest.fixture
def post(client_of):
    """Press something as `user`: post(ana, "edit-note", note, text=…)."""

    def press(user, name, noun, **said):
        address = reverse(name, args=[noun.pk])
        return client_of(user).post(address, said, headers={"HX-Request": "true"})

    return press


def html_of(note):
    return render_to_string("chats/_note.html", {"note": Note.objects.for_thread().get(pk=note.pk)})


def events_of(chat, *names):
    types = [f"inbox.note_{name}" for name in names]
    return list(chat.environment.events.filter(type__in=types, chat_id=chat.pk).order_by("id"))


def test_a_note_is_an_answer_to_nobody_and_goes_nowhere(chat, ana, environment):
    now = timezone.now()
    Chat.objects.filter(pk=chat.pk).update(waiting_since=now, status="closed", closed_at=now)
    before = Chat.objects.values().get(pk=chat.pk)
    note = chat.add_note("  Warranty until March ", by=ana)

    assert note.text == "Warranty until March"
    assert Chat.objects.values().get(pk=chat.pk) == before
    assert chat.messages.filter(direction="outbound").count() == chat.errands.count() == 0
    (event,) = events_of(chat, "added")
    assert (event.actor, event.line_id, event.data) == (ana, chat.line_id, {"note": str(note.pk)})


def test_the_same_key_writes_one_note(chat, ana):
    key = uuid4()
    assert chat.add_note("Once", by=ana, key=key) == chat.add_note("Once", by=ana, key=key)
    assert len(events_of(chat, "added")) == chat.notes.count() == 1


def test_a_key_of_another_conversation_or_person_shows_nothing_of_it(post, chat, ana, ben, shop, make_chat):
    key, other = uuid4(), make_chat(shop, DORA)
    other.add_note("About Dora", by=ana, key=key)
    answers = [
        post(ana, "add-note", chat, text="Mine", key=key),
        post(ben, "add-note", other, text="B", key=key),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert b"About Dora" not in answers[0].content + answers[1].content
    assert Note.objects.count() == 1


@pytest.mark.parametrize(("text", "sentence"), [(" \n", "empty"), ("x" * 10_001, "10,000 characters")])
def test_a_note_has_between_one_and_ten_thousand_characters(post, chat, ana, note, text, sentence):
    added, edited = post(ana, "add-note", chat, text=text), post(ana, "edit-note", note, text=text)

    for answer in (added, edited):
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    note.refresh_from_db()
    assert (note.text, note.edited_at, chat.notes.count()) == ("It is the crank arm", None, 1)
    assert chat.add_note("x" * 10_000, by=ana)


def test_whom_a_note_names_is_remembered_if_they_see_the_line(chat, person, environment, ana, ben, lea, olga):
    twin = person("Benjamin", environment)
    note = chat.add_note("@ben and @Lea: not @Olga, not @Benjamin, nor ana@Ben.example", by=ana)

    assert set(note.mentions.all()) == {ben, lea}
    assert '<b class="mention">@ben</b>' in html_of(note)
    assert '<b class="mention">@Olga' not in html_of(note)
    note.edit("Never mind", by=ana)
    assert not note.mentions.exists()
    assert not twin.mentioned_in.exists()


def test_a_whole_name_means_one_of_two_with_the_same_first_name(chat, ana, person, environment, shop):
    okafor, adler = (person(name, environment, lines=[shop]) for name in ("Bo", "Bea"))
    for someone, name in ((okafor, "Ben Okafor"), (adler, "Ben Adler")):
        someone.name = name
        someone.save()

    assert set(chat.add_note("@Ben Adler?", by=ana).mentions.all()) == {adler}
    assert set(chat.add_note("@Ben?", by=ana).mentions.all()) == {okafor, adler}


def test_what_a_note_says_is_text(chat, ana):
    html = html_of(chat.add_note("<script>alert(1)</script>\nhttps://fairwheel.example/guide", by=ana))

    assert "<script>" not in html
    assert '<a href="https://fairwheel.example/guide"' in html
    assert "<br>" in html


def test_its_author_a_lead_and_an_admin_may_change_it(post, chat, note, ana, ben, lea, max):
    for number, user in enumerate((ana, lea, max)):
        assert post(user, "edit-note", note, text=f"Version {number}").status_code == 200
    for name in ("edit-note", "delete-note"):
        refused = post(ben, name, note, text="Bent")
        assert refused.status_code == 422
        assert "Only Ana, a lead or an admin can change this note." in refused.content.decode()

    note.refresh_from_db()
    assert (note.text, note.deleted_at) == ("Version 2", None)
    assert [event.actor for event in events_of(chat, "edited")] == [ana, lea, max]
    assert "edited" in html_of(note)


def test_an_edit_that_changes_nothing_is_none(chat, note, ana):
    note.edit(note.text, by=ana)

    assert note.edited_at is None
    assert not events_of(chat, "edited")


def test_a_deleted_note_leaves_who_and_when(post, chat, note, ana, lea):
    answer = post(lea, "delete-note", note).content.decode()
    post(ana, "delete-note", note)

    assert "tombstone" in answer
    assert "Lea" in answer
    assert "crank" not in answer
    note.refresh_from_db()
    assert (note.text, note.deleted_by) == ("", lea)
    assert len(events_of(chat, "deleted")) == 1
    with pytest.raises(ValidationError, match="was deleted"):
        note.edit("Back again", by=ana)


def test_who_only_reads_may_note_and_where_the_guard_refuses_too(post, chat, person, environment, shop):
    reader = person("Rea", environment)
    shop.let_in(reader, by=None, may_answer=False)
    environment.opt_outs.create(handle=CARL, since=timezone.now(), keyword="STOP")

    assert post(reader, "add-note", chat, text="They opted out").status_code == 200
    assert chat.notes.get().author == reader


def test_strangers_find_no_note(client_of, post, chat, note, olga, person, environment):
    outsider = person("Tom", environment)
    for user in (olga, outsider):
        for name in ("edit-note", "delete-note"):
            assert post(user, name, note, text="Mine").status_code == 404
            assert client_of(user).get(reverse("note", args=[note.pk])).status_code == 404
        assert post(user, "add-note", chat, text="Mine").status_code == 404
    note.refresh_from_db()
    assert (note.text, Note.objects.count()) == ("It is the crank arm", 1)


def test_an_answer_is_the_note_as_of_a_sequence(post, client_of, chat, ana):
    answer = post(ana, "add-note", chat, text="It is the crank arm")
    note = chat.notes.get()
    form = client_of(ana).get(reverse("edit-note", args=[note.pk])).content.decode()

    assert f'<li id="note-{note.pk}" class="note"' in answer.content.decode()
    assert int(answer["X-Sequence"]) == chat.environment.last_sequence
    assert f'id="note-{note.pk}"' in form
    assert "It is the crank arm</textarea>" in form
    assert client_of(ana).post(reverse("add-note", args=[chat.pk]), {"text": "Plain"}).status_code == 302


def test_notes_stand_in_the_thread_at_their_time(client_of, chat, note, ana, make_message):
    make_message(chat, "Afterwards", ago=-5)
    html = client_of(ana).get(reverse("messages", args=[chat.pk])).content.decode()

    assert html.index("Is the blue one") < html.index("crank arm") < html.index("Afterwards")


def test_the_thread_costs_the_same_for_one_note_and_for_twenty(
    client_of, chat, ana, ben, django_assert_num_queries
):
    client, address = client_of(ana), reverse("messages", args=[chat.pk])
    chat.add_note("@Ben look", by=ana)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        client.get(address)
    for number in range(19):
        chat.add_note(f"@Ben look {number}", by=ben)
    with django_assert_num_queries(len(queries)):
        client.get(address)


def test_drafts_are_kept_apart_by_mode(client_of, chat, ana, ben):
    client, address = client_of(ana), reverse("draft", args=[chat.pk])
    client.post(address, {"text": "Dear Carl"})
    client.post(address, {"text": "He is rude", "mode": "note"})

    assert chat.drafts_of(ana) == {"reply": "Dear Carl", "note": "He is rude", "mode": "note"}
    assert chat.drafts_of(ben) == {"reply": "", "note": "", "mode": "reply"}
    client.post(address, {"text": "Dear Carl,"})
    assert chat.drafts_of(ana) == {"reply": "Dear Carl,", "note": "He is rude", "mode": "reply"}
    assert client.post(address, {"text": "?", "mode": "shout"}).status_code == 422
    # Only replies are drafts in the list.
    assert Chat.objects.with_own(ana).get().draft == "Dear Carl,"


def test_a_reply_leaves_the_draft_of_a_note_alone_and_a_note_that_of_a_reply(chat, ana):
    chat.keep_draft("He is rude", by=ana, mode="note")
    chat.keep_draft("Dear Carl", by=ana)
    chat.send(by=ana, text="Dear Carl")
    assert chat.drafts_of(ana) == {"reply": "", "note": "He is rude", "mode": "reply"}

    chat.keep_draft("Dear Carl", by=ana)
    chat.keep_draft("He is rude", by=ana, mode="note")
    chat.add_note("He is rude", by=ana)
    assert chat.drafts_of(ana) == {"reply": "Dear Carl", "note": "", "mode": "note"}


def test_the_mode_that_was_written_in_last_is_remembered_without_a_text(chat, ana):
    chat.keep_draft("", by=ana, mode="note")
    assert chat.drafts_of(ana)["mode"] == "note"

    chat.keep_draft("", by=ana)
    assert chat.drafts_of(ana)["mode"] == "reply"
    assert not Draft.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_watches_is_told_of_a_note_and_who_may_not_look_is_not(chat, ana, ben, olga, environment):
    note = chat.add_note("It is the crank arm", by=ana)
    (push,) = live.said_in(chat.pk, environment.pk, ben, since=None)

    assert f'id="note-{note.pk}"' in json.loads(push.full)["note"]
    assert "crank" not in push.brief
    with pytest.raises(Chat.DoesNotExist):
        live.said_in(chat.pk, environment.pk, olga, since=None)
    note.delete_here(by=ana)
    (push,) = live.said_in(chat.pk, environment.pk, ben, since=None)
    assert "tombstone" in json.loads(push.full)["note"]
