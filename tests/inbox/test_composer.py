from io import BytesIO
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from inbox.models import Attachment, Chat, Draft
from tests.conftest import CARL, DORA

pytestmark = pytest.mark.django_db


def png(width=4, height=3):
    picture = BytesIO()
    Image.new("RGB", (width, height), "red").save(picture, "PNG")
    return picture.getvalue()


@pytest.fixture
def write(client_of, chat):
    """Post a reply as `user`; htmx unless said otherwise."""

    def post(user, text="It is!", *, to=chat, htmx=True, **data):
        headers = {"HX-Request": "true"} if htmx else {}
        return client_of(user).post(reverse("reply", args=[to.pk]), {"text": text, **data}, headers=headers)

    return post


def test_a_reply_is_queued_and_its_bubble_is_the_answer(write, ana, chat):
    key = str(uuid4())
    response = write(ana, key=key)
    message = chat.messages.get(direction="outbound")

    assert response.status_code == 200
    assert f'id="message-{message.pk}"' in response.content.decode()
    assert f'data-key="{key}"' in response.content.decode()
    assert (message.text, message.author, message.state) == ("It is!", ana, "queued")


def test_the_same_key_sends_once(write, ana, chat):
    key = str(uuid4())
    first, second = write(ana, key=key), write(ana, key=key)

    assert first.content == second.content
    assert chat.messages.filter(direction="outbound").count() == 1


def test_a_key_of_another_conversation_shows_nothing_of_it(write, ana, chat, shop, make_chat):
    other = make_chat(shop, DORA)
    key = str(uuid4())
    write(ana, "For Dora only", to=other, key=key)
    response = write(ana, "For Carl", key=key)

    assert response.status_code == 422
    assert b"Dora" not in response.content


@pytest.mark.parametrize("text", ["", "   \n"])
def test_nothing_is_not_a_message(write, ana, chat, text):
    response = write(ana, text)

    assert response.status_code == 422
    assert b"Write something" in response.content
    assert not chat.messages.filter(direction="outbound").exists()


def test_a_key_is_a_uuid_and_a_text_has_an_end(write, ana):
    assert write(ana, key="again").status_code == 422
    assert write(ana, "x" * 10_001).status_code == 422


def test_without_javascript_a_reply_leads_back_to_the_page(write, ana, chat):
    assert write(ana, htmx=False)["Location"] == reverse("conversation", args=["all", chat.pk])


def test_a_draft_is_kept_per_person_and_gone_once_sent(client_of, write, ana, ben, chat):
    client = client_of(ana)
    client.post(reverse("draft", args=[chat.pk]), {"text": "It is, shall I"})

    assert "It is, shall I" in client.get(reverse("foot", args=[chat.pk])).content.decode()
    assert "It is, shall I" not in client_of(ben).get(reverse("foot", args=[chat.pk])).content.decode()
    write(ana, "It is, shall I keep it?")
    assert not Draft.objects.exists()


def test_an_emptied_draft_is_no_draft(client_of, ana, chat):
    client = client_of(ana)
    client.post(reverse("draft", args=[chat.pk]), {"text": "Hm"})
    client.post(reverse("draft", args=[chat.pk]), {"text": " "})

    assert not Draft.objects.exists()


def test_who_may_only_see_cannot_answer(write, client_of, person, environment, shop, chat):
    reader = person("Rea", environment)
    shop.let_in(reader, by=None, may_answer=False)

    assert write(reader).status_code == 403
    assert b"not answer on it" in client_of(reader).get(reverse("foot", args=[chat.pk])).content
    assert not chat.messages.filter(direction="outbound").exists()


def test_where_the_guard_refuses_only_notes_can_be_written(client_of, ana, environment, shop, chat):
    client, foot = client_of(ana), reverse("foot", args=[chat.pk])
    assert b'data-set-mode="reply"' in client.get(foot).content
    opt_out = environment.opt_outs.create(handle=CARL, since=timezone.now(), keyword="STOP")
    said = client.get(foot).content.decode()

    assert 'data-set-mode="reply"' not in said
    assert 'data-set-mode="note"' in said
    assert "Carl opted out" in said
    assert "writing again" in said
    opt_out.delete()
    shop.pause(by=None, reason="too many reports")
    assert "too many reports" in client.get(foot).content.decode()


def test_a_refused_reply_is_kept_and_explained(write, ana, environment, chat):
    environment.opt_outs.create(handle=CARL, since=timezone.now(), keyword="STOP")
    response = write(ana, "One more thing")

    assert b'data-state="refused"' in response.content
    assert b"Not sent" in response.content


def test_a_failed_message_is_tried_again_by_its_button(client_of, write, ana, chat):
    write(ana)
    message = chat.messages.get(direction="outbound")
    message.fail(4001, "The carrier did not answer")
    response = client_of(ana).post(reverse("retry", args=[message.pk]), headers={"HX-Request": "true"})

    assert b'data-state="queued"' in response.content
    assert chat.messages.filter(direction="outbound").count() == 1


def test_files_leave_with_the_text(write, ana, chat):
    files = [
        SimpleUploadedFile("../a/bike.png", png()),
        SimpleUploadedFile("guide.pdf", b"%PDF-1.7\n1 0 obj\n"),
    ]
    write(ana, "See for yourself", files=files)
    message = chat.messages.get(direction="outbound")
    picture, guide = (part.attachment for part in message.parts.exclude(attachment=None))

    assert (picture.filename, picture.mime_type, picture.width) == ("bike.png", "image/png", 4)
    assert (guide.mime_type, guide.state) == ("application/pdf", "stored")
    assert len(picture.checksum) == 64
    assert message.text == "See for yourself"


def test_a_file_alone_is_a_message(write, ana, chat):
    assert write(ana, "", files=[SimpleUploadedFile("bike.png", png())]).status_code == 200


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("setup.exe", b"anything"),
        ("photo.jpg", b"MZ\x90\x00 not a photo"),
        ("page.html", b"<html>"),
        ("drawing.svg", b"<svg/>"),
        ("nothing.txt", b""),
    ],
)
def test_what_phones_do_not_take_is_refused_in_words(write, ana, chat, name, content):
    response = write(ana, "Look", files=[SimpleUploadedFile(name, content)])

    assert response.status_code == 422
    assert not chat.messages.filter(direction="outbound").exists()
    assert not Attachment.objects.exists()


def test_ten_files_are_the_most(write, ana):
    files = [SimpleUploadedFile(f"{number}.txt", b"x") for number in range(11)]

    assert write(ana, files=files).status_code == 422


def test_a_file_that_is_too_large_says_so(environment, settings):
    settings.MEDIA_MAX_BYTES = 10
    with pytest.raises(ValidationError, match="the limit is"):
        Attachment.keep(environment, SimpleUploadedFile("long.txt", b"x" * 11))


def begin(client, line, to, text="Hello from the shop", **data):
    return client.post(reverse("new"), {"line": line.pk, "to": to, "text": text, **data})


def test_a_new_conversation_begins_with_its_first_message(client_of, ana, shop):
    response = begin(client_of(ana), shop, "+1 415 555 0199")
    chat = Chat.objects.get()

    assert response["Location"] == reverse("conversation", args=["mine", chat.pk])
    assert [handle.value for handle in chat.others] == ["+14155550199"]
    assert chat.messages.get().text == "Hello from the shop"


def test_the_same_people_lead_to_the_chat_that_exists(client_of, ana, shop, chat):
    begin(client_of(ana), shop, CARL)

    assert Chat.objects.get() == chat
    assert chat.messages.count() == 2


def test_several_people_are_a_group(client_of, ana, shop):
    begin(client_of(ana), shop, f"{CARL}, {DORA}; {CARL}")

    assert Chat.objects.get().is_group
    assert len(Chat.objects.get().others) == 2


@pytest.mark.parametrize("to", ["12", "carl", "carl@", "", " , "])
def test_who_cannot_be_reached_is_said_in_a_sentence(client_of, ana, shop, to):
    response = begin(client_of(ana), shop, to)

    assert response.status_code == 422
    assert b"composer__warning" in response.content
    assert not Chat.objects.exists()


def test_a_new_conversation_needs_a_line_one_may_answer_on(client_of, ana, shop, workshop, olga):
    assert begin(client_of(ana), workshop, CARL).status_code == 422
    assert begin(client_of(olga), shop, CARL).status_code == 422
    shop.let_in(ana, by=None, may_answer=False)
    assert begin(client_of(ana), shop, CARL).status_code == 422
    assert not Chat.objects.exists()


def test_people_we_know_are_found_by_name_and_number(client_of, ana, chat):
    client = client_of(ana)
    for words in ("ca", "Carl", "555 0123"):
        assert CARL in client.get(reverse("people-to-write"), {"q": words}).content.decode()
    assert CARL not in client.get(reverse("people-to-write"), {"q": "Dora"}).content.decode()
