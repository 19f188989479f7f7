"""What the simulated carrier does with messages: it takes ours, and its customers use their phones."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from lines.gateways.base import PermanentFailure
from lines.models.people import tone_of
from lines.models.sandbox import Handset, SandboxChat, SandboxCopy, SandboxMessage
from lines.sandbox import happenings, outbox, payloads, personas, polls, rules, services, typing
from lines.sandbox.groups import locked, present
from lines.sandbox.shelf import keep, stored_part

SENT_AFTER = timedelta(seconds=0.3)
ARRIVES_AFTER = timedelta(seconds=0.8)
FAILS_AFTER = timedelta(seconds=0.8)
READ_AFTER = timedelta(seconds=1.2)


class NoCoverage(PermanentFailure):
    """The phone cannot send now."""


def take(environment, outgoing, *, chat=None, original=None):
    """Accept an OutgoingMessage of our side; returns the SandboxMessage, the first one for a repeated key.

    `chat` is the one that it names, `original` the message that it answers. PermanentFailure where the contract
    forbids it; the key of a message that was deleted is used up (2002).
    """
    rules.check(outgoing)
    with transaction.atomic():
        # Before its chat: a group that was named since is no longer found by its people, and must not be made again.
        if first := taken(environment, outgoing.idempotency_key):
            return first
        chat, is_new = (chat, False) if chat else chat_for(environment, outgoing)
        if is_new and not environment.frees_first_messages:
            rules.check_first(outgoing)
        # The chat's row is the lock of its key: a request that is repeated at once finds the first.
        chat = locked(chat)
        if first := taken(environment, outgoing.idempotency_key):
            return first
        if original and original.chat_id != chat.pk:
            raise PermanentFailure("It answers a message of another chat", code=2002)
        message = accepted(chat, outgoing, original)
        outbox.queue(environment, [*born(chat, is_new, message.created_at), *fate(message)])
        for copy in message.copies.select_related("handset"):
            personas.hear(copy)
    return message


def taken(environment, key):
    """The message that was taken under this key, or None."""
    first = SandboxMessage.objects.filter(environment=environment, idempotency_key=key).first()
    if first and first.deleted_at:
        raise PermanentFailure("The message of this key was deleted", code=2002)
    return first


def chat_for(environment, outgoing):
    """(chat, whether it is new) of this line with these people."""
    handsets = [handset_of(environment, value) for value in sorted(set(outgoing.to))]
    if not handsets:
        raise PermanentFailure("The message is for nobody", code=1001)
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
        chat.handsets.set(handsets, through_defaults={"joined_at": chat.created_at})
    return chat, is_new


def born(chat, is_new, at):
    return [payloads.chat_created(chat, at)] if is_new else []


def accepted(chat, outgoing, original):
    """Write the message down together with what will become of it. Writing ends our typing."""
    handsets = chat.phones
    service, error = services.route(handsets, outgoing.preferred_service)
    texts = next((part["options"] for part in outgoing.parts if part["type"] == "poll"), None)
    if texts:
        services.require("poll", service, "Polls are for iMessage only")
    parts = [] if texts else [stored_part(chat.environment, part) for part in outgoing.parts]
    now = timezone.now()
    message = SandboxMessage(
        environment=chat.environment,
        chat=chat,
        parts=parts,
        service=service,
        preferred_service=outgoing.preferred_service or "",
        # Effects are seen on iMessage only; elsewhere they are dropped.
        effect=outgoing.effect if service == "iMessage" else None,
        original=original,
        original_part=(outgoing.reply_to or {}).get("part_index") or 0,
        is_voice_memo=outgoing.is_voice_memo,
        poll=texts and {"options": polls.new_options(texts, None)},
        idempotency_key=outgoing.idempotency_key,
        trace_id=outgoing.trace_id,
        created_at=now,
    )
    if error:
        message.failed_at, message.error_code = now + FAILS_AFTER, error
    else:
        message.sent_at = now + SENT_AFTER
    message.save(force_insert=True)
    if not error:
        copy_to(handsets, message, now + ARRIVES_AFTER)
    SandboxChat.objects.filter(pk=chat.pk).update(line_types_until=None)
    return message


def copy_to(handsets, message, at):
    """A copy for each phone: it arrives `at` on those that have coverage, and waits for the others."""
    for handset in handsets:
        copy = SandboxCopy(message=message, handset=handset)
        if handset.in_coverage and handset.is_reachable:
            arrive(copy, at)
        copy.save(force_insert=True)


def arrive(copy, at):
    """The message reaches this phone `at`; where that one reads at once, it is read soon after."""
    message, handset = copy.message, copy.handset
    copy.arrived_at = at
    has_receipts = message.is_from_line and services.has_receipts(message.service, message.chat.is_group)
    if has_receipts:
        message.delivered_at = at
    if handset.reads_at_once:
        copy.opened_at = at + READ_AFTER
        if has_receipts and handset.sends_read_receipts:
            message.read_at = copy.opened_at
    if has_receipts:
        message.save(update_fields=["delivered_at", "read_at"])


def fate(message):
    """The webhooks of all that is known of a message of ours."""
    if message.failed_at:
        return [polls.failed(message)]
    times = [("sent", message.sent_at), ("delivered", message.delivered_at), ("read", message.read_at)]
    return [polls.step(message, verb, at) for verb, at in times if at]


def text(handset, chat, words):
    """The customer writes; returns the SandboxMessage. NoCoverage where the phone has none."""
    return send(handset, chat, [{"type": "text", "value": words}])


def photo(handset, chat, filename, mime_type, content, *, words=""):
    """The customer sends a file, with words below it if there are any."""
    parts = [keep(handset.environment, filename, mime_type, content)]
    return send(handset, chat, [*parts, *([{"type": "text", "value": words}] if words else [])])


@transaction.atomic
def send(
    handset,
    chat,
    parts,
    *,
    at=None,
    is_scripted=False,
    effect=None,
    original=None,
    original_part=0,
    poll=None,
):
    """A message of the customer leaves the phone `at` (now). Writing is reading what was there before."""
    need_coverage(handset)
    present(chat, handset)
    at = at or timezone.now()
    is_new = not chat.messages.exists()
    message = SandboxMessage.objects.create(
        environment=chat.environment,
        chat=chat,
        handset=handset,
        parts=parts,
        service=chat.service,
        effect=effect,
        original=original,
        original_part=original_part,
        poll=poll,
        is_scripted=is_scripted,
        created_at=at,
        sent_at=at,
    )
    typing.stop(handset, chat)
    read(handset, chat, at=at - timedelta(milliseconds=1))
    copy_to([other for other in chat.phones if other.pk != handset.pk], message, at)
    if not chat.line_left_at:
        told = polls.received(message) if poll else payloads.message_event(message, "message.received", at)
        outbox.queue(chat.environment, [*born(chat, is_new, at), told])
    return message


def need_coverage(handset):
    if not handset.in_coverage:
        raise NoCoverage(f"{handset.first_name}’s phone has no coverage")


def chat_with(handset, line_number):
    """The customer's own thread with a line, new where there is none yet."""
    return open_chat(handset.environment, line_number, [handset])[0]


@transaction.atomic
def read(handset, chat, *, at=None):
    """The customer looks at the thread. The carrier tells of it where the phone sends read receipts."""
    at = at or timezone.now()
    unread = handset.copies.select_for_update(of=("self",)).filter(
        message__chat=chat, opened_at=None, arrived_at__lte=at
    )
    told = []
    for copy in unread.select_related("message"):
        if message := opened(copy, at):
            message.chat = chat
            told.append(polls.step(message, "read", at))
    outbox.queue(chat.environment, told)
    return len(told)


def opened(copy, at):
    """The message is read on this phone `at`; returns it where the carrier tells of that."""
    message = copy.message
    copy.opened_at = at
    copy.save(update_fields=["opened_at"])
    if not message.delivered_at or not copy.handset.sends_read_receipts:
        return None
    message.read_at = at
    message.save(update_fields=["read_at"])
    return message


def leave_coverage(handset):
    Handset.objects.filter(pk=handset.pk).update(in_coverage=False)


@transaction.atomic
def enter_coverage(handset):
    """Back on the network: what has waited arrives."""
    if not Handset.objects.filter(pk=handset.pk, in_coverage=False).update(in_coverage=True):
        return
    handset.refresh_from_db()
    if not handset.is_reachable:
        return
    waiting = (
        handset.copies.select_for_update(of=("self",)).filter(arrived_at=None).order_by("message__created_at")
    )
    for copy in waiting.select_related("message__chat__environment", "message__environment"):
        message = copy.message
        copy.handset = handset
        arrive(copy, timezone.now() + ARRIVES_AFTER)
        copy.save()
        if message.is_from_line:
            outbox.queue(message.environment, fate(message)[1:] if message.delivered_at else [])
            personas.hear(copy)


def nudge(handset, chat):
    """Someone who answers by themselves writes once more without being asked."""
    if persona := personas.PERSONAS.get(handset.persona):
        return text(handset, chat, persona.comes_back)


def report_spam(handset):
    Handset.objects.filter(pk=handset.pk, reported_spam_at=None).update(reported_spam_at=timezone.now())


def flag(line, is_flagged):
    """Apple switches iMessage off for one of our numbers, or on again; the webhook tells of it."""
    status, reputation = ("FLAGGED", "CRITICAL") if is_flagged else ("ACTIVE", "HEALTHY")
    outbox.queue(line.environment, [happenings.line_stands(line, status, reputation, timezone.now())])
