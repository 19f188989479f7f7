"""What our side asks of the carrier besides messages, reactions, edits and groups."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from lines.gateways.base import PermanentFailure, TemporaryFailure
from lines.models.sandbox import (
    Handset,
    SandboxBlock,
    SandboxCard,
    SandboxChat,
    SandboxForward,
    SandboxHappening,
    SandboxLimit,
    SandboxLocation,
    SandboxMessage,
)
from lines.models.sandbox.chat import TYPING_LASTS
from lines.sandbox import shelf
from lines.sandbox.groups import locked, note

CHECK_EVERY, SHARE_EVERY = timedelta(seconds=10), timedelta(minutes=5)


@transaction.atomic
def start_typing(chat):
    """RCS and SMS take it as well; nothing is shown there."""
    chat = locked(chat)
    if chat.service == "iMessage":
        SandboxChat.objects.filter(pk=chat.pk).update(line_types_until=timezone.now() + TYPING_LASTS)


@transaction.atomic
def stop_typing(chat):
    SandboxChat.objects.filter(pk=locked(chat).pk).update(line_types_until=None)


@transaction.atomic
def mark_read(chat):
    """No effect in groups."""
    chat = locked(chat)
    if not chat.is_group:
        SandboxChat.objects.filter(pk=chat.pk).update(line_read_at=timezone.now())


def delete_message(message):
    """From the carrier's records; the phones keep it."""
    known = SandboxMessage.objects.filter(pk=message.pk, deleted_at=None)
    if not known.update(deleted_at=timezone.now()):
        raise PermanentFailure("The carrier knows no such message", code=2002)


def put_card(environment, line_number, card):
    image = None
    if card.image:
        with card.image.open("rb") as file:
            image = shelf.store(environment, "card.jpg", "image/jpeg", file.read())
    SandboxCard.objects.update_or_create(
        environment=environment,
        line_number=line_number,
        defaults={"first_name": card.first_name, "last_name": card.last_name, "image": image},
    )


def block(environment, handle):
    SandboxBlock.objects.get_or_create(environment=environment, handle=handle)


def unblock(environment, handle):
    SandboxBlock.objects.filter(environment=environment, handle=handle).delete()


def forward_calls(environment, line_number, number):
    forwards = SandboxForward.objects.filter(environment=environment, line_number=line_number)
    if not number:
        forwards.delete()
    elif not forwards.update(number=number):
        SandboxForward.objects.create(environment=environment, line_number=line_number, number=number)


def card_of(chat):
    return SandboxCard.objects.filter(environment=chat.environment_id, line_number=chat.line_number).first()


@transaction.atomic
def share_card(chat):
    chat = locked(chat)
    if card_of(chat) is None:
        raise PermanentFailure("The line has no contact card", code=2012)
    if chat.service != "iMessage":
        raise PermanentFailure("A contact card is shared on iMessage only", code=2017)
    once(chat.environment, f"card {chat.pk}", every=SHARE_EVERY)
    now = timezone.now()
    chat.members.filter(left_at=None).update(card_offered_at=now, card_added_at=None)
    note(chat, SandboxHappening.Kind.CARD, now)


def once(environment, name, *, every):
    """TemporaryFailure 1007 where it was done less than `every` ago."""
    wait = SandboxLimit.use(environment, name, every=every)
    if wait:
        raise TemporaryFailure("Rate limit exceeded", code=1007, retry_after=int(wait.total_seconds()) + 1)


def check(environment, address, service):
    """Whether that phone gets the service; None where nobody can say. A number without a phone is an iPhone."""
    once(environment, "capability check", every=CHECK_EVERY)
    handset = Handset.objects.filter(environment=environment, handle=address).first() or Handset()
    return handset.service == service if handset.is_reachable else None


def live_locations(chat):
    now = timezone.now()
    shares = SandboxLocation.objects.filter(chat=chat, ended_at=None).select_related("handset")
    return [share for share in shares if share.ends_at is None or share.ends_at > now]


def where_they_are(chat):
    return [
        {
            "handle": share.handset.handle,
            "longitude": share.longitude,
            "latitude": share.latitude,
            "address": share.address,
            "updated_at": share.began_at.isoformat(),
        }
        for share in live_locations(chat)
    ]
