"""What a message may hold (contract §5.1): every limit has its sentence, and refusing changes nothing."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from inbox import tasks
from inbox.models import Attachment, Chat, Message, Part, Refused
from inbox.models.content import VOICE_MEMO_BYTES, Content, parts_of
from inbox.models.effects import BUBBLE, SAME, SCREEN, effect_named, label_of, shown_as
from inbox.services import choices_for
from lines.sandbox import rules
from tests.conftest import CARL, DORA
from tests.inbox.conftest import nothing_changes

pytestmark = pytest.mark.django_db


def kept(environment, user, name="a.txt", mime_type="text/plain", size=1, **fields):
    """A file that `user` has uploaded."""
    return Attachment.objects.create(
        environment=environment,
        filename=name,
        mime_type=mime_type,
        size=size,
        uploaded_by=user,
        state="stored",
        **fields,
    )


@pytest.mark.parametrize("name", [*BUBBLE, *SCREEN, *SAME])
def test_each_effect_leaves_and_is_said_in_words(press, ana, chat, gateway, no_workers, name):
    answer = press(ana, "reply", chat, text="Congratulations!", effect=name)
    tasks.send_chat(chat.pk)
    effect = gateway.calls[0][1].effect

    assert effect == {"type": "bubble" if name in BUBBLE else "screen", "name": name}
    html = answer.content.decode()
    assert f'data-effect="{SAME.get(name, name)}"' in html
    assert f"Sent with {label_of(effect)}" in html


def test_an_effect_of_theirs_that_we_do_not_know_is_named_and_not_played(client_of, ana, chat):
    Message.objects.update(effect={"type": "screen", "name": "falling_leaves"})
    html = client_of(ana).get(reverse("messages", args=[chat.pk])).content.decode()

    assert "Sent with Falling leaves" in html
    assert shown_as({"name": "falling_leaves"})[0] == ""


@pytest.mark.parametrize("effect", [None, {}, {"type": "bubble"}, {"name": None}])
def test_no_effect_has_no_name(effect):
    assert label_of(effect) == ""
    with pytest.raises(ValueError, match="There is no effect"):
        effect_named((effect or {}).get("name"))


# What a form can say wrong.


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"text": ""}, "Write something, or attach a file."),
        ({"text": " \n\t "}, "Write something, or attach a file."),
        ({"text": "x" * 10_001}, "That is longer than a message can be (10,000 characters)."),
        ({"text": "x" * 100_000}, "That is longer than a message can be (10,000 characters)."),
        ({"text": "a\0b"}, "Null characters are not allowed."),
        ({"text": "a", "effect": "fireball"}, "There is no effect “fireball”."),
        ({"text": "a", "effect": "x" * 41}, "There is no such effect."),
        ({"text": "a", "service": "Fax"}, "There is no such service."),
        ({"text": "a", "service": "imessage"}, "There is no such service."),
        (
            {"text": "a", "effect": "slam", "service": "SMS"},
            "Without slam: effects are seen on iMessage only, and this goes by SMS.",
        ),
        (
            {"text": "a", "effect": "happy_birthday", "service": "RCS"},
            "Without balloons: effects are seen on iMessage only, and this goes by RCS.",
        ),
        ({"text": "a", "uploads": "abc"}, "That file is not there any more."),
        (
            {"text": "a", "uploads": "01a20000-0000-7000-8000-000000000000"},
            "That file is not there any more.",
        ),
        ({"text": "a", "key": "again"}, "This came without a key. Send it again."),
        ({"text": "a", "is_voice_memo": "on"}, "A voice memo goes alone, without text or other files."),
    ],
)
def test_each_limit_has_its_sentence_and_changes_nothing(press, ana, chat, data, sentence):
    chat.keep_draft("It is, shall I", by=ana)
    with nothing_changes():
        answer = press(ana, "reply", chat, **data)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_nothing_is_written_to_a_group_that_our_line_has_left(press, ana, chat):
    Chat.objects.update(is_group=True, line_left_at=timezone.now())
    with nothing_changes():
        answer = press(ana, "reply", chat, text="Hello?")
    assert (answer.status_code, "Shop has left this group." in answer.content.decode()) == (422, True)


@pytest.mark.parametrize("service", ["RCS", "SMS"])
def test_effects_need_imessage_where_the_service_is_automatic(press, ana, chat, service):
    Chat.objects.update(service=service)
    with nothing_changes():
        answer = press(ana, "reply", chat, text="a", effect="slam")
    assert f"this goes by {service}." in answer.content.decode()

    assert press(ana, "reply", chat, text="a", effect="slam", service="iMessage").status_code == 200


def test_a_hundred_parts_are_the_most(press, ana, chat, environment):
    files = [kept(environment, ana, f"{number}.txt") for number in range(101)]
    with nothing_changes():
        answer = press(ana, "reply", chat, text="", uploads=[file.pk for file in files])
        more = press(ana, "reply", chat, text="And a text", uploads=[file.pk for file in files[:100]])
    for refused in (answer, more):
        assert (refused.status_code, "A message has 100 parts at most." in refused.content.decode()) == (
            422,
            True,
        )

    assert press(ana, "reply", chat, text="", uploads=[file.pk for file in files[:100]]).status_code == 200
    assert Part.objects.filter(kind="media").count() == 100


def test_files_go_in_their_order_each_once_and_the_text_last(press, ana, chat, environment):
    first, second = kept(environment, ana, "1.txt"), kept(environment, ana, "2.txt")
    press(ana, "reply", chat, text="Both", uploads=[second.pk, first.pk, second.pk])

    parts = chat.messages.get(direction="outbound").parts.select_related("attachment")
    assert [str(part.attachment or part.text) for part in parts] == ["2.txt", "1.txt", "Both"]


def test_only_what_one_has_uploaded_oneself_and_still_has_can_be_sent(
    press, ana, ben, olga, chat, environment
):
    bens = kept(environment, ben)
    elsewhere = kept(olga.memberships.get().environment, ana)
    gone = kept(environment, ana)
    gone.delete_file(by=ben)
    for file in (bens, elsewhere, gone):
        with nothing_changes():
            answer = press(ana, "reply", chat, text="a", uploads=file.pk)
        assert (answer.status_code, "That file is not there any more." in answer.content.decode()) == (
            422,
            True,
        )


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("https://fairwheel.example/guide", ["link"]),
        ("  HTTPS://fairwheel.example/guide  ", ["link"]),
        ("Here: https://fairwheel.example/guide", ["text"]),
        ("https://fairwheel.example/" + "x" * 2022, ["link"]),
        ("https://fairwheel.example/" + "x" * 2023, ["text"]),
    ],
)
def test_an_address_alone_is_a_link(press, ana, chat, text, kinds):
    assert press(ana, "reply", chat, text=text).status_code == 200
    assert [part.kind for part in chat.messages.get(direction="outbound").parts.all()] == kinds


def test_an_address_beside_a_file_is_text(press, ana, chat, environment):
    press(ana, "reply", chat, text="https://fairwheel.example", uploads=kept(environment, ana).pk)
    parts = chat.messages.get(direction="outbound").parts.all()
    assert [part.kind for part in parts] == ["media", "text"]


# What only a program could say wrong.


@pytest.mark.parametrize(
    ("parts", "number", "sentence"),
    [
        ([], 1004, "Write something, or attach a file."),
        ([{"text": "a"}, {"text": "b"}], 1004, "Two texts cannot follow one another in one message."),
        ([{"link": "https://a.example"}, {"text": "b"}], 1004, "A link with a preview goes alone."),
        ([{"link": "https://a.example/" + "x" * 2048}], 1004, "A link has 2,048 characters at most."),
        ([{"text": "a\0"}], 1004, "A text cannot hold the character NUL."),
        ([{"text": "x" * 10_001}], 1004, "That is longer than a message can be (10,000 characters)."),
    ],
)
def test_parts_have_rules(ana, chat, parts, number, sentence):
    with nothing_changes(), pytest.raises(Refused) as refused:
        chat.send(by=ana, content=Content(parts))
    assert (refused.value.number, refused.value.sentence) == (number, sentence)


def test_a_text_beside_files_is_not_empty(ana, chat, environment):
    file = kept(environment, ana)
    with pytest.raises(Refused, match="A text cannot be empty"):
        chat.send(by=ana, content=Content([{"text": " "}, {"attachment": file}]))


def test_a_deleted_file_is_not_sent(ana, chat, environment):
    file = kept(environment, ana)
    file.delete_file(by=ana)
    with pytest.raises(Refused, match=r"a\.txt was deleted\."):
        chat.send(by=ana, content=Content([{"attachment": Attachment.objects.get()}]))


def test_there_are_three_services(ana, chat):
    with pytest.raises(Refused, match="There is no service “Fax”"):
        chat.send(by=ana, content=Content(parts_of("a"), preferred_service="Fax"))


# Voice memos.


@pytest.mark.parametrize("kind", ["mpeg", "x-m4a", "mp4", "aac", "x-caf", "wav", "aiff", "amr"])
def test_a_voice_memo_is_one_of_seven_kinds(press, ana, chat, environment, gateway, no_workers, kind):
    memo = kept(environment, ana, "memo", f"audio/{kind}", VOICE_MEMO_BYTES)
    memo.file.save("memo", BytesIO(b"x"))
    assert press(ana, "reply", chat, text="", uploads=memo.pk, is_voice_memo="on").status_code == 200
    tasks.send_chat(chat.pk)

    assert gateway.calls[0][1].is_voice_memo


@pytest.mark.parametrize(
    ("mime_type", "size", "text", "number", "sentence"),
    [
        ("audio/ogg", 9, "", 1, "A voice memo is MP3, M4A, AAC, CAF, WAV, AIFF or AMR."),
        ("video/mp4", 9, "", 1, "A voice memo is MP3, M4A, AAC, CAF, WAV, AIFF or AMR."),
        ("audio/mpeg", VOICE_MEMO_BYTES + 1, "", 1, "The voice memo is 10.0\xa0MB; 10 MB is the most."),
        ("audio/mpeg", 9, "Listen", 1, "A voice memo goes alone, without text or other files."),
        ("audio/mpeg", 9, "", 2, "A voice memo goes alone, without text or other files."),
    ],
)
def test_a_voice_memo_has_limits(press, ana, chat, environment, mime_type, size, text, number, sentence):
    memos = [kept(environment, ana, "memo", mime_type, size) for _ in range(number)]
    with nothing_changes():
        answer = press(ana, "reply", chat, text=text, uploads=[memo.pk for memo in memos], is_voice_memo="on")

    assert answer.status_code == 422
    assert sentence in answer.content.decode()


# The first message of a conversation.


def begin(client, line, **data):
    return client.post(reverse("new"), {"line": line.pk, "to": DORA, **data})


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"text": "Hello", "effect": "slam"}, "The first message of a conversation cannot have an effect."),
        *(
            (
                {"text": text},
                "A link in a first message is taken for spam, and refused. Send it once they have answered.",
            )
            for text in [
                "https://fairwheel.example",
                "Look at www.fairwheel.example",
                "HTTP://fairwheel.example now",
            ]
        ),
    ],
)
def test_a_first_message_has_neither_effects_nor_links(client_of, ana, shop, environment, data, sentence):
    with nothing_changes():
        answer = begin(client_of(ana), shop, **data)
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)

    environment.turn("frees_first_messages", True, by=None)
    assert begin(client_of(ana), shop, **data).status_code == 302


def test_a_first_message_answers_nothing(ana, shop, chat):
    new = Chat.start(shop, [DORA], by=ana)
    with pytest.raises(Refused, match="in another conversation"):
        new.send(by=ana, content=Content(parts_of("a"), original=chat.messages.get()))


def test_the_second_message_is_free(press, ana, shop, gateway, no_workers):
    new = Chat.start(shop, [DORA], by=ana)
    new.send(by=ana, text="Hello")

    assert press(ana, "reply", new, text="https://fairwheel.example", effect="").status_code == 200
    assert press(ana, "reply", new, text="And a slam", effect="slam").status_code == 200


# Services.


@pytest.mark.parametrize("service", ["iMessage", "RCS", "SMS"])
def test_the_service_that_was_chosen_is_asked_for(press, ana, chat, gateway, no_workers, service):
    press(ana, "reply", chat, text="a", service=service)
    press(ana, "reply", chat, text="b")
    tasks.send_chat(chat.pk)

    assert [call[1].preferred_service for call in gateway.calls] == [service, None]


def test_each_choice_says_what_it_means_and_what_a_phone_lacks(chat, shop, make_chat):
    automatic, imessage, rcs, sms = choices_for(chat)
    assert automatic.means == "iMessage, then RCS, then SMS. Carl gets iMessage now."
    assert "it fails, and says so" in imessage.means
    assert (imessage.refused, rcs.refused, sms.refused) == ("", "", "")

    handle = chat.others[0]
    handle.has_imessage = handle.has_rcs = False
    handle.save()
    _, imessage, rcs, sms = choices_for(Chat.objects.get(pk=chat.pk))
    assert imessage.refused == rcs.refused == "Carl does not have it."
    assert sms.refused == ""

    group = make_chat(shop, CARL, DORA, service="RCS")
    assert choices_for(group)[0].means.endswith("The group gets RCS now.")


def test_the_service_of_each_message_is_shown(client_of, ana, chat, make_message):
    message = make_message(chat, "By text", author=ana)
    Message.objects.filter(pk=message.pk).update(service="SMS", delivered_at=None)
    html = client_of(ana).get(reverse("messages", args=[chat.pk])).content.decode()

    assert 'data-service="imessage"' in html
    assert 'data-service="sms"' in html
    assert "receipts are not available on SMS" in html


def test_the_sandbox_knows_the_same_effects():
    assert {name: rules.effect_named(name) for name in [*BUBBLE, *SCREEN, *SAME]} == {
        name: effect_named(name) for name in [*BUBBLE, *SCREEN, *SAME]
    }


def test_files_that_come_with_the_form_have_limits(press, ana, chat, settings):
    with nothing_changes():
        many = press(
            ana, "reply", chat, text="a", files=[SimpleUploadedFile(f"{n}.txt", b"x") for n in range(11)]
        )
        settings.MEDIA_MAX_BYTES = 10
        large = press(ana, "reply", chat, text="a", files=[SimpleUploadedFile("long.txt", b"x" * 11)])

    assert "10 files are the most for one message." in many.content.decode()
    assert "long.txt is 11\xa0bytes; the limit is 10\xa0bytes." in large.content.decode()
