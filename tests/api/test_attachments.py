"""Files of programs: announced, uploaded, sent, deleted."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
import respx
from django.test import Client
from django.utils import timezone

from inbox.models import Attachment, Message
from tests.api.conftest import refused
from tests.conftest import CARL
from tests.inbox.files import picture, sound

pytestmark = pytest.mark.django_db
PICTURE = picture("PNG")


@pytest.fixture
def chat(shop, make_chat):
    return make_chat(shop, CARL, external_id="chat-1")


def announce(program, content, filename="bike.png", content_type="image/png", **more):
    return program.attachments.create(
        filename=filename, content_type=content_type, size_bytes=more.get("size", len(content))
    )


def put(announced, content, content_type=None):
    kind = content_type or announced.required_headers["Content-Type"]
    path = announced.upload_url.partition("//")[2].partition("/")[2]
    return Client().put(f"/{path}", content, content_type=kind)


def test_a_file_is_announced_uploaded_and_sent(program, chat, no_workers):

    announced = announce(program, PICTURE)
    assert program.attachments.retrieve(announced.attachment_id).status == "pending"
    with refused(404, 2007):
        program.chats.messages.send(str(chat.pk), message=media(announced))
    assert put(announced, PICTURE).status_code == 200
    told = program.attachments.retrieve(announced.attachment_id)
    assert (told.status, told.content_type, told.size_bytes) == ("complete", "image/png", len(PICTURE))
    sent = program.chats.messages.send(str(chat.pk), message=media(announced))
    (part,) = sent.message.parts
    assert (part.id, part.filename, part.mime_type) == (announced.attachment_id, "bike.png", "image/png")
    assert b"".join(Client().get(part.url.removeprefix("http://localhost:8000")).streaming_content) == PICTURE


def media(announced):
    return {"parts": [{"type": "media", "attachment_id": announced.attachment_id}]}


def test_an_upload_works_once_in_time_and_with_exactly_its_bytes(program):

    announced = announce(program, PICTURE)
    assert put(announced, PICTURE + b"x").json()["error"]["code"] == 1005
    assert put(announced, PICTURE[:-1]).json()["error"]["code"] == 1005
    assert put(announced, PICTURE, "image/jpeg").json()["error"]["code"] == 5006
    assert program.attachments.retrieve(announced.attachment_id).status == "pending"
    assert put(announced, PICTURE).status_code == 200
    assert put(announced, PICTURE).status_code == 409

    late = announce(program, PICTURE)
    Attachment.objects.filter(pk=late.attachment_id).update(
        upload_until=timezone.now() - timedelta(seconds=1)
    )
    assert put(late, PICTURE).status_code == 403


def test_an_address_that_we_did_not_give_out_takes_nothing(program):
    announced = announce(program, b"x" * 10)
    announced.upload_url = announced.upload_url[:-2] + "xx"
    assert put(announced, b"x" * 10).status_code == 404


def test_an_upload_is_put_and_nothing_else(program):
    path = "/" + announce(program, PICTURE).upload_url.partition("//")[2].partition("/")[2]
    for method in ("get", "post", "delete"):
        refusal = getattr(Client(), method)(path)
        assert (refusal.status_code, refusal.json()["error"]["code"], refusal["Allow"]) == (405, 1005, "PUT")


def test_what_breaks_at_an_upload_is_told_in_the_envelope(program, monkeypatch):
    announced = announce(program, PICTURE)
    monkeypatch.setattr(Attachment, "receive", lambda *args: 1 / 0)
    response = put(announced, PICTURE)
    assert (response.status_code, response.json()["error"]["code"]) == (500, 3006)
    assert response.json()["trace_id"] == response["X-Trace-ID"]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("application/pdf", PICTURE),
        ("image/png", b"%PDF-1.7 and so on"),
        ("audio/mpeg", PICTURE),
        ("text/plain", PICTURE),
    ],
)
def test_bytes_that_are_something_else_are_refused(program, kind, content):
    announced = announce(program, content, "file", kind)
    response = put(announced, content)
    assert (response.status_code, response.json()["error"]["code"]) == (400, 5006)
    assert program.attachments.retrieve(announced.attachment_id).status == "pending"


def test_a_program_is_never_taken(program):
    content = b"MZ" + b"\0" * 100
    assert (
        put(announce(program, content, "a.zip", "application/zip"), content).json()["error"]["code"] == 5004
    )


@pytest.mark.parametrize("kind", ["audio/flac", "audio/ogg", "application/x-msdownload", "nonsense"])
def test_kinds_that_phones_do_not_take_are_refused(program, kind):
    with refused(400, 5004):
        announce(program, b"x", "a", kind)


@pytest.mark.parametrize("size", [0, 100 * 1024 * 1024 + 1])
def test_a_size_has_limits(program, size):
    with refused(400, 1005):
        announce(program, b"", size=size)


def test_a_voice_memo_goes_alone(program, chat, no_workers):
    memo_sound = sound("wav", "pcm_s16le")
    announced = announce(program, memo_sound, "memo.wav", "audio/x-wav")
    put(announced, memo_sound)
    memo = program.chats.send_voicememo(str(chat.pk), attachment_id=announced.attachment_id).voice_memo
    assert (memo.to, memo.voice_memo.filename) == ([CARL], "memo.wav")
    assert Message.objects.get(pk=memo.id).is_voice_memo
    with refused(400, 5004):
        other = announce(program, PICTURE)
        put(other, PICTURE)
        program.chats.send_voicememo(str(chat.pk), attachment_id=other.attachment_id)
    with refused(400, 1005):
        program.chats.send_voicememo(str(chat.pk))


@respx.mock
def test_a_file_is_fetched_from_its_address(program, chat, no_workers, monkeypatch):
    monkeypatch.setattr("inbox.media.resolve", lambda host, port: "93.184.216.34")
    respx.get(url__regex="https://93.184.216.34.*").mock(httpx.Response(200, content=PICTURE))
    url = "https://files.example/bike.png"
    sent = program.chats.messages.send(str(chat.pk), message={"parts": [{"type": "media", "url": url}]})
    assert sent.message.parts[0].mime_type == "image/png"
    # What is ours already is not fetched again.
    again = {"parts": [{"type": "media", "url": sent.message.parts[0].url}]}
    sent_again = program.chats.messages.send(str(chat.pk), message=again)
    assert sent_again.message.parts[0].id == sent.message.parts[0].id
    assert respx.calls.call_count == 1


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/a.png", "http://files.example/a.png", "https://10.0.0.1/a"]
)
def test_nothing_is_fetched_from_inside(program, chat, url, monkeypatch):
    monkeypatch.setattr(
        "inbox.media.resolve", lambda host, port: "10.0.0.1" if host[0].isdigit() else "93.184.216.34"
    )
    with refused(400, 5007):
        program.chats.messages.send(str(chat.pk), message={"parts": [{"type": "media", "url": url}]})
    assert not Message.objects.exists()


def test_deleting_takes_the_bytes_and_leaves_the_part(program, chat, no_workers):

    announced = announce(program, PICTURE)
    put(announced, PICTURE)
    sent = program.chats.messages.send(str(chat.pk), message=media(announced))
    program.attachments.delete(announced.attachment_id)
    with refused(404, 2003):
        program.attachments.retrieve(announced.attachment_id)
    assert Client().get(sent.message.parts[0].url.removeprefix("http://localhost:8000")).status_code == 404
    with refused(404, 2003):
        program.chats.messages.send(str(chat.pk), message=media(announced))
    with refused(404, 2003):
        program.attachments.delete(announced.attachment_id)


def test_a_key_of_one_line_takes_no_file_from_another(
    program, client_with, key_of, environment, make_chat, chat, shop, workshop, no_workers
):
    of_shop = client_with(key_of(environment, line=shop))
    announced = announce(program, PICTURE)
    put(announced, PICTURE)
    program.chats.messages.send(str(chat.pk), message=media(announced))
    elsewhere = make_chat(workshop, CARL, external_id="elsewhere")
    program.chats.messages.send(str(elsewhere.pk), message=media(announced))
    with refused(403, 2005):
        of_shop.attachments.delete(announced.attachment_id)
    assert of_shop.attachments.retrieve(announced.attachment_id).status == "complete"
    program.attachments.delete(announced.attachment_id)


def test_a_stranger_has_no_file_of_ours(program, strangers, reader, chat):
    announced = announce(program, PICTURE)
    put(announced, PICTURE)
    for stranger in strangers.values():
        for call in (stranger.attachments.retrieve, stranger.attachments.delete):
            with refused(404, 2003):
                call(announced.attachment_id)
    with refused(403, 2005):
        reader.attachments.delete(announced.attachment_id)
    with refused(404, 2003):
        program.attachments.retrieve(str(uuid4()))
