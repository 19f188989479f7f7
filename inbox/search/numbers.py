"""What a pasted number or id names: the thing itself, as far as the reader may see it."""

import re
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse

from inbox.models import Attachment, Chat, Message
from inbox.models.contact import normal_handle, readable
from inbox.shortcuts import chats_for
from lines.models import Event

SHOWN = 6
# Anything that stands alone and is more than a word: letters with digits or signs between them.
TOKEN = re.compile(r"(?=\S*[\d@_\-.:/])\S{6,255}")
PHONE = re.compile(r"(?:tel:|sms:)?[+(]?[\d(][\d\s().\-/]{4,24}\d", re.IGNORECASE)


@dataclass(frozen=True)
class Thing:
    kind: str
    name: str
    detail: str
    href: str
    at: object = None


def things_for(typed, request):
    """At most SHOWN things whose number or id is exactly what was typed."""
    typed = typed.strip().strip("<>\"'“”,;")
    things = []
    if address := address_in(typed, request):
        things += conversations_with(address, request)
    if TOKEN.fullmatch(typed):
        things += by_id(re.sub(r"^(mailto|tel|sms):", "", typed), request)
    return list({thing.href: thing for thing in things}.values())[:SHOWN]


def address_in(typed, request):
    """The phone number or e-mail address in normal form, or None."""
    if not PHONE.fullmatch(typed) and "@" not in typed:
        return None
    countries = request.environment.lines.order_by("created_at").values_list("country", flat=True)[:1]
    try:
        return normal_handle(re.sub(r"^(mailto|tel|sms):", "", typed, flags=re.IGNORECASE), *countries)
    except ValidationError:
        return None


def conversations_with(address, request):
    chats = chats_for(request).filter(participants__handle__value=address).newest_first()
    chats = Chat.objects.filter(pk__in=list(chats.values_list("pk", flat=True)[:SHOWN]))
    return [conversation(chat, readable(address)) for chat in chats.newest_first().with_people()]


def by_id(text, request):
    things = [*messages_by(text, request), *chats_by(text, request), *files_by(text, request)]
    things += of_events(Q(trace_id=text), request) if len(text) <= 32 else []
    if known := uuid_in(text):
        things += of_events(Q(event_id=known), request) + of_events(Q(trace_id=known.hex), request)
    if request.membership.is_admin:
        things += receipts_by(text, request)
    return things


def uuid_in(text):
    try:
        return UUID(text)
    except ValueError:
        return None


def named(text, *fields):
    """That one of the fields is the text, or the primary key where it may be one."""
    condition = Q(pk=uuid_in(text)) if uuid_in(text) else Q()
    for field in fields:
        condition |= Q(**{field: text})
    return condition


def messages_of(request):
    return Message.objects.visible_to(request.user, request.environment).filter(
        environment=request.environment
    )


def messages_by(text, request):
    found = messages_of(request).filter(named(text, "external_id", "idempotency_key"))
    return [message_thing(message, "Message") for message in for_things(found)]


def chats_by(text, request):
    found = chats_for(request).filter(named(text, "external_id"))
    return [conversation(chat, chat.line.name) for chat in found.with_people()[:SHOWN]]


def files_by(text, request):
    files = Attachment.objects.filter(named(text, "external_id"), environment=request.environment)
    found = messages_of(request).filter(
        parts__attachment__in=list(files.values_list("pk", flat=True)[:SHOWN])
    )
    return [message_thing(message, "File") for message in for_things(found.distinct())]


def of_events(condition, request):
    """The messages that events of the log speak of."""
    events = Event.objects.filter(condition, environment=request.environment).exclude(message_id=None)
    ids = {*events.order_by("-id").values_list("message_id", flat=True)[:SHOWN]}
    return [
        message_thing(message, "Message") for message in for_things(messages_of(request).filter(pk__in=ids))
    ]


def receipts_by(text, request):
    receipts = request.environment.receipts.filter(Q(event_id=text) | Q(trace_id=text)).order_by("-pk")
    return [
        Thing(
            "Webhook",
            receipt.event_type,
            receipt.get_state_display(),
            reverse("receipt", args=[receipt.pk]),
            receipt.received_at,
        )
        for receipt in receipts.defer("body", "headers", "error")[:SHOWN]
    ]


def for_things(messages):
    return (
        messages.for_bubbles().prefetch_related("chat__participants__handle__contact").order_by("-at")[:SHOWN]
    )


def message_thing(message, kind):
    href = reverse("message", args=[message.pk])
    return Thing(kind, message.preview, message.chat.name, href, message.at)


def conversation(chat, detail):
    return Thing("Conversation", chat.name, detail, reverse("chat", args=[chat.pk]), chat.last_activity_at)
