"""One part of a message as a phone draws it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from lines.models.sandbox import SandboxMessage
from lines.sandbox.rules import effect_label
from lines.sandbox.services import ABILITIES

IMAGES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
CONVERTED = {"image/heic", "image/heif"}
SOUNDS = {
    "audio/mpeg",
    "audio/mp3",
    "audio/mp4",
    "audio/x-m4a",
    "audio/m4a",
    "audio/aac",
    "audio/wav",
    "audio/x-wav",
}
FILMS = {"video/mp4"}
TAPBACKS = {
    "love": "Love",
    "like": "Like",
    "dislike": "Dislike",
    "laugh": "Laugh",
    "emphasize": "Emphasise",
    "question": "Question",
}


@dataclass
class Heap:
    """The same reaction of one or several people."""

    type: str
    emoji: str
    sticker: object
    placement: dict = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    is_mine: bool = False

    @property
    def name(self):
        if self.type == "sticker":
            return f"Sticker {self.emoji}{self.place}".strip()
        return self.emoji or TAPBACKS.get(self.type)

    @property
    def place(self):
        """Where and how it lies on the bubble, in words; "" in the middle."""
        x, y = self.placement.get("x", 0), self.placement.get("y", 0)
        words = [f"{abs(y):.0%} to the {'top' if y < 0 else 'bottom'}"] if y else []
        words += [f"{abs(x):.0%} to the {'left' if x < 0 else 'right'}"] if x else []
        words += [f"turned {turn:g}°"] if (turn := self.placement.get("rotation", 0)) else []
        words += [f"× {scale:g}"] if (scale := self.placement.get("scale", 1)) != 1 else []
        return f" ({', '.join(words)})" if words else ""


@dataclass
class Option:
    id: str
    text: str
    names: list[str]
    is_mine: bool
    is_added_by_me: bool


@dataclass
class Bubble:
    message: SandboxMessage
    index: int
    part: dict
    at: datetime
    is_mine: bool
    abilities: frozenset
    is_gone: bool = False
    quote: str = ""
    heaps: list[Heap] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    place: str = "only"
    opens: bool = False
    by: str = ""
    state: str = ""
    read_at: datetime | None = None
    is_bubble = True

    @property
    def kind(self):
        """How it is drawn."""
        if self.part["type"] != "media":
            return self.part["type"]
        if self.is_gone:
            return "gone"
        mime_type = self.part["mime_type"]
        if mime_type in IMAGES or mime_type in CONVERTED:
            return "photo"
        if mime_type in FILMS:
            return "film"
        if mime_type.startswith("audio/"):
            return "sound"
        return "file"

    @property
    def is_converted(self):
        return self.part["mime_type"] in CONVERTED

    @property
    def is_playable(self):
        return self.part["mime_type"] in SOUNDS

    @property
    def kind_label(self):
        return self.part.get("filename", "").rpartition(".")[2][:4].upper()

    @property
    def words(self):
        """What a quote, a label and the menu say of it."""
        return words_of(self.part)

    @property
    def is_last(self):
        return self.index + 1 >= len(self.message.parts)

    @property
    def is_edited(self):
        return any(edit.part_index == self.index for edit in self.message.edits.all())

    @property
    def effect(self):
        return self.message.effect and self.is_last and effect_label(self.message.effect)

    @property
    def can_react(self):
        return "react" in self.abilities

    @property
    def can_stick(self):
        return "sticker" in self.abilities

    @property
    def can_reply(self):
        return "reply" in self.abilities

    @property
    def can_edit(self):
        return self.is_mine and self.part["type"] == "text" and "edit" in self.abilities

    @property
    def mine(self):
        """The tapback of this phone, as the menu names it: "like", an emoji, or nothing."""
        tapbacks = [heap for heap in self.heaps if heap.is_mine and heap.type != "sticker"]
        return (tapbacks[0].emoji or tapbacks[0].type) if tapbacks else ""

    @property
    def own_options(self):
        return sum(option.is_added_by_me for option in self.options)

    @property
    def seen(self):
        """All that is to be seen of it."""
        drawn = [(heap.type, heap.name, heap.names, heap.is_mine) for heap in self.heaps]
        votes = [(option.id, option.names) for option in self.options]
        marks = self.place, self.opens, self.by, self.state, self.is_gone, self.is_edited, self.can_edit
        return self.message.pk, self.index, self.words, self.quote, drawn, votes, marks


def words_of(part):
    kind = part["type"]
    if kind in ("text", "link"):
        return part["value"]
    if kind == "media":
        named = {"image": "Photo", "video": "Video", "audio": "Audio message"}
        return named.get(part["mime_type"].partition("/")[0]) or part["filename"]
    if kind == "imessage_app":
        return part["layout"].get("caption") or part["app"]["name"]
    return {"poll": "Poll", "app_clip": "App Clip"}.get(kind, "Message")


def of(message, handset, thread, gone):
    """The bubbles of a message; `gone` are ids of files that the carrier has no more."""
    abilities = ABILITIES[message.service] if not thread.is_over else frozenset()
    parts = message.parts or ([{"type": "poll"}] if message.poll is not None else [])
    drawn = [
        Bubble(
            message=message,
            index=index,
            part=part,
            at=message.here_at,
            is_mine=message.handset_id == handset.pk,
            abilities=abilities,
            is_gone=part.get("id") in gone,
            heaps=heaps_of(message, index, handset, thread),
            options=options_of(message, handset, thread),
        )
        for index, part in enumerate(parts)
    ]
    if drawn and message.original and message.service != "SMS":
        drawn[0].quote = quote_of(message)
    return drawn


def quote_of(message):
    parts = message.original.parts
    return words_of(parts[message.original_part]) if message.original_part < len(parts) else "Poll"


def heaps_of(message, index, handset, thread):
    heaps = {}
    for reaction in message.reactions.all():
        if reaction.part_index != index:
            continue
        key = reaction.pk if reaction.type == "sticker" else (reaction.type, reaction.emoji)
        heap = Heap(reaction.type, reaction.emoji, reaction.sticker, reaction.placement)
        heap = heaps.setdefault(key, heap)
        heap.names.append(name_of(reaction.handset, handset, thread))
        heap.is_mine = heap.is_mine or reaction.handset_id == handset.pk
    return list(heaps.values())


def name_of(other, handset, thread):
    if other is None:
        return thread.line_name
    return "You" if other.pk == handset.pk else other.first_name


def options_of(message, handset, thread):
    if message.poll is None:
        return []
    people = {member.handset.handle: member.handset for member in thread.others}
    people[handset.handle] = handset
    people[thread.line_number] = None
    options = []
    for option in message.poll["options"]:
        handles = Counter(voter["handle"] for voter in option["voters"])
        names = [
            name_of(people[handle], handset, thread) if handle in people else handle for handle in handles
        ]
        is_added_by_me = option["creator"] == handset.handle
        options.append(
            Option(option["option_id"], option["text"], names, handset.handle in handles, is_added_by_me)
        )
    return options
