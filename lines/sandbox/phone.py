"""What the screen of a handset shows."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from lines.models.sandbox import (
    Handset,
    SandboxCard,
    SandboxChat,
    SandboxCopy,
    SandboxLocation,
    SandboxMedia,
    SandboxMember,
    SandboxMessage,
    SandboxWebhook,
)
from lines.sandbox import bubbles, sentences
from lines.sandbox.services import ABILITIES, has_receipts

NEWEST = 80
TOLD = 40
# A longer silence than this, and the phone writes the time above what follows.
SILENCE = timedelta(minutes=20)


@dataclass
class Thread:
    """What can be opened on the phone: a line of ours, or a group. `key` names it in a URL.

    `member` is the phone's place in the chat, None while there is no chat.
    """

    key: str
    name: str
    tone: int
    line_number: str
    line_name: str
    service: str
    chat: SandboxChat | None = None
    member: SandboxMember | None = None
    others: list[SandboxMember] = field(default_factory=list)

    @property
    def abilities(self):
        return ABILITIES[self.service]

    @property
    def is_group(self):
        return bool(self.chat and self.chat.is_group)

    @property
    def is_over(self):
        return bool(self.member and self.member.left_at)

    @property
    def is_offered_card(self):
        return bool(self.member and self.member.card_offered_at and not self.member.card_added_at)

    @property
    def shows_typing(self):
        until = self.chat and self.chat.line_types_until
        return bool(until and until > timezone.now() and not self.is_over)

    @property
    def seen(self):
        """All that is to be seen of it, besides what was said."""
        chat = self.chat
        marks = self.key, self.is_over, self.is_offered_card, self.shows_typing
        people = [member.pk for member in self.others]
        return marks, people, chat and (chat.icon_id, chat.background, chat.line_left_at), bool(self.location)

    @cached_property
    def location(self):
        if self.chat is None:
            return None
        shares = SandboxLocation.objects.filter(chat=self.chat, handset=self.member.handset_id, ended_at=None)
        return shares.exclude(ends_at__lte=timezone.now()).first()


def phones_of(environment):
    """The handsets with `unread`: how many messages wait on them to be read."""
    now = timezone.now()
    unopened = Q(copies__opened_at=None) | Q(copies__opened_at__gt=now)
    unread = Count("copies", filter=Q(copies__arrived_at__lte=now) & unopened)
    # An aggregate forgets the ordering of the model.
    return Handset.objects.filter(environment=environment).annotate(unread=unread).order_by("id")


def threads_of(handset):
    """The lines that this phone can write to, then its groups."""
    places = SandboxMember.objects.filter(handset=handset).select_related("chat__icon")
    places = list(places.order_by("chat__created_at"))
    direct = {place.chat.line_number: place for place in places if not place.chat.is_group}
    cards = {
        card.line_number: str(card) for card in SandboxCard.objects.filter(environment=handset.environment)
    }
    names, threads = {}, []
    for number, line in enumerate(handset.environment.lines.all(), start=1):
        place = direct.get(line.phone_number)
        name = f"{handset.environment.name} {line}"
        if place and place.card_added_at:
            name = cards.get(line.phone_number, name)
        names[line.phone_number] = name
        threads.append(
            Thread(
                key=line.phone_number,
                name=name,
                tone=number % 6 + 1,
                line_number=line.phone_number,
                line_name=name,
                service=place.chat.service if place else handset.service,
                chat=place and place.chat,
                member=place,
            )
        )
    return threads + [group_of(place, names) for place in places if place.chat.is_group]


def group_of(place, names):
    chat = place.chat
    members = chat.members.select_related("handset").exclude(pk=place.pk)
    present = [member for member in members if member.left_at is None]
    line_name = names.get(chat.line_number, chat.line_number)
    people = ", ".join([line_name, *(member.handset.first_name for member in present)])
    return Thread(
        key=str(chat.pk),
        name=chat.display_name or people,
        tone=5,
        line_number=chat.line_number,
        line_name=line_name,
        service=chat.service,
        chat=chat,
        member=place,
        others=present,
    )


def chosen_among(threads, key):
    """The thread of this key; without one, where something was said last. None where there is none."""
    if key:
        return next((thread for thread in threads if thread.key == key), None)
    used = [thread for thread in threads if thread.chat]
    newest = SandboxMessage.objects.filter(chat__in=[thread.chat for thread in used]).order_by("-created_at")
    last = newest.values_list("chat", flat=True).first()
    return next((thread for thread in used if thread.chat.pk == last), threads[0] if threads else None)


def messages_on(handset, chat):
    """The messages of a chat that are on this phone, with the time `here_at` since when they are."""
    now = timezone.now()
    copies = SandboxCopy.objects.filter(message=OuterRef("pk"), handset=handset, arrived_at__lte=now)
    mine = Case(When(handset=handset, then=F("created_at")))
    messages = SandboxMessage.objects.filter(chat=chat).select_related("handset", "original__handset")
    messages = messages.annotate(here_at=Coalesce(Subquery(copies.values("arrived_at")[:1]), mine))
    return messages.filter(here_at__lte=now)


def items_of(handset, thread):
    """The newest bubbles and sentences that are on this phone, oldest first."""
    if thread is None or thread.chat is None:
        return []
    messages = messages_on(handset, thread.chat).prefetch_related(
        "reactions__handset", "reactions__sticker", "edits"
    )
    newest = list(messages.order_by("-here_at", "-created_at")[:NEWEST])[::-1]
    files = [part["id"] for message in newest for part in message.parts if part["type"] == "media"]
    gone = {
        str(pk)
        for pk in SandboxMedia.objects.filter(pk__in=files)
        .exclude(deleted_at=None)
        .values_list("pk", flat=True)
    }
    drawn = [bubble for message in newest for bubble in bubbles.of(message, handset, thread, gone)]
    notes = sentences.of(handset, thread, since=newest[0].here_at if len(newest) == NEWEST else None)
    items = sorted([*drawn, *notes], key=lambda item: item.at)
    arrange(items, thread)
    return items


def arrange(items, thread):
    """Say of each bubble where it stands in its group, whose it is, and what follows it."""
    for place, bubble in enumerate(items):
        if not bubble.is_bubble:
            continue
        before = items[place - 1] if place else None
        after = items[place + 1] if place + 1 < len(items) else None
        starts = before is None or not together(before, bubble)
        ends = after is None or not together(bubble, after)
        bubble.place = {(1, 1): "only", (1, 0): "first", (0, 1): "last", (0, 0): "middle"}[starts, ends]
        bubble.opens = before is None or bubble.at - before.at > SILENCE
        if thread.is_group and starts and not bubble.is_mine:
            bubble.by = bubble.message.handset.first_name if bubble.message.handset else thread.line_name
    drawn = [item for item in items if item.is_bubble]
    if drawn and drawn[-1].is_mine and has_receipts(drawn[-1].message.service, thread.is_group):
        read_at = thread.chat.line_read_at
        drawn[-1].read_at = read_at if read_at and read_at >= drawn[-1].message.created_at else None
        drawn[-1].state = "Read" if drawn[-1].read_at else "Delivered"


def together(one, other):
    if not (one.is_bubble and other.is_bubble):
        return False
    same = one.message.handset_id == other.message.handset_id
    return same and other.at - one.at < timedelta(minutes=2)


def told(environment):
    """The newest webhooks of the carrier, those that are still to be posted included."""
    return SandboxWebhook.objects.filter(environment=environment).order_by("-id")[:TOLD]


def version_of(*seen):
    """A short text that changes when what the screen shows does."""
    return hashlib.blake2b(repr(seen).encode(), digest_size=8).hexdigest()
