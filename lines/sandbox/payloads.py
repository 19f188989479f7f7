"""What the carrier says, in the shapes of V3: webhooks at 2026-02-03, and the objects that it answers with."""

import json
from datetime import UTC
from uuid import NAMESPACE_URL, uuid4, uuid5

from lines.models.sandbox import SandboxWebhook
from partyline import trace

WEBHOOK_VERSION = "2026-02-03"
PARTNER = "sandbox"
HEALTH_PAGE = "https://docs.linqapp.com/channel/imessage/guides/chats/chat-health#healthy"
REASONS = {4001: "not delivered", 4005: "the recipient cannot receive this message type"}


def written(time):
    return time and time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def webhook(environment, event_type, data, at):
    """An unsaved webhook of something that happens `at`, which is also when it is due."""
    event_id = uuid4()
    body = {
        "api_version": "v3",
        "webhook_version": WEBHOOK_VERSION,
        "event_type": event_type,
        "event_id": str(event_id),
        "created_at": written(at),
        "trace_id": trace.new_trace_id(),
        "partner_id": PARTNER,
        "data": data,
    }
    return SandboxWebhook(
        environment=environment,
        event_id=event_id,
        event_type=event_type,
        body=json.dumps(body, ensure_ascii=False),
        due_at=at,
    )


def handle(chat, value, *, is_me):
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{chat.environment_id} {value}")),
        "handle": value,
        "service": chat.service,
        "joined_at": written(chat.created_at),
        "left_at": None,
        "is_me": is_me,
        "status": "active",
    }


def handles(chat):
    return [
        handle(chat, chat.line_number, is_me=True),
        *(handle(chat, handset.handle, is_me=False) for handset in chat.handsets.all()),
    ]


def health(chat):
    return {"status": "HEALTHY", "doc_url": HEALTH_PAGE, "updated_at": written(chat.created_at)}


def sender(message):
    if message.is_from_line:
        return handle(message.chat, message.chat.line_number, is_me=True)
    return handle(message.chat, message.handset.handle, is_me=False)


def message_event(message, event_type, at):
    """message.sent, received, delivered or read: each tells the times up to its own, and no later one."""
    told = {"message.delivered": 2, "message.read": 3}.get(event_type, 1)
    times = [message.sent_at, message.delivered_at, message.read_at]
    chat = message.chat
    data = {
        "id": str(message.pk),
        "chat": {
            "id": str(chat.pk),
            "is_group": chat.is_group,
            "owner_handle": handle(chat, chat.line_number, is_me=True),
            "health_status": health(chat),
        },
        "direction": "outbound" if message.is_from_line else "inbound",
        "sender_handle": sender(message),
        "parts": message.parts,
        "service": message.service,
        **{
            name: written(time) if place < told else None
            for place, (name, time) in enumerate(
                zip(("sent_at", "delivered_at", "read_at"), times, strict=True)
            )
        },
        "effect": None,
        "reply_to": None,
        "idempotency_key": message.idempotency_key,
        "preferred_service": message.preferred_service or None,
    }
    return webhook(message.environment, event_type, data, at)


def message_failed(message):
    data = {
        "code": message.error_code,
        "chat_id": str(message.chat_id),
        "message_id": str(message.pk),
        "reason": REASONS[message.error_code],
        "service": message.service,
        "preferred_service": message.preferred_service or None,
        "failed_at": written(message.failed_at),
    }
    return webhook(message.environment, "message.failed", data, message.failed_at)


def chat_object(chat):
    return {
        "id": str(chat.pk),
        "display_name": chat.display_name or ", ".join(handset.handle for handset in chat.handsets.all()),
        "is_group": chat.is_group,
        "service": chat.service,
        "handles": handles(chat),
        "health_status": health(chat),
        "created_at": written(chat.created_at),
        "updated_at": written(chat.created_at),
    }


def chat_created(chat, at):
    return webhook(chat.environment, "chat.created", chat_object(chat), at)


def chat_answer(chat):
    """The V3 Chat that a GET answers with."""
    return chat_object(chat) | {"is_archived": False, "group_chat_icon": None}


def message_answer(message, now):
    """The V3 Message that a GET answers with: what is true at `now`."""
    times = {
        name: time if time and time <= now else None
        for name, time in (
            ("sent_at", message.sent_at),
            ("delivered_at", message.delivered_at),
            ("read_at", message.read_at),
        )
    }
    failed = message.failed_at and message.failed_at <= now
    states = [("read", times["read_at"]), ("delivered", times["delivered_at"]), ("failed", failed)]
    states.append(("sent" if message.is_from_line else "received", times["sent_at"]))
    return {
        "id": str(message.pk),
        "chat_id": str(message.chat_id),
        "created_at": written(message.created_at),
        "updated_at": written(max([message.created_at, *(time for time in times.values() if time)])),
        "delivery_status": next((state for state, reached in states if reached), "queued"),
        "is_from_me": message.is_from_line,
        "is_delivered": bool(times["delivered_at"]),
        "is_read": bool(times["read_at"]),
        **{name: written(time) for name, time in times.items()},
        "parts": [part | {"reactions": None} for part in message.parts],
        "from_handle": sender(message),
        "effect": None,
        "reply_to": None,
        "service": message.service,
        "preferred_service": message.preferred_service or None,
    }
