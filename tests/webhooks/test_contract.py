"""Every payload of the contract (§5), in both versions, is applied with what one can see of it, or kept.

`examples/` holds one file per event type and shape; those with a type of the SDK are checked against it.
"""

import json
import re
from pathlib import Path
from typing import get_args

import linq.types
import pytest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from linq.types.webhook_event_type import WebhookEventType
from pydantic import BaseModel, ValidationError

from inbox.models import Attachment, Chat, Handle, LocationShare, Message
from lines.models import Line
from webhooks import apply
from webhooks.handlers import HANDLERS
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db

EXAMPLES = {
    path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "examples").glob("*.json")
}
CARL, DORA, LINE = "+14155550123", "+14155550188", "+12025550100"
DIRECT, GROUP = "c0ffee00-1111-4222-8333-444455556666", "c0ffee00-7777-4222-8333-444455556666"
INBOUND, OUTBOUND = "7a1c9a52-90c1-4d0b-8f0e-6f5b1f6a1101", "7a1c9a52-90c1-4d0b-8f0e-6f5b1f6a1102"
FAILED, POLL = "7a1c9a52-90c1-4d0b-8f0e-6f5b1f6a1103", "7a1c9a52-90c1-4d0b-8f0e-6f5b1f6a1120"
OUR_POLL, FAILED_POLL = "7a1c9a52-90c1-4d0b-8f0e-6f5b1f6a1121", "7a1c9a52-90c1-4d0b-8f0e-6f5b1f6a1122"
FIRST, SECOND, THIRD = (f"ee000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))
NOT_FOR_US = re.compile(
    r"call|payment|connection|api_token|environment|team_member|webhook_subscription|zero_day_retention"
    r"|phone_number\.forwarding_updated|contact_card\.(created|updated|deleted)"
)


def message(external_id):
    return Message.objects.get(external_id=external_id)


def chat(external_id):
    return Chat.objects.get(external_id=external_id)


def votes():
    return {
        (vote.option_id, vote.handle.value): vote.is_live
        for vote in message(POLL).votes.select_related("handle")
    }


def at(text):
    return parse_datetime(text)


# Event type -> what must be seen of it, as a condition on the rows and a text on the conversation's page.
def received_is_shown(show):
    found = message(INBOUND)
    assert found.sender.value == CARL
    assert found.chat.waiting_since == found.at
    assert "Is the blue one still in stock?" in show(DIRECT)


def sent_is_shown(show):
    found = message(OUTBOUND)
    assert (found.state, found.sent_at) == ("sent", at("2026-10-12T09:16:09.8Z"))
    assert "Yes" in show(DIRECT)


def delivered_is_shown(show):
    assert message(OUTBOUND).state == "delivered"
    assert "<b>Delivered</b>" in show(DIRECT)


def read_is_shown(show):
    assert message(OUTBOUND).state == "read"
    assert "<b>Read</b>" in show(DIRECT)


def failure_is_shown(show):
    assert message(FAILED).state == "failed"
    assert "Not delivered" in show(DIRECT)


def edit_is_shown(show):
    assert message(INBOUND).text == "Is the green one still in stock?"
    assert message(INBOUND).edits.count() == 2
    assert "Is the green one still in stock?" in show(DIRECT)


def reaction_is_shown(show):
    assert [row.sign for row in message(OUTBOUND).reactions.live()] == ["🚀"]
    assert "🚀" in show(DIRECT)


def reaction_is_gone(show):
    assert not message(OUTBOUND).reactions.live().filter(type="love").exists()
    assert message(OUTBOUND).reactions.get(type="love").removed_at == at("2026-10-12T09:40:59Z")


def dora_is_in(show):
    assert DORA in {handle.value for handle in chat(GROUP).others}
    assert "+1 415 555 0188" in show(GROUP)


def dora_has_left(show):
    assert chat(GROUP).participants.get(handle__value=DORA).left_at == at("2026-10-12T10:04:59Z")
    assert DORA not in {handle.value for handle in chat(GROUP).others}


def chat_is_there(show):
    assert [handle.value for handle in chat(DIRECT).others] == [CARL]
    assert show(DIRECT)


def name_is_shown(show):
    assert chat(GROUP).name == "Launch crew"
    assert "Launch crew" in show(GROUP)


def icon_is_gone(show):
    assert (chat(GROUP).icon, chat(GROUP).icon_at) == (None, at("2026-10-12T10:10:59Z"))


def refusal_is_told(show):
    event = chat(GROUP).environment.events.filter(type__endswith="_update_failed").get()
    assert event.data["error_code"]
    assert event.chat_id == chat(GROUP).pk


def typing_is_shown(show):
    assert chat(DIRECT).participants.get().typing_at == at("2026-10-12T09:14:50Z")


def typing_has_ended(show):
    assert chat(DIRECT).participants.get().typing_ended_at == at("2026-10-12T09:14:58Z")


def background_is_shown(show):
    assert chat(DIRECT).background["style"] == "sky"
    assert "Background: sky, dusk" in show(DIRECT)


def background_was_refused(show):
    assert "background could not be changed" in show(DIRECT)


def line_is_flagged(show):
    line = Line.objects.get(phone_number=LINE)
    assert (line.status, line.reputation) == ("flagged", "CRITICAL")
    assert "is flagged by the carrier" in show(DIRECT)


def line_appears(show):
    assert Line.objects.get(phone_number="+12025550107").status == "active"


def line_is_released(show):
    line = Line.objects.get(phone_number=LINE)
    assert line.status == "paused"
    assert "the carrier has taken the number back" in show(DIRECT)


def card_is_shown(show):
    handle = Handle.objects.get(value=CARL)
    assert handle.contact.name == "Carl Perez"
    assert Attachment.objects.get(pk=handle.contact.photo_id).source_url.endswith("/faces/carl.jpg")
    assert "shared their name and photo" in show(DIRECT)
    assert "Carl Perez" in show(DIRECT)


def sharing_is_shown(show):
    share = LocationShare.objects.get(handle__value=CARL)
    assert (share.chat.external_id, share.ends_at) == (DIRECT, at("2026-10-12T10:02:00Z"))
    assert "began to share their location" in show(DIRECT)


def sharing_has_ended(show):
    assert LocationShare.objects.get(handle__value=CARL).ended_at == at("2026-10-12T09:30:00Z")
    assert "stopped sharing their location" in show(DIRECT)


def poll_is_shown(show):
    assert message(POLL).preview == "Poll: Firelane 7, Leif Erikson"
    assert votes() == {(FIRST, CARL): True}
    assert "Leif Erikson" in show(GROUP)
    assert "1 person has voted" in show(GROUP)


def our_poll_is(state):
    def shown(show):
        assert message(OUR_POLL).state == state
        assert "Leif Erikson" in show(GROUP)

    return shown


def poll_has_failed(show):
    assert (message(FAILED_POLL).state, message(FAILED_POLL).error_code) == ("failed", 4001)
    assert "Firelane 7" in show(GROUP)


def option_is_added(show):
    texts = [option["text"] for option in message(POLL).parts.get().extra["options"]]
    assert texts == ["Firelane 7", "Leif Erikson", "Skyline"]
    assert "Skyline" in show(GROUP)


def vote_is_counted(show):
    assert votes() == {(FIRST, CARL): True, (SECOND, DORA): True}
    assert "2 people have voted" in show(GROUP)


def vote_is_taken_back(show):
    assert votes() == {(FIRST, CARL): False}
    assert "0 people have voted" in show(GROUP)


def poll_is_reacted_to(show):
    assert [row.sign for row in message(POLL).reactions.live()] == ["👍"]


def decorated_is_shown(show):
    shown = show(GROUP)
    assert "<b>bold</b>" in shown
    assert f'<span class="mention" title="{DORA}">@Dora</span>' in shown
    assert ">shake</span>" in shown
    assert "Memo.caf" in shown


def link_is_shown(show):
    assert 'href="https://fairwheel.example/hire"' in show(DIRECT)


def app_is_shown(show):
    found = message("7a1c9a52-90c1-4d0b-8f0e-6f5b1f6a1112")
    assert found.preview == "Hire, two e-bikes (app card)"
    assert found.parts.get().attachment.source_url.endswith("/cards/bikes.png")
    for words in ("Hire, two e-bikes", "Saturday to Sunday", "$96", "Spokes", "opens on the phone only"):
        assert words in show(DIRECT)


def clip_is_shown(show):
    assert "Unlock bike 77" in show(DIRECT)
    assert 'href="https://spokes.example/clip/77"' in show(DIRECT)


SEEN = {
    "chat.background_update_failed": background_was_refused,
    "chat.background_updated": background_is_shown,
    "chat.created": chat_is_there,
    "chat.group_icon_update_failed": refusal_is_told,
    "chat.group_icon_updated": icon_is_gone,
    "chat.group_name_update_failed": refusal_is_told,
    "chat.group_name_updated": name_is_shown,
    "chat.typing_indicator.started": typing_is_shown,
    "chat.typing_indicator.stopped": typing_has_ended,
    "contact_card.received": card_is_shown,
    "location.sharing.started": sharing_is_shown,
    "location.sharing.stopped": sharing_has_ended,
    "message.delivered": delivered_is_shown,
    "message.delivered-2025-01-01": delivered_is_shown,
    "message.edited": edit_is_shown,
    "message.failed": failure_is_shown,
    "message.read": read_is_shown,
    "message.read-2025-01-01": read_is_shown,
    "message.received": received_is_shown,
    "message.received-2025-01-01": received_is_shown,
    "message.received-app_clip": clip_is_shown,
    "message.received-decorated": decorated_is_shown,
    "message.received-imessage_app": app_is_shown,
    "message.received-link": link_is_shown,
    "message.sent": sent_is_shown,
    "message.sent-2025-01-01": sent_is_shown,
    "participant.added": dora_is_in,
    "participant.removed": dora_has_left,
    "phone_number.assigned": line_appears,
    "phone_number.released": line_is_released,
    "phone_number.status_updated": line_is_flagged,
    "poll.delivered": our_poll_is("delivered"),
    "poll.failed": poll_has_failed,
    "poll.reaction.added": poll_is_reacted_to,
    "poll.read": our_poll_is("read"),
    "poll.received": poll_is_shown,
    "poll.sent": our_poll_is("sent"),
    "poll.updated": option_is_added,
    "poll.vote.added": vote_is_counted,
    "poll.vote.removed": vote_is_taken_back,
    "reaction.added": reaction_is_shown,
    "reaction.removed": reaction_is_gone,
}
# What must have happened before, besides the chats being there.
BEFORE = {
    "location.sharing.stopped": ["location.sharing.started"],
    "message.edited": ["message.received"],
    "message.failed": ["message.sent-failed"],
    "poll.updated": ["poll.received"],
    "poll.vote.added": ["poll.received"],
    "poll.vote.removed": ["poll.received"],
    "poll.reaction.added": ["poll.received"],
    "reaction.added": ["message.sent"],
    "reaction.removed": ["message.sent"],
}
APPLIED = sorted(set(EXAMPLES) - {name for name in EXAMPLES if NOT_FOR_US.match(name)})
KEPT = sorted(set(EXAMPLES) - set(APPLIED))
# Without what is optional these say nothing that could be shown; they are kept.
EMPTY_WHEN_BARE = {"message.failed", "participant.added", "participant.removed", "poll.reaction.added"} | {
    "reaction.added",
    "reaction.removed",
}


def model_of(event):
    name = "".join(word.title() for word in re.split(r"[._]", event["event_type"])) + "WebhookEvent"
    return getattr(linq.types, name, None) if event["webhook_version"] == "2026-02-03" else None


def others():
    """Events that the examples presuppose and the contract has no example of."""
    direct, sent = EXAMPLES["chat.created"], EXAMPLES["message.sent"]
    group = json.loads(json.dumps(direct).replace(DIRECT, GROUP).replace("4e0b", "4f01"))
    group["data"] |= {"is_group": True, "display_name": f"{CARL}, +14155550199"}
    group["data"]["handles"].append(group["data"]["handles"][1] | {"handle": "+14155550199"})
    failed = json.loads(
        json.dumps(sent).replace(OUTBOUND, FAILED).replace("4e02", "4f02").replace("-0001", "-0002")
    )
    return {"message.sent-failed": failed, "chat.created-group": group}


@pytest.fixture
def tell(keep):
    """Keep and apply one event; answers with what became of its receipt."""

    def tell(event):
        keep(event)
        apply.apply_pending()
        receipt = Receipt.objects.get(event_id=event["event_id"])
        assert not receipt.error, receipt.error
        return receipt.state

    return tell


@pytest.fixture
def screen(client_of, lea):
    """The page of the conversation with this carrier's id, as lea sees it."""

    def show(external_id):
        answer = client_of(lea).get(reverse("conversation", args=["all", chat(external_id).pk]))
        assert answer.status_code == 200
        return answer.content.decode()

    return show


def prepare(tell, name):
    known = EXAMPLES | others()
    for before in ("chat.created", "chat.created-group", *BEFORE.get(name, [])):
        assert tell(known[before]) == "applied"


def test_there_is_an_example_of_every_type_and_an_effect_for_each_that_is_ours():
    assert {event["event_type"] for event in EXAMPLES.values()} == set(get_args(WebhookEventType))
    assert set(SEEN) == set(APPLIED)
    assert {EXAMPLES[name]["event_type"] for name in APPLIED} == set(HANDLERS)
    assert len(KEPT) == 41


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_the_examples_are_what_the_sdk_takes(name):
    model = model_of(EXAMPLES[name])
    if model is None:
        assert EXAMPLES[name]["webhook_version"] == "2025-01-01" or re.match(r"call|api_token|webhook_", name)
    else:
        model.model_validate(EXAMPLES[name])


@pytest.mark.parametrize("name", APPLIED)
def test_it_is_applied_and_seen(name, tell, screen):
    prepare(tell, name)

    assert tell(EXAMPLES[name]) == "applied"

    SEEN[name](screen)


@pytest.mark.parametrize("name", KEPT)
def test_what_is_not_for_us_is_kept_and_readable(name, tell, client_of, max):
    assert tell(EXAMPLES[name]) == "kept"

    receipt = Receipt.objects.get()
    shown = client_of(max).get(reverse("receipt", args=[receipt.pk])).content.decode()
    assert EXAMPLES[name]["data"].get("summary", "Nothing here understands this event yet") in shown


@pytest.mark.parametrize("name", APPLIED)
def test_unknown_keys_change_nothing(name, tell, screen):
    prepare(tell, name)

    assert tell(with_more(EXAMPLES[name])) == "applied"

    SEEN[name](screen)


def with_more(value):
    """The same with a key that nobody knows at every level."""
    if isinstance(value, list):
        return [with_more(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: with_more(item) for key, item in value.items()} | {"novelty": {"deep": [1, None, "x"]}}


@pytest.mark.parametrize("name", [name for name in APPLIED if model_of(EXAMPLES[name])])
def test_optional_fields_may_be_missing(name, tell, screen):
    prepare(tell, name)
    bare = required_of(model_of(EXAMPLES[name]).model_validate(EXAMPLES[name]))
    bare["event_type"] = EXAMPLES[name]["event_type"]

    assert tell(bare) == ("kept" if name in EMPTY_WHEN_BARE else "applied")

    for found in Chat.objects.all():
        assert screen(found.external_id)


@pytest.mark.parametrize("name", [name for name in APPLIED if model_of(EXAMPLES[name])])
def test_optional_fields_may_be_null(name, tell, screen):
    prepare(tell, name)
    model = model_of(EXAMPLES[name]).model_validate(EXAMPLES[name])

    assert tell(required_of(model, otherwise_null=True)) == ("kept" if name in EMPTY_WHEN_BARE else "applied")

    for found in Chat.objects.all():
        assert screen(found.external_id)


def required_of(value, *, otherwise_null=False):
    """What of an event must be there by the SDK's types, as JSON; the rest is left out, or null."""
    if isinstance(value, list):
        return [required_of(item, otherwise_null=otherwise_null) for item in value]
    if not isinstance(value, BaseModel):
        return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value
    kept = {}
    for name, field in type(value).model_fields.items():
        key = field.alias or name
        if field.is_required():
            kept[key] = required_of(getattr(value, name), otherwise_null=otherwise_null)
        elif otherwise_null:
            kept[key] = None
    return kept


def test_an_older_message_may_lack_what_is_null_and_deprecated(tell, screen):
    for name in sorted(name for name in APPLIED if name.endswith("2025-01-01")):
        event = json.loads(json.dumps(EXAMPLES[name]))
        data = event["data"] = {key: value for key, value in event["data"].items() if value is not None}
        data.pop("from")
        data["message"] = {key: value for key, value in data["message"].items() if value is not None}
        assert tell(event) == "applied"
    assert message(INBOUND).sender.value == CARL
    read_is_shown(screen)


def test_an_unknown_type_is_kept(tell):
    event = EXAMPLES["message.received"] | {"event_type": "doodle.received"}

    assert tell(event) == "kept"
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "doodle", "fallback_text": "A bicycle, drawn"}, "A bicycle, drawn"),
        ({"type": "doodle", "title": {"deep": 1}}, "that only the phone can show"),
        ({"type": "imessage_app", "layout": "none", "app": None}, "App card"),
        ({"type": "app_clip", "value": "javascript:alert(1)"}, "javascript:alert(1)"),
        ({"type": "media", "filename": "IMG_1.HEIC"}, "IMG_1.HEIC, which the carrier has no more"),
        ({}, "that only the phone can show"),
    ],
)
def test_a_part_that_nobody_knows_is_no_broken_bubble(part, words, tell, screen):
    event = EXAMPLES["message.received-link"]
    event = event | {"data": event["data"] | {"parts": [part]}}

    assert tell(event) == "applied"

    assert words in screen(DIRECT)
    assert 'href="javascript' not in screen(DIRECT)
    assert Message.objects.get().preview


@pytest.mark.parametrize("parts", [None, []])
def test_a_message_without_parts_says_so(parts, tell, screen):
    event = EXAMPLES["message.received-link"]

    assert tell(event | {"data": event["data"] | {"parts": parts}}) == "applied"

    assert "The carrier told nothing of what it says" in screen(DIRECT)
    assert Message.objects.get().preview == "A message without content"


def test_the_sdk_refuses_a_broken_example():
    """So that the check above can fail."""
    broken = EXAMPLES["poll.received"] | {"data": {}}
    with pytest.raises(ValidationError):
        model_of(broken).model_validate(broken)
