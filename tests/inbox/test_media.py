import io

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from inbox import media
from inbox.models import Attachment

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


@pytest.fixture
def web(monkeypatch):
    """The web outside: addresses by name, and answers by path; asked says what was really requested."""

    class Web:
        addresses = {"cdn.example.com": "93.184.216.34"}
        answers, asked = {}, []

        def answer(self, request):
            self.asked.append(request)
            return self.answers[request.headers["host"] + request.url.path]

    web = Web()
    web.answers, web.asked = {}, []
    client = httpx.Client
    monkeypatch.setattr(media, "resolve", lambda host, port: web.addresses[host])
    monkeypatch.setattr(
        media.httpx,
        "Client",
        lambda **options: client(transport=httpx.MockTransport(web.answer), follow_redirects=False),
    )
    return web


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
    assert (attachment.state, attachment.error) == ("failed", "The carrier answered 404")


def test_an_upload_is_kept_under_its_id_whatever_it_is_called(environment):
    kept = Attachment.keep(environment, SimpleUploadedFile("../../etc/<passwd>.png", picture()))
    assert kept.filename == "passwd.png"
    assert str(kept.pk) in kept.file.name
    assert len(kept.checksum) == 64
