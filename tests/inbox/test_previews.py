"""What is shown of files, whoever wrote them."""

import io
import subprocess
import sys
import time
from datetime import timedelta

import av
import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from inbox import previews, tasks
from inbox.models import Attachment, Message, Part
from inbox.models.previewing import MAX_TRIES
from lines.models import Event
from tests.inbox import files

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(environment):
    """A file of the carrier's, as it is once it is fetched."""

    def store(content, name="File"):
        attachment = Attachment(environment=environment, filename=name)
        attachment.take(ContentFile(content, name=name))
        return attachment

    return store


@pytest.fixture
def made(store):
    """A file of which whatever is to be made has been made."""

    def made(content, name="File"):
        attachment = store(content, name)
        tasks.make_previews()
        attachment.refresh_from_db()
        return attachment

    return made


@pytest.fixture
def sent(chat, make_message):
    """The message by which carl sent this file."""

    def sent(attachment):
        message = make_message(chat, "")
        Part.objects.filter(message=message).update(kind="media", attachment=attachment)
        return message

    return sent


@pytest.fixture
def shown(sent, client_of, ana):
    """The conversation as ana sees it with this file in it."""

    def shown(attachment):
        message = sent(attachment)
        return client_of(ana).get(f"/chats/{message.chat_id}/messages/").content.decode()

    return shown


def opened(attachment):
    with attachment.preview.open("rb") as file:
        image = Image.open(io.BytesIO(file.read()))
        image.load()
        return image


def wave_of(html):
    return html.partition('class="voice-memo__wave"')[2].partition("</svg>")[0]


def is_red(pixel):
    return pixel[0] > 150 and pixel[2] < 100


PICTURES = {
    "image/heic": ("HEIF", {}),
    "image/tiff": ("TIFF", {}),
    "image/bmp": ("BMP", {}),
    "image/avif": ("AVIF", {}),
    "image/jpeg": ("JPEG", {"size": (2400, 1200)}),
    "image/png": ("PNG", {"size": (1200, 2400)}),
    "image/webp": ("WEBP", {"size": (2000, 1700)}),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_pictures_get_a_jpeg_that_browsers_show(made, shown, kind):
    format, options = PICTURES[kind]
    attachment = made(files.picture(format, **options), "wrong name.gif")

    assert (attachment.mime_type, attachment.preview_state) == (kind, "made")
    picture = opened(attachment)
    assert picture.format == "JPEG"
    assert max(picture.size) <= 1600
    assert picture.size[0] / picture.size[1] == pytest.approx(attachment.width / attachment.height, rel=0.01)
    assert is_red(picture.getpixel((2, picture.height // 2)))
    html = shown(attachment)
    assert f'<img src="{attachment.preview_url}"' in html
    assert f'href="{attachment.url}"' in html


@pytest.mark.parametrize(
    ("format", "kind"), [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp"), ("GIF", "gif")]
)
def test_small_pictures_that_browsers_show_are_left_alone(made, shown, format, kind):
    attachment = made(files.picture(format))

    assert (attachment.mime_type, attachment.preview_state) == (f"image/{kind}", "none")
    assert f'<img src="{attachment.url}"' in shown(attachment)


def test_a_picture_that_moves_keeps_moving(made, shown):
    stream = io.BytesIO()
    frames = [Image.new("RGB", (2000, 60), colour) for colour in ("red", "blue", "green")]
    frames[0].save(stream, "WEBP", save_all=True, append_images=frames[1:])
    attachment = made(stream.getvalue())

    assert (attachment.preview_state, attachment.preview.name) == ("made", "")
    assert f'<img src="{attachment.url}"' in shown(attachment)


@pytest.mark.parametrize("format", ["JPEG", "TIFF", "WEBP", "HEIF", "AVIF"])
def test_pictures_stand_upright_and_do_not_tell_where_they_were_taken(made, format):
    content = files.picture(format, (2000, 1000), orientation=6, place=files.PLACE)
    if format != "HEIF":
        assert Image.open(io.BytesIO(content)).getexif()[files.ORIENTATION] == 6
    attachment = made(content)

    assert (attachment.width, attachment.height) == (1000, 2000)
    picture = opened(attachment)
    assert picture.size == (800, 1600)
    # The camera was held on its side: what was left is above.
    assert is_red(picture.getpixel((400, 20)))
    assert not is_red(picture.getpixel((400, 1580)))
    assert not picture.getexif()
    assert not {"exif", "xmp", "comment"} & picture.info.keys()
    # The original is kept as it was sent.
    assert attachment.file.read() == content


def test_what_is_seen_through_stands_on_white(made):
    stream = io.BytesIO()
    Image.new("RGBA", (2000, 20), (0, 0, 0, 0)).save(stream, "PNG")
    assert opened(made(stream.getvalue())).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(60_000, 60_000), (8_100, 8_100)])
def test_a_bomb_is_not_lit(made, shown, size):
    began = time.monotonic()
    attachment = made(files.giant(*size), "wall.png")

    assert (attachment.mime_type, attachment.preview_state) == ("image/png", "failed")
    assert attachment.preview_error == "This picture has more than 64 million pixels"
    assert time.monotonic() - began < 10
    html = shown(attachment)
    assert "<img" not in html
    assert "This picture has more than 64 million pixels" in html


# Container, codec, what it is, and whether every browser plays it.
SOUNDS = [
    ("caf", "pcm_s16le", "audio/x-caf", False),
    ("caf", "alac", "audio/x-caf", False),
    ("amr", "amr_nb", "audio/amr", False),
    ("aiff", "pcm_s16be", "audio/aiff", False),
    ("3gp", "amr_nb", "audio/3gpp", False),
    ("ogg", "libopus", "audio/ogg", False),
    ("webm", "libopus", "audio/webm", False),
    ("ipod", "alac", "audio/mp4", False),
    ("ipod", "aac", "audio/mp4", True),
    ("mp4", "aac", "audio/mp4", True),
    ("adts", "aac", "audio/aac", True),
    ("mp3", "libmp3lame", "audio/mpeg", True),
    ("wav", "pcm_s16le", "audio/wav", True),
    ("flac", "flac", "audio/flac", True),
]


@pytest.mark.parametrize(("container", "codec", "kind", "is_playable"), SOUNDS)
def test_sounds_get_a_length_a_waveform_and_what_browsers_play(
    made, shown, container, codec, kind, is_playable
):
    rate = 8000 if codec == "amr_nb" else 48000 if codec == "libopus" else 16000
    attachment = made(files.sound(container, codec, rate=rate), "Audio.pdf")

    assert (attachment.mime_type, attachment.preview_state) == (kind, "made"), attachment.preview_error
    assert attachment.seconds == pytest.approx(2, abs=0.15)
    assert len(attachment.peaks) == 44
    assert all(type(peak) is int and 0 <= peak <= 100 for peak in attachment.peaks)
    assert max(attachment.peaks) == 100
    # It grows from silence to its loudest.
    assert attachment.peaks[2] < attachment.peaks[20] < attachment.peaks[40]
    assert (attachment.is_playable, bool(attachment.preview)) == (is_playable, not is_playable)
    if not is_playable:
        with av.open(attachment.preview.open("rb")) as m4a:
            sound = m4a.streams.audio[0]
            assert (sound.codec_context.name, sound.codec_context.channels) == ("aac", 1)
            heard = sum(frame.samples for frame in m4a.decode(sound)) / sound.codec_context.sample_rate
        assert heard == pytest.approx(2, abs=0.2)
    html = shown(attachment)
    assert f'<audio src="{attachment.sound_url}"' in html
    assert wave_of(html).count("<rect") == 44
    assert "Play voice memo, 0:02" in html


def test_silence_is_a_flat_line(made):
    wav = files.sound("wav", "pcm_s16le")
    attachment = made(wav[:-60_000] + bytes(60_000))
    assert attachment.peaks[-30:] == [0] * 30
    assert [bar["height"] for bar in attachment.bars][-30:] == [3] * 30


# Container, codec, pixels, what it is, and whether every browser plays it.
FILMS = [
    ("mp4", "libx264", "yuv420p", "video/mp4", True),
    ("mov", "libx264", "yuv420p", "video/quicktime", True),
    ("webm", "libvpx", "yuv420p", "video/webm", True),
    ("mp4", "libx264", "yuv444p", "video/mp4", False),
    ("mov", "libx265", "yuv420p", "video/quicktime", False),
    ("3gp", "h263", "yuv420p", "video/3gpp", False),
    ("avi", "mpeg4", "yuv420p", "video/x-msvideo", False),
    ("mpeg", "mpeg2video", "yuv420p", "video/mpeg", False),
]


@pytest.mark.parametrize(("container", "codec", "pixels", "kind", "is_playable"), FILMS)
def test_films_get_a_poster_and_a_player_or_a_reason(
    made, shown, container, codec, pixels, kind, is_playable
):
    attachment = made(files.film(container, codec, pixels=pixels), "Film.txt")

    assert (attachment.mime_type, attachment.preview_state) == (kind, "made"), attachment.preview_error
    assert attachment.seconds == pytest.approx(2, abs=0.3)
    assert (attachment.width, attachment.height) == (176, 144)
    assert attachment.is_playable == is_playable
    poster = opened(attachment)
    assert is_red(poster.getpixel((20, 72)))
    assert not is_red(poster.getpixel((150, 72)))
    html = shown(attachment)
    assert (f'poster="{attachment.preview_url}"' in html) == is_playable
    assert ("Browsers do not play this kind" in html) != is_playable
    assert attachment.url in html


def test_a_film_that_was_held_on_its_side_stands_upright(made):
    attachment = made(files.turned(files.film("mov", "libx264")))

    assert (attachment.width, attachment.height) == (144, 176)
    poster = opened(attachment)
    assert poster.size == (144, 176)
    assert is_red(poster.getpixel((72, 20)))
    assert not is_red(poster.getpixel((72, 150)))


HOSTILE = {
    "half a JPEG": ("picture", files.picture("JPEG", (2000, 2000))[:9000]),
    "half a HEIC": ("picture", files.picture("HEIF", (400, 400))[:-200]),
    "half an AVIF": ("picture", files.picture("AVIF", (400, 400))[:-200]),
    "half a film": ("video", files.film("mp4", "libx264")[:1500]),
    "a film of noise": ("video", files.film("mp4", "libx264")[:40] + bytes(range(256)) * 40),
    "a film that says it is a memo": (
        "recording",
        files.film("mp4", "libx264").replace(b"ftypisom", b"ftypM4A ", 1),
    ),
    "a memo of nothing": ("recording", b"#!AMR\n"),
    "a CAF that ends": ("recording", files.sound("caf", "pcm_s16le")[:60]),
    "a list of other files": ("video", b"RIFF\x00\x10\x00\x00AVI #EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_cannot_be_read_is_a_file_with_a_reason(made, shown, what):
    noun, content = HOSTILE[what]
    attachment = made(content, "thing.bin")

    assert (attachment.state, attachment.preview_state) == ("stored", "failed"), attachment.mime_type
    assert attachment.preview_error == f"This {noun} cannot be read"
    assert not attachment.preview
    html = shown(attachment)
    assert 'class="file-card"' in html
    assert attachment.preview_error in html
    assert attachment.url in html


def test_a_video_is_read_by_the_reader_of_its_kind_only(made, tmp_path):
    """The reader of playlists would fetch whatever they name."""
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(files.film("mp4", "libx264"))
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2,\nfile://" + str(secret).encode()
    attachment = made(playlist + b"\n#EXT-X-ENDLIST\n", "film.mp4")

    assert (attachment.mime_type, attachment.preview_state) == ("text/plain", "none")
    source = tmp_path / "film.mp4"
    source.write_bytes(playlist)
    with pytest.raises(previews.Unreadable, match="This video cannot be read"):
        previews.make("video/mp4", source, tmp_path / "target")


def test_a_file_that_takes_for_ever_is_given_up(store, monkeypatch):
    monkeypatch.setattr(previews, "TIME_LIMIT", 0.01)
    attachment = store(files.film("mp4", "libx264"))
    tasks.make_previews()

    attachment.refresh_from_db()
    assert attachment.preview_state == "failed"
    assert attachment.preview_error == "Making a preview of it took too long"


def test_the_child_has_little_memory_and_little_time():
    greedy = "from inbox.previews.__main__ import limit; limit(10**9, 1, 1000); "

    def run(code):
        words = [sys.executable, "-c", greedy + code]
        return subprocess.run(words, cwd=previews.ROOT, capture_output=True, text=True, timeout=20)

    assert "MemoryError" in run("bytearray(2 * 10**9)").stderr
    assert run("bytearray(10**6)").returncode == 0
    assert run("\nwhile True: pass").returncode != 0


def test_the_child_has_no_secrets(tmp_path, monkeypatch):
    """It is started as it always is, but runs a program that looks round."""
    monkeypatch.setenv("SECRET_KEY", "a secret")
    program = tmp_path / "look"
    program.write_text("#!/bin/sh\nenv | tr '\\n' ' ' | sed 's/.*/{\"found\": {\"all\": \"&\"}}/'\n")
    program.chmod(0o755)
    monkeypatch.setattr(previews.sys, "executable", str(program))
    seen = previews.make("image/heic", "in", "out")["all"]
    assert "PATH=" in seen
    assert "secret" not in seen
    assert "DATABASE" not in seen


def test_a_child_that_dies_is_told_of_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(previews.sys, "executable", "/bin/false")
    with pytest.raises(previews.Unreadable, match="Its preview could not be made"):
        previews.make("image/heic", tmp_path / "in", tmp_path / "out")


def test_a_contact_is_a_card(made, shown):
    attachment = made(files.CONTACT.encode(), "whatever.txt")

    assert attachment.mime_type == "text/vcard"
    assert attachment.card == {
        "name": "Amara Diallo",
        "organisation": "Fairwheel Cycles",
        "phones": ["+1 971 555 0146", "+1 971 555 0147"],
        "emails": ["amara@diallo.example"],
        "others": 0,
    }
    html = shown(attachment)
    assert 'class="contact-card"' in html
    assert '<b class="truncate">Amara Diallo</b>' in html
    assert ">AD</span>" in html


def test_of_many_contacts_the_first_is_shown_and_the_rest_counted(made):
    assert made((files.CONTACT * 3).encode()).card["others"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN:VCARD\nVERSION:3.0\n",
        "BEGIN:VCARD\nVERSION:3.0\nNOTE:Nobody\nEND:VCARD\n",
        "BEGIN:VCARD\n" + "FN:" + "x" * 300_000 + "\nEND:VCARD\n",
        "BEGIN:VCARD\n" + "BEGIN:X\n" * 50_000 + "END:VCARD\n",
        "BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE;CHARSET=nonsense:=FF=\nEND:VCARD",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:When?\nEND:VEVENT\nEND:VCALENDAR\n",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:99999999T999999\nEND:VEVENT\nEND:VCALENDAR\n",
        "BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR\n",
    ],
)
def test_a_malformed_contact_or_appointment_is_a_file(made, shown, text):
    began = time.monotonic()
    attachment = made(text.encode(), "card.vcf")

    assert attachment.preview_state == "failed"
    assert attachment.preview_error
    assert time.monotonic() - began < 10
    assert 'class="file-card"' in shown(attachment)


def test_an_appointment_is_a_card_with_its_time(made, shown):
    attachment = made(files.APPOINTMENT.encode(), "invitation")

    assert attachment.mime_type == "text/calendar"
    assert attachment.card == {
        "title": "Wheel building, first evening",
        "place": "Workshop",
        "starts": "2026-12-03T19:00:00-08:00",
        "ends": "2026-12-03T21:30:00-08:00",
        "is_all_day": False,
    }
    html = shown(attachment)
    assert "Wheel building, first evening" in html
    assert 'datetime="2026-12-03T19:00:00-08:00"' in html


@pytest.mark.parametrize(
    ("line", "starts", "is_all_day"),
    [
        ("DTSTART;VALUE=DATE:20261224", "2026-12-24", True),
        ("DTSTART:20261203T190000Z", "2026-12-03T19:00:00+00:00", False),
        ("DTSTART;TZID=Nowhere/Land:20261203T190000", "2026-12-03T19:00:00", False),
        ("DTSTART;TZID=../../etc/passwd:20261203T190000", "2026-12-03T19:00:00", False),
    ],
)
def test_times_of_appointments(made, line, starts, is_all_day):
    text = f"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:X\r\n{line}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    card = made(text.encode()).card
    assert (card["starts"], card["is_all_day"]) == (starts, is_all_day)


def test_making_it_twice_makes_one(store, sent):
    attachment = store(files.picture("HEIF"))
    sent(attachment)
    first, second = Attachment.objects.get(pk=attachment.pk), Attachment.objects.get(pk=attachment.pk)
    first.make_preview()
    second.make_preview()

    attachment.refresh_from_db()
    assert attachment.preview_state == "made"
    folder, kept = attachment.preview.name.rsplit("/", 1)
    assert sorted(attachment.preview.storage.listdir(folder)[1]) == sorted(
        [kept, attachment.file.name.rsplit("/", 1)[1]]
    )
    assert Event.objects.filter(type="inbox.attachment_previewed").count() == 1


def test_who_looks_is_told_once_when_all_is_ready(store, sent):
    attachment = store(files.sound("caf", "pcm_s16le"))
    message = sent(attachment)
    tasks.make_previews()
    tasks.make_previews()

    told = Event.objects.filter(type="inbox.attachment_previewed")
    assert [event.message_id for event in told] == [message.pk]


def test_a_claimed_one_is_left_to_who_has_it_until_that_one_is_dead(store):
    attachment = store(files.picture("HEIF"))
    assert Attachment.claim_preview() == attachment
    assert Attachment.claim_preview() is None
    tasks.make_previews()
    attachment.refresh_from_db()
    assert attachment.preview_state == "due"

    # No wake-up is left of it: the sweep calls the same task.
    Attachment.objects.update(preview_due_at=timezone.now() - timedelta(seconds=1))
    tasks.make_previews()
    attachment.refresh_from_db()
    assert (attachment.preview_state, attachment.preview_tries) == ("made", 2)


def test_one_that_ends_its_worker_each_time_is_given_up(store):
    attachment = store(files.picture("HEIF"))
    for _ in range(MAX_TRIES):
        Attachment.claim_preview()
        Attachment.objects.update(preview_due_at=timezone.now() - timedelta(seconds=1))
    tasks.make_previews()
    attachment.refresh_from_db()
    assert (attachment.preview_state, attachment.preview_error) == ("failed", "Its preview could not be made")


def test_a_storage_that_is_away_is_asked_again(store):
    attachment = store(files.picture("HEIF"))
    content = attachment.file.read()
    attachment.file.storage.delete(attachment.file.name)
    tasks.make_previews()
    attachment.refresh_from_db()
    assert attachment.preview_state == "due"

    attachment.file.storage.save(attachment.file.name, ContentFile(content))
    Attachment.objects.update(preview_due_at=timezone.now() - timedelta(seconds=1))
    tasks.make_previews()
    attachment.refresh_from_db()
    assert attachment.preview_state == "made"


def test_no_more_than_two_are_made_at_once(store):
    store(files.picture("HEIF"))
    with tasks.preview_places, tasks.preview_places:
        tasks.make_previews()
        assert Attachment.objects.get().preview_tries == 0
    tasks.make_previews()
    assert Attachment.objects.get().preview_state == "made"


def test_beat_sweeps(settings):
    swept = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"inbox.tasks.make_previews", "inbox.tasks.remove_files"} <= swept


def test_storing_a_file_wakes_a_worker(store, monkeypatch, django_capture_on_commit_callbacks):
    woken = []
    monkeypatch.setattr("partyline.wake.wake_now", lambda task, *args, **options: woken.append(task.name))
    with django_capture_on_commit_callbacks(execute=True):
        store(files.picture("HEIF"))
        store(files.picture("GIF"))
    assert woken == ["inbox.tasks.make_previews"]


def test_a_conversation_full_of_files_takes_no_more_queries(
    made, sent, client_of, ana, django_assert_max_num_queries
):
    client = client_of(ana)
    sent(made(files.CONTACT.encode()))
    chat = Message.objects.first().chat

    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(f"/chats/{chat.pk}/messages/")
    for content in (files.picture("HEIF"), files.picture("GIF"), files.sound("wav", "pcm_s16le")):
        sent(made(content))
    with django_assert_max_num_queries(len(few)):
        client.get(f"/chats/{chat.pk}/messages/")


def test_a_deleted_file_is_gone_and_says_who_did_it(
    made, sent, client_of, ana, django_capture_on_commit_callbacks
):
    attachment = made(files.picture("HEIF"), "Crank.heic")
    message = sent(attachment)
    names = [attachment.file.name, attachment.preview.name]
    client = client_of(ana)
    assert client.get(attachment.url).status_code == 200
    assert client.get(attachment.preview_url).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        attachment.delete_file(by=ana)
    attachment.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        attachment.delete_file(by=None)

    stale = attachment
    attachment = Attachment.objects.get()
    assert (attachment.state, attachment.deleted_by, attachment.filename) == ("deleted", ana, "Crank.heic")
    assert attachment.deleted_at == stale.deleted_at
    assert not any(attachment.file.storage.exists(name) for name in names)
    assert client.get(stale.url).status_code == client.get(stale.preview_url).status_code == 404
    told = Event.objects.filter(type="inbox.attachment_deleted")
    assert [(event.message_id, event.actor) for event in told] == [(message.pk, ana)]
    html = client.get(f"/chats/{message.chat_id}/messages/").content.decode()
    assert f'<by-line data-user="{ana.pk}">Ana</by-line> deleted <b>Crank.heic</b>' in html
    assert attachment.url not in html


def test_a_message_that_goes_takes_its_file_and_the_preview_along(
    made, sent, ana, django_capture_on_commit_callbacks
):
    attachment = made(files.picture("HEIF"))
    names = [attachment.file.name, attachment.preview.name]
    message, other = sent(attachment), sent(attachment)
    with django_capture_on_commit_callbacks(execute=True):
        message.purge()
    assert all(attachment.file.storage.exists(name) for name in names)
    with django_capture_on_commit_callbacks(execute=True):
        other.purge()
    assert not any(attachment.file.storage.exists(name) for name in names)


def test_bytes_that_could_not_be_removed_are_swept(
    made, ana, monkeypatch, django_capture_on_commit_callbacks
):
    attachment = made(files.picture("HEIF"))
    storage, name = attachment.file.storage, attachment.file.name

    def away(name):
        raise ConnectionError("The storage is away")

    monkeypatch.setattr(storage, "delete", away, raising=False)
    with django_capture_on_commit_callbacks(execute=True):
        attachment.delete_file(by=ana)
    assert storage.exists(name)
    monkeypatch.undo()
    tasks.remove_files()
    assert not storage.exists(name)
    assert Attachment.objects.get().file.name == ""


def test_a_preview_of_what_was_deleted_meanwhile_is_thrown_away(
    store, ana, django_capture_on_commit_callbacks
):
    attachment = store(files.picture("HEIF"))
    at_work = Attachment.claim_preview()

    def make(mime_type, source, target):
        with django_capture_on_commit_callbacks(execute=True):
            attachment.delete_file(by=ana)
        target.write_bytes(b"a preview")
        return {}

    at_work.make_preview(make)
    attachment.refresh_from_db()
    assert (attachment.state, attachment.preview.name) == ("deleted", "")
    assert not at_work.preview.storage.exists(at_work.preview.name)
