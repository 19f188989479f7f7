"""Message events as a carrier sends them, about 1 KB each, with ids that nobody has had before."""

import uuid
from datetime import UTC, datetime


def received(line, *, chat, customer):
    return _message("message.received", line, uuid.uuid4(), chat, _handle(customer), {})


def sent(line, *, chat, message):
    return _message("message.sent", line, message, chat, None, {})


def delivered(line, *, chat, message):
    return _message("message.delivered", line, message, chat, None, {"delivered_at": _now()})


def _message(event_type, line, message, chat, sender, times):
    ours = _handle(line, is_me=True)
    return {
        "api_version": "v3",
        "webhook_version": "2026-02-03",
        "event_type": event_type,
        "event_id": str(uuid.uuid4()),
        "created_at": _now(),
        "trace_id": uuid.uuid4().hex,
        "partner_id": "bench",
        "data": {
            "id": str(message),
            "chat": {
                "id": str(chat),
                "is_group": False,
                "owner_handle": ours,
                "health_status": {"status": "HEALTHY", "updated_at": "2026-11-01T08:00:00Z"},
            },
            "direction": "inbound" if sender else "outbound",
            "sender_handle": sender or ours,
            "parts": [{"type": "text", "value": "Is the blue one still in stock? " * 3}],
            "service": "iMessage",
            "sent_at": _now(),
            "delivered_at": None,
            "read_at": None,
            "effect": None,
            "reply_to": None,
            "idempotency_key": None,
            "preferred_service": None,
        }
        | times,
    }


def _handle(value, *, is_me=False):
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, value)),
        "handle": value,
        "service": "iMessage",
        "joined_at": "2026-11-01T08:00:00Z",
        "left_at": None,
        "is_me": is_me,
    }


def _now():
    return datetime.now(UTC).isoformat()
