"""What a program does with groups."""

import httpx
import pytest
from django.utils import timezone

from inbox.models import Chat, Errand
from lines.sandbox import camera
from tests.api.conftest import refused
from tests.conftest import CARL, DORA

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_workers")]
ICON = "https://cdn.example.com/icon.jpg"
OTHERS = ["+14155550301", "+14155550302", "+14155550303"]


@pytest.fixture
def group(shop, make_chat):
    return make_chat(shop, CARL, DORA, *OTHERS[:2], external_id="group")


@pytest.fixture
def icon(web):
    web.answers["cdn.example.com/icon.jpg"] = httpx.Response(200, content=camera.jpeg()[2])
    web.answers["cdn.example.com/page"] = httpx.Response(200, content=b"<html><p>Hello</p></html>")
    web.answers["cdn.example.com/text"] = httpx.Response(200, content=b"Hello")
    web.answers["cdn.example.com/gone"] = httpx.Response(404)
    return web


def asked():
    return [(errand.kind, str(errand.author)) for errand in Errand.objects.order_by("pk")]


def test_a_name_and_an_icon_are_asked_for(program, group, icon):
    answer = program.chats.update(str(group.pk), display_name=" Riders ", group_chat_icon=ICON)
    assert (answer.chat_id, answer.status) == (str(group.pk), "pending")
    assert asked() == [("name", "CRM"), ("icon", "CRM")]
    assert Errand.objects.get(kind="name").body["name"] == "Riders"
    group.refresh_from_db()
    assert (group.display_name, group.icon) == ("", None)


@pytest.mark.parametrize(
    ("path", "code"), [("gone", 5007), ("nowhere", 5007), ("page", 5006), ("text", 5006)]
)
def test_what_is_no_picture_or_is_not_there_is_refused(program, group, icon, path, code):
    if path == "nowhere":
        icon.answers["cdn.example.com/nowhere"] = httpx.Response(500)
    with refused(400, code):
        program.chats.update(
            str(group.pk), display_name="Riders", group_chat_icon=f"https://cdn.example.com/{path}"
        )
    assert asked() == []


@pytest.mark.parametrize(
    "wrong", [{}, {"display_name": ""}, {"display_name": "x" * 101}, {"group_chat_icon": "icon.jpg"}]
)
def test_what_is_wrong_is_said(program, group, wrong):
    with refused(400, 1005):
        program.chats.update(str(group.pk), **wrong)


def test_people_are_added_and_removed(program, group):
    added = program.chats.participants.add(str(group.pk), handle=OTHERS[2])
    assert (added.status, added.message) == ("accepted", "Participant addition queued")
    assert len(added.trace_id) == 32
    removed = program.chats.participants.remove(str(group.pk), handle=DORA)
    assert removed.message == "Participant removal queued"
    assert asked() == [("add", "CRM"), ("remove", "CRM")]
    program.chats.participants.add(str(group.pk), handle=OTHERS[2])
    assert len(asked()) == 2


def test_members_have_their_rules(program, group, shop, make_chat):
    with refused(409, 2015):
        program.chats.participants.add(str(group.pk), handle=CARL)
    with refused(409, 2015):
        program.chats.participants.remove(str(group.pk), handle="+14155550399")
    small = make_chat(shop, CARL, DORA, external_id="small")
    with refused(409, 2015):
        program.chats.participants.remove(str(small.pk), handle=CARL)
    with refused(409, 2015):
        program.chats.leave_chat(str(small.pk))
    for wrong in ("carl", "+1 415 555 0123"):
        with refused(400, 1002):
            program.chats.participants.add(str(group.pk), handle=wrong)
    Chat.objects.update(service="SMS")
    with refused(409, 2017):
        program.chats.participants.add(str(group.pk), handle=OTHERS[2])
    with refused(409, 2017):
        program.chats.leave_chat(str(group.pk))
    assert asked() == []


def test_a_group_is_left(program, group):
    left = program.chats.leave_chat(str(group.pk))
    assert (left.status, left.message) == ("accepted", "Leave group chat queued")
    assert asked() == [("leave", "CRM")]
    with refused(409, 2013):
        program.chats.update(str(group.pk), display_name="Riders")


def test_a_line_that_has_left_is_told_so(program, group):
    now = timezone.now()
    Chat.objects.update(line_left_at=now)
    ours = program.chats.retrieve(str(group.pk)).handles[0]
    assert (ours.is_me, ours.left_at, ours.status) == (True, now, "left")


VERBS = {
    "update": lambda program, pk: program.chats.update(pk, display_name="Riders"),
    "icon": lambda program, pk: program.chats.update(pk, group_chat_icon=ICON),
    "add": lambda program, pk: program.chats.participants.add(pk, handle=OTHERS[2]),
    "remove": lambda program, pk: program.chats.participants.remove(pk, handle=CARL),
    "leave": lambda program, pk: program.chats.leave_chat(pk),
}


@pytest.mark.parametrize("name", VERBS)
def test_a_direct_chat_is_no_group(program, chat, icon, name):
    with refused(409, 1006):
        VERBS[name](program, str(chat.pk))


@pytest.mark.parametrize("name", VERBS)
def test_a_group_that_was_left_or_a_line_that_is_paused_can_do_nothing(program, group, shop, icon, name):
    shop.pause(by=None)
    with refused(403, 2027):
        VERBS[name](program, str(group.pk))
    Chat.objects.update(line_left_at=timezone.now())
    with refused(409, 2013):
        VERBS[name](program, str(group.pk))
    assert icon.asked == []


@pytest.mark.parametrize("name", VERBS)
def test_a_stranger_finds_no_group(strangers, reader, group, icon, name):
    for stranger in strangers.values():
        with refused(404, 2001):
            VERBS[name](stranger, str(group.pk))
    with refused(403, 2005):
        VERBS[name](reader, str(group.pk))
    assert asked() == []
