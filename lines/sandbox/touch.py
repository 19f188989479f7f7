"""What is done to a message that is there: reacted to, edited. By our line (`by` None) or by a phone."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from lines.gateways.base import PermanentFailure
from lines.models.sandbox import SandboxEdit, SandboxMessage, SandboxReaction
from lines.sandbox import happenings, outbox
from lines.sandbox.groups import locked
from lines.sandbox.services import require

TYPES = ("love", "like", "dislike", "laugh", "emphasize", "question", "custom")
EDITS, EDITABLE_FOR = 5, timedelta(minutes=15)
LONGEST = 10_000


def locked_message(message, part_index):
    """The message as it is now, in its held chat; it has such a part."""
    chat = locked(message.chat)
    message = SandboxMessage.objects.select_related("handset", "environment").get(pk=message.pk)
    message.chat = chat
    parts = max(1, len(message.parts)) if message.poll is not None else len(message.parts)
    if not 0 <= part_index < parts:
        raise PermanentFailure("The message has no such part", code=1005)
    return message


@transaction.atomic
def react(message, type, *, emoji="", part_index=0, by=None, at=None):
    """Put a tapback on a part `at` (now), in place of the one that was there."""
    message = locked_message(message, part_index)
    require("react", message.service, f"{message.service} has no reactions")
    if type not in TYPES or (type == "custom") != bool(emoji):
        raise PermanentFailure(f"There is no reaction “{type}”", code=1005)
    emoji = emoji[:64]
    mine = tapback(message, part_index, by)
    if mine and (mine.type, mine.emoji) == (type, emoji):
        return mine
    if mine:
        mine.delete()
    at = at or timezone.now()
    return put_on(message, by, type=type, emoji=emoji, part_index=part_index, added_at=at)


def tapback(message, part_index, by):
    mine = message.reactions.filter(handset=by, part_index=part_index)
    return mine.exclude(type="sticker").first()


def put_on(message, by, **fields):
    reaction = SandboxReaction.objects.create(message=message, handset=by, **fields)
    outbox.queue(message.environment, happenings.reaction_changed(message, reaction, reaction.added_at))
    return reaction


@transaction.atomic
def stick(message, media, *, emoji="", part_index=0, placement=None, by=None):
    """Put a sticker, a picture or an emoji, on a part: it stays, whatever else is put there."""
    message = locked_message(message, part_index)
    require("sticker", message.service, "Stickers are for iMessage only")
    fields = {"sticker": media, "emoji": emoji[:64], "placement": placement or {}}
    return put_on(message, by, type="sticker", part_index=part_index, **fields)


@transaction.atomic
def place(message, sticker_id, placement, *, by=None):
    """Move one’s own sticker: what `placement` does not name stays. Nobody is told, but every phone shows it."""
    message = locked_message(message, 0)
    stickers = message.reactions.filter(type="sticker", handset=by)
    sticker = next((one for one in stickers if str(one.pk) == str(sticker_id)), None)
    if sticker is None:
        raise PermanentFailure("The message has no such sticker", code=2002)
    sticker.placement = sticker.placement | placement
    sticker.save(update_fields=["placement"])


@transaction.atomic
def unreact(message, *, part_index=0, by=None):
    """Take the tapback off a part; nothing happens where there is none."""
    message = locked_message(message, part_index)
    mine = tapback(message, part_index, by)
    if mine is None:
        return
    outbox.queue(
        message.environment, happenings.reaction_changed(message, mine, timezone.now(), is_removed=True)
    )
    mine.delete()


@transaction.atomic
def edit(message, text, *, part_index=0, by=None):
    """Say `text` instead, on iMessage, for 15 minutes and 5 times."""
    message = locked_message(message, part_index)
    now = timezone.now()
    if message.handset != by:
        raise PermanentFailure("Only one’s own messages can be edited", code=2005)
    require("edit", message.service, "Only iMessages can be edited")
    if message.failed_at:
        raise PermanentFailure("The message was never delivered", code=2015)
    if now > message.created_at + EDITABLE_FOR:
        raise PermanentFailure("A message can be edited for 15 minutes", code=2015)
    if message.poll is not None or message.parts[part_index]["type"] != "text":
        raise PermanentFailure("Only text can be edited", code=1005)
    if not text.strip() or len(text) > LONGEST:
        raise PermanentFailure(f"A text has 1 to {LONGEST:,} characters", code=1004)
    if message.edits.count() >= EDITS:
        raise PermanentFailure(f"A message can be edited {EDITS} times", code=2015)
    message.parts[part_index] = {"type": "text", "value": text}
    message.save(update_fields=["parts"])
    SandboxEdit.objects.create(message=message, part_index=part_index, text=text, edited_at=now)
    outbox.queue(message.environment, [happenings.edited(message, part_index, now)])
