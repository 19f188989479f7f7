"""The background of a chat, set by a program."""

import httpx
import pytest
from django.urls import reverse
from django.utils import timezone

from inbox.models import Chat, Errand
from lines.models import SandboxChat, SandboxFaults, SandboxHappening
from lines.sandbox import camera
from tests.api.conftest import refused

pytestmark = pytest.mark.django_db
PHOTO = "https://cdn.example.com/bg.jpg"


@pytest.fixture
def photo(web):
    web.answers["cdn.example.com/bg.jpg"] = httpx.Response(200, content=camera.jpeg()[2])
    web.answers["cdn.example.com/page"] = httpx.Response(200, content=b"<html><p>Hello</p></html>")
    web.answers["cdn.example.com/gone"] = httpx.Response(404)
    return web


@pytest.fixture
def dress(program, noras):
    return lambda type, by=program, **more: by.chats.background.set(str(noras.pk), type=type, **more)


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"type": "color", "variant": "plum"}, {"type": "color", "variant": "plum"}),
        (
            {"type": "color", "variant": "plum", "shades": ["#000000", "#ffffff"]},
            {"type": "color", "variant": "plum"},
        ),
        (
            {"type": "color", "shades": ["#F2C4E1", "#F5A623"]},
            {"type": "color", "variant": "custom", "shades": ["#F2C4E1", "#F5A623"]},
        ),
        (
            {"type": "dynamic", "style": "sky", "variant": "dusk"},
            {"type": "dynamic", "style": "sky", "variant": "dusk"},
        ),
    ],
)
def test_it_is_asked_for_and_is_there_when_the_carrier_has_told(dress, noras, road, environment, asked, kept):
    dress(**asked)
    noras.refresh_from_db()
    assert noras.background is None
    assert road() == ["chat.background_updated"]
    noras.refresh_from_db()
    assert noras.background == SandboxChat.objects.get().background == kept
    errand = Errand.objects.get()
    assert (str(errand.author), bool(errand.answered_at)) == ("CRM", True)
    told = environment.events.get(type="chat.background_updated")
    assert (str(told.actor), told.data["background"], told.data["actor_handle"]["is_me"]) == (
        "CRM",
        kept,
        True,
    )


def test_a_photo_is_fetched_at_once_and_shown(dress, noras, road, photo, client_of, max, nora):
    dress("photo", image_url=PHOTO)
    assert len(photo.asked) == 1
    road()
    noras.refresh_from_db()
    assert noras.background["type"] == "photo"
    assert "/sandbox/media/" in noras.background["image_url"]
    SandboxHappening.objects.update(at=timezone.now())
    phone = client_of(max).get(reverse("sandbox_phone", args=[nora.pk])).content.decode()
    assert "changed the background." in phone


def test_it_is_taken_away(program, dress, noras, road):
    dress("color", variant="ice")
    road()
    program.chats.background.remove(str(noras.pk))
    assert road() == ["chat.background_updated"]
    noras.refresh_from_db()
    assert noras.background is None


def test_what_the_carrier_does_not_do_is_told(dress, noras, road, environment):
    SandboxFaults.objects.create(environment=environment, refuse_group_changes=1)
    dress("color", variant="ice")
    assert road() == ["chat.background_update_failed"]
    told = environment.events.get(type="chat.background_update_failed")
    assert (told.data["error_code"], str(told.actor)) == (4001, "CRM")
    assert Errand.objects.get().failed_at


def test_what_the_carrier_refuses_at_once_is_told_as_well(dress, noras, road, environment):
    SandboxChat.objects.all().delete()
    dress("color", variant="ice")
    road()
    told = environment.events.get(type="chat.background_update_failed")
    assert (told.data["error_code"], told.data["chat_id"]) == (4001, str(noras.pk))


@pytest.mark.parametrize("service", ["RCS", "SMS"])
def test_elsewhere_it_is_accepted_and_nothing_happens(dress, noras, road, service):
    Chat.objects.update(service=service)
    dress("color", variant="ice")
    assert (road(), Errand.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "glitter"},
        {"type": "color"},
        {"type": "color", "variant": "beige"},
        {"type": "color", "variant": "custom"},
        {"type": "color", "shades": ["#F2C4E1"]},
        {"type": "color", "shades": ["red", "blue"]},
        {"type": "dynamic", "style": "sky"},
        {"type": "dynamic", "style": "sky", "variant": "purple"},
        {"type": "dynamic", "style": "fire", "variant": "dusk"},
        {"type": "photo"},
        {"type": "photo", "image_url": "bg.jpg"},
    ],
)
def test_what_is_wrong_is_said(dress, wrong):
    with refused(400, 1005):
        dress(**wrong)
    assert not Errand.objects.exists()


def test_a_photo_has_to_be_there_and_one_that_phones_show(dress, photo):
    for path, code in (("gone", 5007), ("page", 5006), ("gif", 5006)):
        gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00"
        gif += b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
        photo.answers["cdn.example.com/gif"] = httpx.Response(200, content=gif)
        with refused(400, code):
            dress("photo", image_url=f"https://cdn.example.com/{path}")
    assert not Errand.objects.exists()


def test_a_stranger_finds_no_chat(dress, strangers, reader, noras, shop, program):
    for stranger in strangers.values():
        with refused(404, 2001):
            dress("color", by=stranger, variant="ice")
        with refused(404, 2001):
            stranger.chats.background.remove(str(noras.pk))
    with refused(403, 2005):
        dress("color", by=reader, variant="ice")
    with refused(403, 2005):
        reader.chats.background.remove(str(noras.pk))
    shop.pause(by=None)
    with refused(403, 2027):
        program.chats.background.remove(str(noras.pk))
    Chat.objects.update(line_left_at=noras.created_at)
    with refused(409, 2013):
        dress("color", variant="ice")
    assert not Errand.objects.exists()
