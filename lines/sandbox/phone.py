"""What the screen of a handset shows."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from lines.models.sandbox import Handset, SandboxChat, SandboxCopy, SandboxMessage, SandboxWebhook
from lines.sandbox.services import has_receipts

NEWEST = 80
TOLD = 40
# A longer silence than this, and the phone writes the time above what follows.
SILENCE = timedelta(minutes=20)
IMAGES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


@dataclass
class Thread:
    """What can be opened on the phone: a line of ours, or a group. `key` names it in a URL."""

    key: str
    name: str
    tone: int
    line_number: str
    chat: SandboxChat | None


@dataclass
class Bubble:
    """One part of a message, as this phone sees it."""

    message: SandboxMessage
    part: dict
    is_mine: bool
    place: str = "only"
    opens: bool = False
    by: str = ""
    state: str = ""

    @property
    def is_image(self):
        return self.part.get("mime_type") in IMAGES

    @property
    def kind_label(self):
        return self.part.get("filename", "").rpartition(".")[2][:4].upper()


def phones_of(environment):
    """The handsets with `unread`: how many messages wait on them to be read."""
    now = timezone.now()
    unopened = Q(copies__opened_at=None) | Q(copies__opened_at__gt=now)
    unread = Count("copies", filter=Q(copies__arrived_at__lte=now) & unopened)
    # An aggregate forgets the ordering of the model.
    return Handset.objects.filter(environment=environment).annotate(unread=unread).order_by("id")


def threads_of(handset):
    """The lines that this phone can write to, then its groups."""
    chats = list(SandboxChat.objects.filter(handsets=handset).order_by("created_at"))
    direct = {chat.line_number: chat for chat in chats if not chat.is_group}
    shop = handset.environment.name
    threads = [
        Thread(
            line.phone_number,
            f"{shop} {line}",
            place % 6 + 1,
            line.phone_number,
            direct.get(line.phone_number),
        )
        for place, line in enumerate(handset.environment.lines.all(), start=1)
    ]
    return threads + [
        Thread(str(chat.pk), chat.display_name or "Group", 5, chat.line_number, chat)
        for chat in chats
        if chat.is_group
    ]


def chosen_among(threads, key):
    """The thread of this key; without one, where something was said last. None where there is none."""
    if key:
        return next((thread for thread in threads if thread.key == key), None)
    used = [thread for thread in threads if thread.chat]
    newest = SandboxMessage.objects.filter(chat__in=[thread.chat for thread in used]).order_by("-created_at")
    last = newest.values_list("chat", flat=True).first()
    return next((thread for thread in used if thread.chat.pk == last), threads[0] if threads else None)


def bubbles_of(handset, chat):
    """The newest messages that are on this phone, oldest first."""
    if chat is None:
        return []
    now = timezone.now()
    copies = SandboxCopy.objects.filter(message=OuterRef("pk"), handset=handset, arrived_at__lte=now)
    mine = Case(When(handset=handset, then=F("created_at")))
    messages = SandboxMessage.objects.filter(chat=chat).select_related("handset")
    messages = messages.annotate(here_at=Coalesce(Subquery(copies.values("arrived_at")[:1]), mine))
    newest = list(messages.filter(here_at__lte=now).order_by("-here_at", "-created_at")[:NEWEST])[::-1]
    bubbles = [
        Bubble(message=message, part=part, is_mine=message.handset_id == handset.pk)
        for message in newest
        for part in message.parts
    ]
    arrange(bubbles, chat)
    return bubbles


def arrange(bubbles, chat):
    """Say of each bubble where it stands in its group, whose it is, and what follows it."""
    for place, bubble in enumerate(bubbles):
        before = bubbles[place - 1] if place else None
        after = bubbles[place + 1] if place + 1 < len(bubbles) else None
        starts = before is None or not together(before, bubble)
        ends = after is None or not together(bubble, after)
        bubble.place = {(1, 1): "only", (1, 0): "first", (0, 1): "last", (0, 0): "middle"}[starts, ends]
        bubble.opens = before is None or bubble.message.here_at - before.message.here_at > SILENCE
        if chat.is_group and starts and bubble.message.handset and not bubble.is_mine:
            bubble.by = bubble.message.handset.first_name
    if bubbles and bubbles[-1].is_mine and has_receipts(bubbles[-1].message.service, chat.is_group):
        bubbles[-1].state = "Delivered"


def together(one, other):
    same = one.message.handset_id == other.message.handset_id
    return same and other.message.here_at - one.message.here_at < timedelta(minutes=2)


def told(environment):
    """The newest webhooks of the carrier, those that are still to be posted included."""
    return SandboxWebhook.objects.filter(environment=environment).order_by("-id")[:TOLD]


def version_of(*seen):
    """A short text that changes when what the screen shows does."""
    return hashlib.blake2b(repr(seen).encode(), digest_size=8).hexdigest()
