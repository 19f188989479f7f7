"""Afterwards: everything exactly once. Every check yields sentences about what is wrong."""

from collections import Counter, defaultdict

from django.db.models import Count

from inbox.models import Chat, Message
from lines.models import Event
from lines.models.sandbox import SandboxMessage, SandboxWebhook
from tests.webhooks.payloads import moment
from webhooks.models import Receipt

TIMES = ("sent_at", "delivered_at", "read_at", "failed_at")


def unsettled(environment):
    """How many things still wait, by name."""
    receipts = Receipt.objects.filter(environment=environment, state__in=("pending", "awaiting"))
    webhooks = SandboxWebhook.objects.filter(delivered_at=None, abandoned_at=None)
    waiting = {
        "receipts": receipts.count(),
        "carrier's webhooks": webhooks.count(),
        "replies": Message.waiting_to_leave().count(),
    }
    return {name: count for name, count in waiting.items() if count}


def receipts_are_whole(environment, story, acknowledged):
    told = {event["event_id"] for event in story.events}
    kept = Counter(Receipt.objects.filter(environment=environment).values_list("event_id", flat=True))
    if lost := acknowledged - kept.keys():
        yield f"{len(lost)} acknowledged webhooks are no receipt"
    if missing := told - acknowledged:
        yield f"{len(missing)} webhooks were never acknowledged"
    if twice := [event_id for event_id, count in kept.items() if count > 1]:
        yield f"{len(twice)} webhooks were kept twice"
    for row in (
        Receipt.objects.filter(environment=environment)
        .exclude(state="applied")
        .values("state", "event_type")
        .annotate(count=Count("pk"))
    ):
        yield "{count} receipts of {event_type} are {state}".format(**row)


def messages_are_right(environment, story):
    mirrored = Message.objects.filter(chat__external_id__in=story.people).select_related("chat", "sender")
    found = defaultdict(list)
    for message in mirrored.prefetch_related("parts", "edits"):
        found[message.external_id].append(message)
    if extra := found.keys() - story.messages.keys():
        yield f"{len(extra)} messages that nobody wrote"
    for name, known in story.messages.items():
        if len(found[name]) != 1:
            yield f"message {name} is there {len(found[name])} times"
            continue
        (message,) = found[name]
        is_ = {
            "chat": message.chat.external_id,
            "inbound": message.is_inbound,
            "sender": message.sender and message.sender.value,
            "at": written(message.at),
            "texts": [part.text for part in message.parts.all()],
            "edits": [edit.text for edit in message.edits.all()],
            "times": {time: written(getattr(message, time)) for time in TIMES if getattr(message, time)},
        }
        should = {
            "chat": known.chat,
            "inbound": known.inbound,
            "sender": story.people[known.chat] if known.inbound else None,
            "at": moment(known.at),
            "texts": known.texts[-1:],
            "edits": known.texts if len(known.texts) > 1 else [],
            "times": known.times,
        }
        if is_ != should:
            wrong = [key for key in should if is_[key] != should[key]]
            yield f"message {name}: {', '.join(f'{key} {is_[key]}, not {should[key]}' for key in wrong)}"


def chats_are_right(environment, story):
    chats = Chat.objects.filter(external_id__in=story.people).select_related("last_message")
    found = {chat.external_id: chat for chat in chats.prefetch_related("participants__handle", "reads")}
    for name, person in story.people.items():
        chat, messages = found.get(name), story.of_chat(name)
        if chat is None:
            yield f"{name} is missing"
            continue
        theirs = [known.at for _, known in messages if known.inbound]
        ours = [known.at for _, known in messages if not known.inbound]
        unanswered = [at for at in theirs if at > max(ours, default=-1)]
        is_ = {
            "people": [handle.value for handle in chat.others],
            "inbound_count": chat.inbound_count,
            "last message": chat.last_message and chat.last_message.external_id,
            "last activity": written(chat.last_activity_at) if messages else None,
            "waiting since": written(chat.waiting_since),
            "unread": [(read.seen, read.is_unread) for read in chat.reads.all()],
        }
        should = {
            "people": [person],
            "inbound_count": len(theirs),
            "last message": messages[-1][0] if messages else None,
            "last activity": moment(messages[-1][1].at) if messages else None,
            "waiting since": moment(unanswered[0]) if unanswered else None,
            "unread": [(0, True)] if theirs else [],
        }
        if is_ != should:
            yield f"{name}: is {is_}, should be {should}"


def log_is_right(environment, story):
    sequence = list(environment.events.order_by("sequence").values_list("sequence", flat=True))
    if sequence != list(range(1, len(sequence) + 1)):
        yield "the log's sequence has gaps"
    names = dict(Message.objects.filter(chat__external_id__in=story.people).values_list("pk", "external_id"))
    told = Counter(
        (names[message], kind)
        for message, kind in Event.objects.filter(message_id__in=names).values_list("message_id", "type")
    )
    for name, known in story.messages.items():
        for kind, count in known.events.items():
            # A later state may have told already what an earlier one comes with.
            fewest = count if kind in ("message.received", "message.edited", "message.failed") else 0
            if not fewest <= told[name, kind] <= count:
                yield f"the log tells {kind} of {name} {told[name, kind]} times"
    created = Event.objects.filter(environment=environment, type="chat.created")
    born = Counter(created.values_list("chat_id", flat=True))
    for pk, name in Chat.objects.filter(external_id__in=story.people).values_list("pk", "external_id"):
        if born[pk] != 1:
            yield f"the log tells chat.created of {name} {born[pk]} times"


def replies_left_once(environment, replies):
    ours = Message.objects.filter(environment=environment, chat__in=replies.chats, direction="outbound")
    ours = list(ours.order_by("chat", "at", "id"))
    by_key = Counter(message.idempotency_key for message in ours)
    at_carrier = SandboxMessage.objects.filter(environment=environment, handset=None)
    taken = Counter(at_carrier.values_list("idempotency_key", flat=True))
    for key in replies.texts:
        if by_key[key] != 1 or taken[key] != 1:
            yield f"reply {key} is {by_key[key]} times in the inbox and left {taken[key]} times"
    if extra := (by_key.keys() | taken.keys()) - replies.texts.keys():
        yield f"{len(extra)} replies that nobody wrote: {sorted(map(str, extra))[:5]}"
    for message in ours:
        if message.state not in ("accepted", "sent", "delivered", "read"):
            yield f"reply {message.idempotency_key} is {message.state}: {message.error or message.verdict}"
    arrived = {str(pk): key for pk, key in at_carrier.values_list("pk", "idempotency_key")}
    for message in ours:
        if arrived.get(message.external_id) != message.idempotency_key:
            yield f"reply {message.idempotency_key} has the carrier's id of another"
    in_order = at_carrier.order_by("chat", "created_at").values_list("chat", "idempotency_key")
    per_chat = defaultdict(list)
    for chat, key in in_order:
        per_chat[chat].append(key)
    asked = defaultdict(list)
    for message in ours:
        asked[message.chat_id].append(message.idempotency_key)
    if sorted(per_chat.values()) != sorted(asked.values()):
        yield "replies left in another order than they were written"
    for row in (
        Event.objects.filter(message_id__in=[message.pk for message in ours])
        .exclude(type="inbox.message_waits")
        .values("message_id", "type")
        .annotate(count=Count("pk"))
        .filter(count__gt=1)
    ):
        yield "the log tells {type} of reply {message_id} {count} times".format(**row)


def written(time):
    return time and time.isoformat().replace("+00:00", "Z")
