"""What a phone tells in small letters between the messages."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from lines.models.sandbox import SandboxHappening
from lines.sandbox.bubbles import name_of

Kind = SandboxHappening.Kind
NEWEST = 60


@dataclass
class Sentence:
    at: datetime
    words: str
    is_bubble = False

    @property
    def seen(self):
        return self.at, self.words


def of(handset, thread, *, since=None):
    """The newest of what has happened while this phone was in the chat, and after `since`."""
    member = thread.member
    happenings = thread.chat.happenings.select_related("by", "about").filter(
        at__gte=max(filter(None, [member.joined_at, since])), at__lte=member.left_at or timezone.now()
    )
    newest = list(happenings.order_by("-at", "-id")[:NEWEST])
    return [Sentence(happening.at, sentence(happening, handset, thread)) for happening in newest]


def sentence(happening, handset, thread):
    who = name_of(happening.by, handset, thread)
    about = happening.about and name_of(happening.about, handset, thread)
    about = "you" if about == "You" else about
    value = happening.value
    are = "You are" if who == "You" else f"{who} is"
    return {
        Kind.NAMED: f"{who} named the conversation “{value}”." if value else f"{who} removed the name.",
        Kind.ICON: f"{who} changed the group photo.",
        Kind.ADDED: f"{who} added {about}.",
        Kind.REMOVED: f"{who} removed {about}.",
        Kind.LEFT: f"{who} left the conversation.",
        Kind.BACKGROUND: f"{who} changed the background."
        if value != "none"
        else f"{who} removed the background.",
        Kind.LOCATION: f"{are} sharing a location.",
        Kind.LOCATION_ENDED: f"{who} stopped sharing a location.",
        Kind.LOCATION_ASKED: f"{who} asked where {about} {'are' if about == 'you' else 'is'}.",
        Kind.CARD: f"{who} shared a name and photo.",
    }[happening.kind]
