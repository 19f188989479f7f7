"""Customers who are typing. The carrier is told when it begins; it ends by itself unless it goes on."""

from django.db import transaction
from django.utils import timezone

from lines.models.sandbox import SandboxMember
from lines.models.sandbox.chat import TYPING_LASTS
from lines.sandbox import happenings, outbox
from lines.sandbox.groups import locked, present
from lines.sandbox.services import ABILITIES


@transaction.atomic
def start(handset, chat):
    """Safe to repeat, and to be repeated within 90 s by who types on. On SMS nobody sees it."""
    chat = locked(chat)
    if "type" not in ABILITIES[chat.service] or not handset.in_coverage:
        return
    member = present(chat, handset)
    outbox.call_off(member.typing_ends)
    now = timezone.now()
    end = happenings.typing(chat, handset, now + TYPING_LASTS, has_ended=True)
    outbox.queue(chat.environment, [happenings.typing(chat, handset, now), end])
    SandboxMember.objects.filter(pk=member.pk).update(typing_ends=end.event_id)


@transaction.atomic
def stop(handset, chat):
    """Nothing happens where they do not type (any more)."""
    member = chat.members.filter(handset=handset, left_at=None).exclude(typing_ends=None).first()
    if member and outbox.call_off(member.typing_ends):
        outbox.queue(chat.environment, [happenings.typing(chat, handset, timezone.now(), has_ended=True)])
        SandboxMember.objects.filter(pk=member.pk).update(typing_ends=None)
