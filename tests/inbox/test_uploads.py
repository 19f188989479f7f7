"""Files on their way into a message: each by itself, checked by what it is, gone again where nobody sends it."""

import threading
from datetime import timedelta

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from inbox import media, tasks
from inbox.models import Attachment, Chat, Message, Refused
from inbox.models.content import VOICE_MEMO_BYTES, Content
from tests.conftest import DORA
from tests.inbox import files
from tests.inbox.conftest import nothing_changes

pytestmark = pytest.mark.django_db


@pytest.fixture
def upload(client_of, chat):
    def post(user, *file, to=chat, **data):
        given = {"file": SimpleUploadedFile(*file)} if file else {}
        return client_of(user).post(reverse("upload", args=[to.pk]), given | data)

    return post


def test_a_file_is_kept_and_only_its_uploader_sees_it_until_it_is_sent(
    upload, press, client_of, ana, ben, chat
):
    answer = upload(ana, "../../a/bike.png", files.picture("PNG")).json()
    file = Attachment.objects.get()
    address = reverse("media", args=[file.pk, "bike.png"])

    assert answer == {
        "id": str(file.pk),
        "name": "bike.png",
        "size": file.size,
        "type": "image/png",
        "url": address,
    }
    assert [client_of(user).get(address).status_code for user in (ana, ben)] == [200, 404]
    press(ana, "reply", chat, text="", uploads=file.pk)
    assert client_of(ben).get(address).status_code == 200


@pytest.mark.parametrize(
    ("name", "content", "mime_type"),
    [
        ("bike.jpg", files.picture("PNG"), "image/png"),
        ("guide.pdf", b"%PDF-1.7\n1 0 obj\n", "application/pdf"),
        ("amara.vcf", files.CONTACT.encode(), "text/vcard"),
        ("evening.ics", files.APPOINTMENT.encode(), "text/calendar"),
        ("notes.txt", b"Hello", "text/plain"),
    ],
)
def test_what_it_is_is_seen_by_its_content(upload, ana, name, content, mime_type):
    assert upload(ana, name, content).json()["type"] == mime_type


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("setup.exe", b"anything", "setup.exe is a program or a web page, and phones do not take those."),
        ("photo.jpg", b"MZ\x90\x00 not a photo", "photo.jpg is a program or a web page"),
        ("page.html", b"<html>", "page.html is a program or a web page"),
        ("drawing.svg", b"<svg/>", "drawing.svg is a program or a web page"),
        ("nothing.txt", b"", "nothing.txt is empty."),
    ],
)
def test_what_phones_do_not_take_is_refused_in_words(upload, ana, name, content, sentence):
    with nothing_changes():
        answer = upload(ana, name, content)
    assert (answer.status_code, sentence in answer.content.decode()) == (422, True)
    assert answer["Content-Type"].startswith("text/plain")
    assert not Attachment.objects.exists()


def test_what_is_too_large_says_how_large_it_is_and_may_be(upload, ana, settings):
    settings.MEDIA_MAX_BYTES = 10
    answer = upload(ana, "long.txt", b"x" * 11)
    assert (answer.status_code, answer.content.decode()) == (
        422,
        "long.txt is 11\xa0bytes; the limit is 10\xa0bytes.",
    )


@pytest.mark.parametrize("data", [{}, {"url": "  "}, {"file": "only text"}, {"voice": "on"}])
def test_nothing_is_no_file(upload, ana, data):
    answer = upload(ana, **data)
    assert (answer.status_code, answer.content.decode()) == (422, "Choose a file, or give a web address.")


def test_names_are_harmless(upload, ana):
    name = upload(ana, "a\r\nSet-Cookie: x\0" + "x" * 300 + ".txt", b"Hello").json()["name"]
    assert len(name) <= 140
    assert "\n" not in name


def test_strangers_find_nothing_and_readers_may_not(upload, client_of, olga, wim, reader, chat):
    for stranger in (olga, wim):
        assert upload(stranger, "a.txt", b"a").status_code == 404
    assert upload(reader, "a.txt", b"a").status_code == 403
    assert client_of(reader).get(reverse("upload", args=[chat.pk])).status_code == 405
    assert not Attachment.objects.exists()


# From a web address.


def test_what_stands_at_an_address_is_kept(upload, ana, web):
    content = files.picture("PNG", (300, 200))
    web.answers["cdn.example.com/a/bike red.png"] = httpx.Response(200, content=content)
    answer = upload(ana, url=" https://cdn.example.com/a/bike%20red.png?size=2 ").json()

    assert (answer["name"], answer["type"]) == ("bike red.png", "image/png")
    file = Attachment.objects.get()
    assert (file.uploaded_by, file.state, file.size) == (ana, "stored", len(content))
    assert file.file.read() == content


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("bike.png", "Not a web address."),
        ("ftp://cdn.example.com/a", "Not a web address."),
        ("javascript:alert(1)", "Not a web address."),
        ("https://", "Not a web address."),
        ("https://[", "Nothing could be fetched from that address."),
        ("https://cdn.example.com:99999/", "Nothing could be fetched from that address."),
        ("https://cdn.example.com/\0\x01", "Nothing could be fetched from that address."),
        ("https://cdn.example.com/" + "x" * 100_000, "Nothing could be fetched from that address."),
        ("https://no.example.com/a", "Nothing could be fetched from that address."),
        ("http://cdn.example.com/a", "Media is fetched over https from public addresses only."),
        ("https://inside.example.com/a", "Media is fetched over https from public addresses only."),
        ("https://cdn.example.com/away", "The server answered 404."),
        ("https://cdn.example.com/broken", "Nothing could be fetched from that address."),
        ("https://cdn.example.com/round", "Too many redirects."),
        ("https://cdn.example.com/in", "Media is fetched over https from public addresses only."),
        ("https://cdn.example.com/page.html", "page.html is a program or a web page"),
        ("https://cdn.example.com/empty.txt", "empty.txt is empty."),
        ("https://cdn.example.com/large", "Larger than the limit for media."),
        ("https://cdn.example.com/liar", "Larger than the limit for media."),
    ],
)
def test_an_address_that_gives_nothing_says_why(upload, ana, web, settings, monkeypatch, url, sentence):
    settings.MEDIA_URL_MAX_BYTES = 100

    def resolve(host, port):
        if host == "no.example.com":
            raise httpx.ConnectError("cannot be found")
        return {"inside.example.com": "10.0.0.7"}.get(host, "93.184.216.34")

    monkeypatch.setattr(media, "resolve", resolve)
    web.answers |= {
        "cdn.example.com/away": httpx.Response(404),
        "cdn.example.com/broken": httpx.Response(500),
        "cdn.example.com/round": httpx.Response(302, headers={"location": "/round"}),
        "cdn.example.com/in": httpx.Response(302, headers={"location": "https://inside.example.com/a"}),
        "cdn.example.com/page.html": httpx.Response(200, content=b"<html>"),
        "cdn.example.com/empty.txt": httpx.Response(200, content=b""),
        "cdn.example.com/large": httpx.Response(200, headers={"content-length": "101"}),
        "cdn.example.com/liar": httpx.Response(200, content=(b"x" for _ in range(101))),
    }
    answer = upload(ana, url=url)

    assert (answer.status_code, sentence in answer.content.decode()) == (422, True), answer.content
    assert not Attachment.objects.exists()


def test_what_comes_too_slowly_is_given_up(upload, ana, web, monkeypatch):
    monkeypatch.setattr(media, "URL_SECONDS", -1)
    web.answers["cdn.example.com/slow"] = httpx.Response(200, content=b"x")
    assert upload(ana, url="https://cdn.example.com/slow").content.decode() == "It came too slowly."


# Voice memos.


def test_what_a_browser_recorded_becomes_what_phones_play(upload, press, ana, chat):
    answer = upload(
        ana, "memo.webm", files.sound("webm", "libopus", rate=48000, seconds=1), voice="on"
    ).json()
    assert (answer["name"], answer["type"]) == ("memo.m4a", "audio/mp4")
    assert press(ana, "reply", chat, text="", uploads=answer["id"], is_voice_memo="on").status_code == 200


def test_what_phones_play_stays_as_it_is(upload, ana):
    wave = files.sound("wav", "pcm_s16le", seconds=0.5)
    answer = upload(ana, "memo.wav", wave, voice="on").json()
    assert (answer["name"], answer["size"]) == ("memo.wav", len(wave))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"Hello", "."),
        (b"", "."),
        (files.picture("PNG"), "That is no recording."),
        (b"x" * (VOICE_MEMO_BYTES + 1), "10 MB is the most for a voice memo."),
    ],
)
def test_what_is_no_recording_says_so(upload, ana, content, sentence):
    answer = upload(ana, "memo", content, voice="on")
    assert (answer.status_code, answer.content.decode().endswith(sentence)) == (422, True), answer.content
    assert not Attachment.objects.exists()


# Nobody sends it.


def test_it_can_be_taken_away_by_whoever_uploaded_it(upload, press, ana, ben, olga):
    upload(ana, "a.txt", b"a")
    file = Attachment.objects.get()
    for other in (ben, olga):
        assert press(other, "remove-upload", file).status_code == 404
    assert press(ana, "remove-upload", file).status_code == 204
    assert not Attachment.objects.exists()
    assert press(ana, "remove-upload", file).status_code == 404


def test_what_is_part_of_something_stays(upload, press, ana, chat):
    upload(ana, "a.txt", b"a")
    file = Attachment.objects.get()
    press(ana, "reply", chat, text="", uploads=file.pk)
    assert press(ana, "remove-upload", file).status_code == 204
    assert Attachment.objects.get() == file


@pytest.mark.django_db(transaction=True)
def test_its_bytes_go_with_it(upload, press, ana):
    upload(ana, "a.txt", b"a")
    file = Attachment.objects.get()
    press(ana, "remove-upload", file)
    assert not file.file.storage.exists(file.file.name)


def test_after_a_day_what_nobody_sent_is_gone(upload, ana, chat, environment, make_chat, shop):
    for name in ("sent", "planned", "forgotten", "fresh"):
        upload(ana, name, b"x")
    kept = {file.filename: file for file in Attachment.objects.all()}
    theirs = Attachment.objects.create(environment=environment, filename="theirs", external_id="a-1")
    chat.send(by=ana, content=Content([{"attachment": kept["sent"]}]))
    later = timezone.now() + timedelta(hours=1)
    chat.schedule(Content([{"attachment": kept["planned"]}]), send_at=later, by=ana)
    old = timezone.now() - tasks.UNUSED_FOR - timedelta(seconds=1)
    Attachment.objects.exclude(pk=kept["fresh"].pk).update(created_at=old)
    tasks.remove_unused_uploads()

    assert {str(file) for file in Attachment.objects.all()} == {"sent", "planned", "fresh", theirs.filename}


def test_what_went_away_meanwhile_is_not_sent(ana, chat, upload):
    upload(ana, "a.txt", b"a")
    file = Attachment.objects.get()
    Attachment.objects.all().delete()
    with nothing_changes(), pytest.raises(Refused, match=r"a\.txt is not there any more\. Attach it again\."):
        chat.send(by=ana, content=Content([{"attachment": file}]))


@pytest.mark.django_db(transaction=True)
def test_sent_and_taken_away_at_the_same_moment_it_is_one_of_the_two(
    upload, ana, chat, shop, make_chat, no_workers
):
    for number in range(4):
        upload(ana, f"{number}.txt", b"a")
        file = Attachment.objects.get(filename=f"{number}.txt")
        together, refused = threading.Barrier(2), []

        def send(file=file, together=together, refused=refused):
            mine = Chat.objects.get(pk=chat.pk)
            together.wait(10)
            try:
                mine.send(by=ana, content=Content([{"attachment": file}]))
            except Refused as refusal:
                refused.append(refusal.sentence)
            connection.close()

        def remove(file=file, together=together):
            together.wait(10)
            file.remove_unused()
            connection.close()

        threads = [threading.Thread(target=work) for work in (send, remove)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

        sent = Message.objects.filter(parts__attachment=file).exists()
        assert sent == Attachment.objects.filter(pk=file.pk).exists()
        assert bool(refused) != sent


def test_a_file_of_another_conversation_can_be_sent_here_too(upload, press, ana, chat, shop, make_chat):
    """Uploads are a person's, not a conversation's."""
    other = make_chat(shop, DORA)
    upload(ana, "a.txt", b"a", to=other)
    assert press(ana, "reply", chat, text="", uploads=Attachment.objects.get().pk).status_code == 200
