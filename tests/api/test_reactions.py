"""Tapbacks and stickers of programs."""

from uuid import uuid4

import pytest
from django.core.files.base import ContentFile

from inbox.models import Attachment, Errand, Reaction
from inbox.models.reaction import shown
from inbox.wire import url_of
from lines.models import ApiToken, OptOut
from lines.sandbox.camera import sticker
from tests.api.conftest import refused
from tests.conftest import CARL

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_workers")]


@pytest.fixture
def message(chat):
    message = chat.messages.get()
    message.external_id = "theirs-1"
    message.save()
    return message


@pytest.fixture
def react(program, message):
    def react(type, operation="add", by=program, **more):
        return by.messages.add_reaction(str(message.pk), operation=operation, type=type, **more)

    return react


@pytest.fixture
def upload(program, environment):
    """A file that the program has uploaded."""
    by = ApiToken.objects.get(environment=environment).actor
    return lambda name, content: Attachment.keep(environment, ContentFile(content, name=name), by=by)


@pytest.fixture
def picture(upload):
    name, _, content = sticker("bike")
    return upload(name, content)


def signs(message):
    return [reaction.sign for reaction in shown(message.reactions.all())]


def test_a_tapback_is_put_on_in_the_name_of_the_key_and_taken_off(react, message, environment):
    accepted = react("like")
    assert (accepted.status, accepted.message) == ("accepted", "Reaction processed")
    assert len(accepted.trace_id) == 32
    reaction = message.reactions.get()
    assert (signs(message), str(reaction.author), reaction.author.is_program) == (["👍"], "CRM", True)
    event = environment.events.get(type="inbox.reaction_added")
    assert event.actor == reaction.author

    react("custom", custom_emoji="🚀", part_index=0)
    assert signs(message) == ["🚀"]
    react("custom", "remove", custom_emoji="🚀")
    react("custom", "remove", custom_emoji="🚀")
    assert signs(message) == []
    assert [errand.kind for errand in Errand.objects.all()] == ["react"] * 3


@pytest.mark.parametrize("source", ["emoji", "attachment_id", "url"])
def test_a_sticker_is_peeled_on_and_moved(react, program, message, picture, source):
    sources = {"emoji": "🚲", "attachment_id": str(picture.pk), "url": url_of(picture)}
    react("sticker", **{source: sources[source]}, placement={"x": -0.5, "scale": 9, "rotation": -90})
    reaction = message.reactions.get()
    assert reaction.placement == {"x": -0.5, "y": 0, "scale": 2.5, "rotation": 270}
    assert (reaction.emoji, reaction.sticker) == (("🚲", None) if source == "emoji" else ("", picture))
    errand = Errand.objects.get()
    assert (errand.kind, errand.author) == ("stick", reaction.author)

    for _ in range(2):
        moved = program.messages.update_sticker_placement(
            str(reaction.uid), message_id=str(message.pk), placement={"y": 1, "scale": 0}
        )
    assert (moved.success, moved.status) == (True, "accepted")
    reaction.refresh_from_db()
    assert reaction.placement == {"x": -0.5, "y": 1, "scale": 0.05, "rotation": 270}
    assert Errand.objects.get(kind="place").body["placement"] == {"y": 1, "scale": 0.05}


def test_a_sticker_has_a_size_of_its_own(react, message, picture):
    react("sticker", emoji="🚲")
    react("sticker", attachment_id=str(picture.pk))
    assert [reaction.placement["scale"] for reaction in message.reactions.order_by("pk")] == [0.5, 1]
    assert signs(message) == ["a sticker 🚲", "a sticker"]


@pytest.mark.parametrize(
    ("type", "wrong"),
    [
        ("wave", {}),
        ("custom", {}),
        ("custom", {"custom_emoji": "rocket"}),
        ("like", {"emoji": "🚲"}),
        ("like", {"placement": {"x": 0}}),
        ("like", {"part_index": 1}),
        ("like", {"part_index": -1}),
        ("like", {"operation": "toggle"}),
        ("sticker", {}),
        ("sticker", {"emoji": "🚲", "url": "https://example.com/1.png"}),
        ("sticker", {"emoji": "bike"}),
        ("sticker", {"emoji": "🚲", "operation": "remove"}),
        ("sticker", {"emoji": "🚲", "placement": {"x": 2}}),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(react, type, wrong):
    with refused(400, 1005):
        react(type, **wrong)
    assert not Reaction.objects.exists()


def test_a_picture_has_to_be_ours_and_there_and_a_picture(react, picture, upload, olga):
    for gone in (str(uuid4()), "nonsense"):
        with refused(404, 2003) if gone != "nonsense" else refused(400, 1005):
            react("sticker", attachment_id=gone)
    with refused(404, 2003):
        react("sticker", url=f"https://example.com/media/{picture.pk}/bike.png")
    Attachment.objects.update(state="pending")
    with refused(404, 2007):
        react("sticker", attachment_id=str(picture.pk))
    text = upload("hello.txt", b"Hello")
    with refused(400, 5006):
        react("sticker", attachment_id=str(text.pk))
    Attachment.objects.update(environment=olga.memberships.get().environment)
    with refused(404, 2003):
        react("sticker", attachment_id=str(text.pk))


def test_stickers_are_for_imessage_only_and_sms_has_nothing(react, message):
    message.service = "RCS"
    message.save()
    react("like")
    with refused(409, 2017):
        react("sticker", emoji="🚲")
    message.service = "SMS"
    message.save()
    with refused(409, 2017):
        react("love")


def test_only_our_own_stickers_are_moved(react, program, message):
    def move(reaction, **placement):
        program.messages.update_sticker_placement(
            str(reaction), message_id=str(message.pk), placement=placement
        )

    react("like")
    with refused(400, 1005):
        move(message.reactions.get().uid, x=1)
    theirs = Reaction.objects.create(
        chat=message.chat,
        message=message,
        handle=message.sender,
        key="sticker 1",
        type="sticker",
        added_at=message.at,
    )
    with refused(403, 2005):
        move(theirs.uid, x=1)
    with refused(404, 2002):
        move(uuid4(), x=1)
    with refused(400, 1005):
        move(theirs.uid, x=-2)


def test_the_guard_is_asked(react, message, shop, environment):
    OptOut.objects.create(environment=environment, handle=CARL, since=message.at, keyword="STOP")
    with refused(403, 2024):
        react("like")
    shop.pause(by=None)
    with refused(403, 2027):
        react("like")
    message.chat.line_left_at = message.at
    message.chat.save()
    with refused(409, 2013):
        react("like")


def test_a_stranger_finds_no_message(react, strangers, reader, message, program):
    react("sticker", emoji="🚲")
    sticker = message.reactions.get()
    for stranger in strangers.values():
        with refused(404, 2002):
            react("like", by=stranger)
        with refused(404, 2002):
            stranger.messages.update_sticker_placement(
                str(sticker.uid), message_id=str(message.pk), placement={"x": 1}
            )
    with refused(403, 2005):
        react("like", by=reader)
    with refused(403, 2005):
        reader.messages.update_sticker_placement(
            str(sticker.uid), message_id=str(message.pk), placement={"x": 1}
        )
    message.deleted_at = message.at
    message.save()
    with refused(404, 2002):
        react("like")
