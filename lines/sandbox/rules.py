"""What a message may hold (contract §5.1), and what the first one of a chat may not."""

import re
from itertools import pairwise

from lines.gateways.base import PermanentFailure

PARTS, TO = 100, 31
OPTIONS, OPTION = 12, 100
LENGTHS = {"text": 10_000, "link": 2_048}
VOICE_MEMO_BYTES = 10 * 1024 * 1024
URL = re.compile(r"(?:https?://|www\.)\S", re.IGNORECASE)
BUBBLE_EFFECTS = {"slam": "Slam", "loud": "Loud", "gentle": "Gentle", "invisible": "Invisible Ink"}
SCREEN_EFFECTS = {
    "confetti": "Confetti",
    "fireworks": "Fireworks",
    "lasers": "Lasers",
    "balloons": "Balloons",
    "love": "Love",
    "celebration": "Celebration",
    "spotlight": "Spotlight",
    "echo": "Echo",
}
SAME_EFFECTS = {"sparkles": "celebration", "hearts": "love", "happy_birthday": "balloons"}


def effect_named(name):
    """{"type", "name"} as V3 has it; 1004 where there is no such effect."""
    if name in BUBBLE_EFFECTS:
        return {"type": "bubble", "name": name}
    if name in SCREEN_EFFECTS or name in SAME_EFFECTS:
        return {"type": "screen", "name": name}
    raise PermanentFailure(f"There is no effect “{name}”", code=1004)


def effect_label(effect):
    name = SAME_EFFECTS.get(effect["name"], effect["name"])
    return {**BUBBLE_EFFECTS, **SCREEN_EFFECTS}[name]


def check(outgoing):
    """Raises 1004 or 1005 where the carrier takes no such message from our side."""
    parts = outgoing.parts
    if not 1 <= len(parts) <= PARTS:
        raise PermanentFailure(f"A message has 1 to {PARTS} parts", code=1004)
    kinds = [part["type"] for part in parts]
    if "link" in kinds and len(parts) > 1:
        raise PermanentFailure("A link must be the only part", code=1004)
    if "poll" in kinds and (len(parts) > 1 or not outgoing.chat):
        raise PermanentFailure("A poll goes alone, and into a chat that is there", code=1005)
    if ("text", "text") in pairwise(kinds):
        raise PermanentFailure("Two texts cannot follow one another", code=1004)
    for part in parts:
        if part["type"] == "poll":
            check_poll(part["options"])
        elif part["type"] != "media" and not 1 <= len(part["value"]) <= LENGTHS[part["type"]]:
            raise PermanentFailure(f"A {part['type']} is too long or empty", code=1004)
    if outgoing.is_voice_memo:
        check_voice_memo(parts)
    if outgoing.effect:
        effect_named(outgoing.effect.get("name"))
    if not outgoing.chat and len(set(outgoing.to)) > TO:
        raise PermanentFailure(f"A message goes to {TO} people at most", code=1005)


def check_poll(texts):
    if not 2 <= len(texts) <= OPTIONS or not all(1 <= len(text) <= OPTION for text in texts):
        raise PermanentFailure(f"A poll has 2 to {OPTIONS} options of {OPTION} characters", code=1005)


def check_voice_memo(parts):
    if [part["type"] for part in parts] != ["media"]:
        raise PermanentFailure("A voice memo goes alone", code=1004)
    if not parts[0]["mime_type"].startswith("audio/"):
        raise PermanentFailure("A voice memo is a sound", code=5004)
    if parts[0]["size_bytes"] > VOICE_MEMO_BYTES:
        raise PermanentFailure("A voice memo has 10 MB at most", code=5005)


def check_first(outgoing):
    """1005 for what the first message of a new chat may not have."""
    if outgoing.effect or outgoing.reply_to:
        raise PermanentFailure("A first message has no effect and answers nothing", code=1005)
    for part in outgoing.parts if not outgoing.frees_link else ():
        if part["type"] == "link" or (part["type"] == "text" and URL.search(part["value"])):
            raise PermanentFailure("A first message has no link", code=1005)
