import io

import httpx
import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from inbox import media, tasks
from inbox.kinds import kind_of
from inbox.models import Attachment, Chat, Part, Reaction
from tests.inbox import files

pytestmark = pytest.mark.django_db


def picture():
    data = io.BytesIO()
    Image.new("RGB", (8, 6), "teal").save(data, "PNG")
    return data.getvalue()


@pytest.fixture
def attachment(environment):
    return Attachment.objects.create(
        environment=environment,
        external_id="a-1",
        filename="IMG.HEIC",
        source_url="https://cdn.example.com/a-1",
    )


def test_media_is_stored_with_the_type_that_its_content_has(attachment, web):
    web.answers["cdn.example.com/a-1"] = httpx.Response(
        200, content=picture(), headers={"content-type": "text/html"}
    )
    media.fetch(attachment)

    attachment.refresh_from_db()
    assert (attachment.state, attachment.mime_type) == ("stored", "image/png")
    assert (attachment.width, attachment.height) == (8, 6)
    assert attachment.file.read() == picture()
    assert web.asked[0].url.host == "93.184.216.34"


def test_a_sticker_is_told_of_when_its_picture_is_there(attachment, web, chat, make_message):
    message = make_message(chat, "The saddle is yours")
    handle = chat.participants.first().handle
    Reaction.objects.create(
        message=message,
        chat=chat,
        handle=handle,
        type="sticker",
        key="sticker 1",
        sticker=attachment,
        added_at=timezone.now(),
    )
    web.answers["cdn.example.com/a-1"] = httpx.Response(200, content=picture())
    media.fetch(attachment)

    stored = chat.environment.events.filter(type="inbox.attachment_stored")
    assert list(stored.values_list("message_id", flat=True)) == [message.pk]


def test_what_is_too_large_is_refused_while_reading(attachment, web, settings):
    settings.MEDIA_MAX_BYTES = 10
    web.answers["cdn.example.com/a-1"] = httpx.Response(200, content=iter([b"x" * 6, b"x" * 6]))
    media.fetch(attachment)

    attachment.refresh_from_db()
    assert (attachment.state, attachment.error) == ("failed", "Larger than the limit for media")
    assert not attachment.file


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "192.168.1.4", "0.0.0.0"]
)
def test_private_addresses_are_never_asked(attachment, web, address):
    web.addresses["cdn.example.com"] = address
    media.fetch(attachment)

    attachment.refresh_from_db()
    assert attachment.state == "failed"
    assert web.asked == []


def test_a_redirect_to_a_private_address_is_refused(attachment, web):
    web.addresses["inside.example.com"] = "10.0.0.1"
    web.answers["cdn.example.com/a-1"] = httpx.Response(
        302, headers={"location": "https://inside.example.com/"}
    )
    media.fetch(attachment)

    attachment.refresh_from_db()
    assert attachment.state == "failed"
    assert len(web.asked) == 1


def test_a_failing_carrier_is_asked_again_later(attachment, web):
    web.answers["cdn.example.com/a-1"] = httpx.Response(503)
    media.fetch(attachment)

    attachment.refresh_from_db()
    assert (attachment.state, attachment.tries) == ("pending", 1)

    Attachment.objects.update(next_try_at=attachment.created_at)
    web.answers["cdn.example.com/a-1"] = httpx.Response(200, content=picture())
    media.fetch(attachment)
    attachment.refresh_from_db()
    assert attachment.state == "stored"


def test_what_is_gone_is_not_asked_for_again(attachment, web):
    web.answers["cdn.example.com/a-1"] = httpx.Response(404)
    media.fetch(attachment)
    attachment.refresh_from_db()
    assert (attachment.state, attachment.error) == ("failed", "The server answered 404")


def test_an_upload_is_kept_under_its_id_whatever_it_is_called(environment):
    kept = Attachment.keep(environment, SimpleUploadedFile("../../etc/<passwd>.png", picture()))
    assert kept.filename == "passwd.png"
    assert str(kept.pk) in kept.file.name
    assert len(kept.checksum) == 64


@pytest.fixture
def shared(environment, chat, make_message):
    """A file that carl sent to the shop."""

    def share(content, name):
        attachment = Attachment(environment=environment, filename=name)
        attachment.take(ContentFile(content, name=name))
        Part.objects.filter(message=make_message(chat, "")).update(kind="media", attachment=attachment)
        return attachment

    return share


def body(response):
    return b"".join(response.streaming_content)


def test_a_file_and_its_preview_are_for_those_who_see_the_conversation(
    shared, client_of, client, ana, lea, olga, person, environment, workshop
):
    attachment = shared(files.picture("HEIF"), "Crank.heic")
    tasks.make_previews()
    attachment.refresh_from_db()
    tom = person("Tom", environment, lines=[workshop])
    for address in (attachment.url, attachment.preview_url):
        assert [client_of(user).get(address).status_code for user in (ana, lea, tom, olga)] == [
            200,
            200,
            404,
            404,
        ]
        assert client.get(address).status_code == 302
        assert client_of(ana).post(address).status_code == 405
    assert client_of(ana).get(attachment.preview_url)["Content-Type"] == "image/jpeg"
    bare = shared(b"Only words", "words.txt")
    assert client_of(ana).get(bare.preview_url).status_code == 404


def test_what_is_not_sent_yet_is_for_who_uploaded_it(environment, client_of, ana, ben):
    upload = Attachment.keep(environment, SimpleUploadedFile("a.png", picture()), by=ana)
    assert client_of(ana).get(upload.url).status_code == 200
    assert client_of(ben).get(upload.url).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status", "content", "told"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=2-2000", 206, b"23456789", "bytes 2-9/10"),
        ("bytes=0-", 200, b"0123456789", None),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=5-2", 416, None, "bytes */10"),
        ("bytes=-0", 416, None, "bytes */10"),
        (f"bytes={'9' * 5000}-", 416, None, "bytes */10"),
    ],
)
def test_browsers_may_ask_for_a_part(shared, client_of, ana, asked, status, content, told):
    attachment = shared(b"0123456789", "digits.txt")
    response = client_of(ana).get(attachment.url, headers={"Range": asked})
    assert (response.status_code, response.get("Content-Range")) == (status, told)
    if content:
        assert body(response) == content
        assert response["Content-Length"] == str(len(content))


def test_parts_are_of_the_same_file_or_it_is_sent_whole(shared, client_of, ana):
    attachment = shared(b"0123456789", "digits.txt")
    client = client_of(ana)
    tag = client.get(attachment.url)["ETag"]

    def part(unless):
        return client.get(attachment.url, headers={"Range": "bytes=0-1", "If-Range": unless}).status_code

    assert part(tag) == 206
    assert part('"another"') == 200
    assert part("Wed, 25 Nov 2026 10:00:00 GMT") == 200


def test_what_the_browser_has_is_not_sent_again_unless_it_may_not_have_it(
    shared, client_of, ana, shop, django_capture_on_commit_callbacks
):
    attachment = shared(files.picture("HEIF"), "a.heic")
    tasks.make_previews()
    attachment.refresh_from_db()
    client = client_of(ana)
    for address in (attachment.url, attachment.preview_url):
        first = client.get(address)
        assert first["Cache-Control"] == "private, no-cache"
        again = client.get(address, headers={"If-None-Match": f'"x", W/{first["ETag"]}'})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert client.get(address, headers={"If-None-Match": '"x"'}).status_code == 200
    assert client.get(attachment.url)["ETag"] != client.get(attachment.preview_url)["ETag"]

    head = client.head(attachment.url)
    assert (head["Content-Length"], body(head)) == (str(attachment.size), b"")
    shop.people.remove(ana)
    assert client.get(attachment.url, headers={"If-None-Match": first["ETag"]}).status_code == 404


SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
ONLY_DOWNLOADED = [
    (SVG, "photo.png", "image/svg+xml"),
    (b"<?xml version='1.0'?>\n<!-- a -->\n" + SVG, "photo.jpg", "image/svg+xml"),
    (b"\n <!DOCTYPE html><script>alert(1)</script>", "film.mp4", "text/html"),
    (b"<html><body>Hello", "voice.m4a", "text/html"),
    (b"<script>alert(1)</script>", "offer.pdf", "text/html"),
    (b"<?xml version='1.0'?><note/>", "a.gif", "application/xml"),
    (b"alert(1)", "picture.webp", "text/plain"),
    (b"alert(1)", "script.js", "text/javascript"),
    (b"PK\x03\x04" + bytes(40), "a.jpg", "application/zip"),
    (b"\x00\x01\x02 nothing known", "a.mp4", "application/octet-stream"),
    (b"", "a.png", "application/octet-stream"),
]


@pytest.mark.parametrize(("content", "name", "kind"), ONLY_DOWNLOADED)
def test_pages_and_scripts_are_only_ever_downloaded(shared, client_of, ana, content, name, kind):
    attachment = shared(content, name)
    assert (attachment.mime_type, attachment.is_shown_in_place) == (kind, False)
    response = client_of(ana).get(attachment.url)
    assert response["Content-Disposition"].startswith("attachment")
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["X-Content-Type-Options"] == "nosniff"
    html = client_of(ana).get(f"/chats/{Chat.objects.get().pk}/messages/").content.decode()
    assert f'href="{attachment.url}" download' in html
    assert "<img" not in html


def two_pictures_in_one():
    data = io.BytesIO()
    first, second = Image.new("RGB", (8, 6), "teal"), Image.new("RGB", (8, 6), "red")
    first.save(data, "MPO", save_all=True, append_images=[second])
    return data.getvalue()


KINDS = [
    (lambda: files.film("mp4", "libx264"), "video/mp4"),
    (lambda: files.sound("mp4", "aac"), "audio/mp4"),
    (lambda: files.sound("ipod", "aac"), "audio/mp4"),
    (lambda: files.sound("mov", "aac"), "audio/mp4"),
    (lambda: files.sound("webm", "libopus", rate=48000), "audio/webm"),
    (lambda: files.film("webm", "libvpx"), "video/webm"),
    (lambda: files.film("matroska", "libx264"), "video/x-matroska"),
    (two_pictures_in_one, "image/jpeg"),
    (lambda: b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
    (lambda: "Grüße, Name\n".encode() * 400, "text/plain"),
    (lambda: b"\xef\xbb\xbfBEGIN:VCARD\r\n", "text/vcard"),
    (lambda: b"begin:vcalendar\r\n", "text/calendar"),
    (lambda: b"\xff\xd8\xff\xe0 no picture", "application/octet-stream"),
]


@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_a_file_is_what_it_holds(make, kind):
    content = make()
    assert kind_of(io.BytesIO(content), content[:4096], "a.exe")[0] == kind


def test_the_name_only_tells_texts_and_zips_apart():
    def kind(content, name):
        return kind_of(io.BytesIO(content), content, name)[0]

    assert kind(b"a,b\n1,2\n", "prices.csv") == "text/csv"
    assert kind(b"a,b\n1,2\n", "prices.vcf") == "text/plain"
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert kind(b"PK\x03\x04" + bytes(40), "offer.docx") == word


def test_a_memo_in_amr_is_no_program(environment):
    amr = SimpleUploadedFile("memo.amr", files.sound("amr", "amr_nb", rate=8000))
    assert Attachment.keep(environment, amr).mime_type == "audio/amr"
    with pytest.raises(ValidationError, match="is a program"):
        Attachment.keep(environment, SimpleUploadedFile("memo.amr", b"#!/bin/sh\n"))


def test_what_is_deleted_while_it_is_fetched_stays_deleted(attachment, web, ana):
    def answer(request):
        Attachment.objects.get().delete_file(by=ana)
        return httpx.Response(200, content=picture())

    web.answer = answer
    media.fetch(attachment)
    attachment.refresh_from_db()
    assert (attachment.state, attachment.file.name) == ("deleted", "")
