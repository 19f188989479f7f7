"""What the simulated carrier does: it takes our messages, and its customers use their phones."""

from datetime import timedelta
from urllib.parse import quote

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from lines.models.people import tone_of
from lines.models.sandbox import Handset, SandboxChat, SandboxMedia, SandboxMessage
from lines.sandbox import outbox, payloads, personas, services

SENT_AFTER = timedelta(seconds=0.3)
ARRIVES_AFTER = timedelta(seconds=0.8)
FAILS_AFTER = timedelta(seconds=0.8)
READ_AFTER = timedelta(seconds=1.2)


class NoCoverage(Exception):
    """The phone cannot send now."""


def take(environment, outgoing):
    """Accept an OutgoingMessage of our side; returns the SandboxMessage, the first one for a repeated key."""
    known = SandboxMessage.objects.select_related("chat").filter(environment=environment)
    if first := known.filter(idempotency_key=outgoing.idempotency_key).first():
        return first
    parts = [stored_part(environment, part) for part in outgoing.parts]
    with transaction.atomic():
        chat, is_new = chat_for(environment, outgoing)
        # The chat's row is the lock of its key: a request that is repeated at once finds the first.
        SandboxChat.objects.select_for_update().get(pk=chat.pk)
        if first := known.filter(idempotency_key=outgoing.idempotency_key).first():
            return first
        message = accepted(chat, outgoing, parts)
        outbox.queue(environment, [*born(chat, is_new, message.created_at), *fate(message)])
        personas.hear(message)
    return message


def stored_part(environment, part):
    if part["type"] != "media":
        return part
    with part["file"].open("rb") as file:
        return keep(environment, part["filename"], part["mime_type"], file.read())


def keep(environment, filename, mime_type, content):
    """Store a file at the carrier; returns the V3 media part that stands for it."""
    media = SandboxMedia(
        environment=environment,
        filename=plain_filename(filename),
        mime_type=mime_type,
        size=len(content),
    )
    media.file.save(media.filename, ContentFile(content), save=False)
    media.save(force_insert=True)
    return {
        "type": "media",
        "id": str(media.pk),
        "url": f"{settings.RECEIVER_URL}/sandbox/media/{media.pk}/{quote(media.filename)}",
        "filename": media.filename,
        "mime_type": mime_type,
        "size_bytes": media.size,
    }


def plain_filename(name):
    name = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[-200:] or "file"


def chat_for(environment, outgoing):
    """(chat, whether it is new): the one that is named, or the one of this line with these people."""
    if outgoing.chat:
        return SandboxChat.objects.get(environment=environment, pk=outgoing.chat), False
    handsets = [handset_of(environment, value) for value in sorted(set(outgoing.to))]
    return open_chat(environment, outgoing.line, handsets)


def handset_of(environment, value):
    """The phone of this number; a number that nobody has given a phone is an iPhone."""
    return Handset.objects.get_or_create(
        environment=environment, handle=value, defaults={"tone": tone_of(value)}
    )[0]


def open_chat(environment, line_number, handsets, **fields):
    chat, is_new = SandboxChat.objects.get_or_create(
        environment=environment,
        line_number=line_number,
        handles_key=" ".join(sorted(handset.handle for handset in handsets)),
        defaults={"is_group": len(handsets) > 1, "service": services.common_service(handsets), **fields},
    )
    if is_new:
        chat.handsets.set(handsets)
    return chat, is_new


def born(chat, is_new, at):
    return [payloads.chat_created(chat, at)] if is_new else []


def accepted(chat, outgoing, parts):
    """Write the message down together with what will become of it."""
    handsets = list(chat.handsets.all())
    service, error = services.route(handsets, outgoing.preferred_service)
    now = timezone.now()
    message = SandboxMessage(
        environment=chat.environment,
        chat=chat,
        parts=parts,
        service=service,
        preferred_service=outgoing.preferred_service or "",
        idempotency_key=outgoing.idempotency_key,
        trace_id=outgoing.trace_id,
        created_at=now,
    )
    if error:
        message.failed_at, message.error_code = now + FAILS_AFTER, error
    else:
        message.sent_at = now + SENT_AFTER
        if chat.is_group or handsets[0].in_coverage:
            arrive(message, now + ARRIVES_AFTER)
    message.save(force_insert=True)
    return message


def arrive(message, at):
    """It reaches the phones `at`; where one reads at once, it is read soon after."""
    message.arrived_at = at
    has_receipts = services.has_receipts(message.service, message.chat.is_group)
    if has_receipts:
        message.delivered_at = at
    handset = message.chat.handsets.first()
    if handset.reads_at_once and not message.chat.is_group:
        message.opened_at = at + READ_AFTER
        if has_receipts and handset.sends_read_receipts:
            message.read_at = message.opened_at


def fate(message):
    """The webhooks of all that is known of a message of ours."""
    if message.failed_at:
        return [payloads.message_failed(message)]
    told = [
        ("message.sent", message.sent_at),
        ("message.delivered", message.delivered_at),
        ("message.read", message.read_at),
    ]
    return [payloads.message_event(message, event, at) for event, at in told if at]


def text(handset, chat, words):
    """The customer writes; returns the SandboxMessage. NoCoverage where the phone has none."""
    return send(handset, chat, [{"type": "text", "value": words}])


def photo(handset, chat, filename, mime_type, content, *, words=""):
    """The customer sends a file, with words below it if there are any."""
    parts = [keep(handset.environment, filename, mime_type, content)]
    return send(handset, chat, [*parts, *([{"type": "text", "value": words}] if words else [])])


@transaction.atomic
def send(handset, chat, parts, *, at=None, is_scripted=False):
    """A message of the customer leaves the phone `at` (now). Writing is reading what was there before."""
    if not handset.in_coverage:
        raise NoCoverage(f"{handset.first_name}’s phone has no coverage")
    at = at or timezone.now()
    is_new = not chat.messages.exists()
    message = SandboxMessage.objects.create(
        environment=chat.environment,
        chat=chat,
        handset=handset,
        parts=parts,
        service=chat.service,
        is_scripted=is_scripted,
        created_at=at,
        sent_at=at,
        arrived_at=at,
    )
    read(handset, chat, at=at - timedelta(milliseconds=1))
    outbox.queue(
        chat.environment, [*born(chat, is_new, at), payloads.message_event(message, "message.received", at)]
    )
    return message


def chat_with(handset, line_number):
    """The customer's own thread with a line, new where there is none yet."""
    return open_chat(handset.environment, line_number, [handset])[0]


@transaction.atomic
def read(handset, chat, *, at=None):
    """The customer looks at the thread. The carrier tells of it where the phone sends read receipts."""
    at = at or timezone.now()
    unread = chat.messages.select_for_update().filter(handset=None, opened_at=None, arrived_at__lte=at)
    told = []
    for message in unread:
        message.opened_at = at
        if message.delivered_at and handset.sends_read_receipts:
            message.read_at = at
            told.append(payloads.message_event(message, "message.read", at))
        message.save(update_fields=["opened_at", "read_at"])
    outbox.queue(chat.environment, told)
    return len(told)


def leave_coverage(handset):
    Handset.objects.filter(pk=handset.pk).update(in_coverage=False)


@transaction.atomic
def enter_coverage(handset):
    """Back on the network: what has waited arrives."""
    if not Handset.objects.filter(pk=handset.pk, in_coverage=False).update(in_coverage=True):
        return
    waiting = SandboxMessage.objects.select_for_update(of=("self",)).filter(
        chat__handsets=handset, handset=None, arrived_at=None, failed_at=None
    )
    for message in waiting.select_related("chat__environment", "environment"):
        arrive(message, timezone.now() + ARRIVES_AFTER)
        message.save()
        outbox.queue(message.environment, fate(message)[1:])
        personas.hear(message)


def nudge(handset, chat):
    """Someone who answers by themselves writes once more without being asked."""
    if persona := personas.PERSONAS.get(handset.persona):
        return text(handset, chat, persona.comes_back)


def report_spam(handset):
    Handset.objects.filter(pk=handset.pk, reported_spam_at=None).update(reported_spam_at=timezone.now())
