"""What the carrier says, in the shapes of V3: webhooks at 2026-02-03, and the objects that it answers with.

Messages and chats are here, whatever else happens in a chat is in `happenings`.
"""

import json
from datetime import UTC
from uuid import NAMESPACE_URL, uuid4, uuid5

from lines.models.sandbox import SandboxWebhook
from lines.sandbox.shelf import url_of
from partyline import trace

WEBHOOK_VERSION = "2026-02-03"
PARTNER = "sandbox"
HEALTH_PAGE = "https://docs.linqapp.com/channel/imessage/guides/chats/chat-health#healthy"
STICKER_SIDE = 240
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


def handle(chat, value, *, is_me, joined_at, left_at, status):
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{chat.environment_id} {value}")),
        "handle": value,
        "service": chat.service,
        "joined_at": written(joined_at),
        "left_at": written(left_at),
        "is_me": is_me,
        "status": status,
    }


def line_handle(chat):
    return handle(
        chat,
        chat.line_number,
        is_me=True,
        joined_at=chat.created_at,
        left_at=chat.line_left_at,
        status="left" if chat.line_left_at else "active",
    )


def member_handle(chat, member):
    return handle(
        chat,
        member.handset.handle,
        is_me=False,
        joined_at=member.joined_at,
        left_at=member.left_at,
        status=member.status,
    )


def members_of(chat):
    return list(chat.members.select_related("handset"))


def handle_of(chat, handset):
    """The ChatHandle of a phone, or of our line (None)."""
    if handset is None:
        return line_handle(chat)
    return member_handle(chat, chat.members.select_related("handset").get(handset=handset))


def health(chat):
    return {"status": "HEALTHY", "doc_url": HEALTH_PAGE, "updated_at": written(chat.created_at)}


def chat_of(chat):
    """The chat as a message event names it."""
    return {
        "id": str(chat.pk),
        "is_group": chat.is_group,
        "owner_handle": line_handle(chat),
        "health_status": health(chat),
    }


def direction(handset):
    return "inbound" if handset else "outbound"


def message_event(message, event_type, at):
    """message.sent, received, delivered or read: each tells the times up to its own, and no later one."""
    told = {"message.delivered": 2, "message.read": 3}.get(event_type, 1)
    times = [message.sent_at, message.delivered_at, message.read_at]
    data = {
        "id": str(message.pk),
        "chat": chat_of(message.chat),
        "direction": direction(message.handset),
        "sender_handle": handle_of(message.chat, message.handset),
        "parts": message.parts,
        "service": message.service,
        **{
            name: written(time) if place < told else None
            for place, (name, time) in enumerate(
                zip(("sent_at", "delivered_at", "read_at"), times, strict=True)
            )
        },
        "effect": message.effect,
        "reply_to": message.reply_to,
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
    members = members_of(chat)
    present = [member.handset.handle for member in members if member.left_at is None]
    return {
        "id": str(chat.pk),
        "display_name": chat.display_name or ", ".join(present),
        "is_group": chat.is_group,
        "service": chat.service,
        "handles": [line_handle(chat), *(member_handle(chat, member) for member in members)],
        "health_status": health(chat),
        "created_at": written(chat.created_at),
        "updated_at": written(max(chat.created_at, chat.updated_at)),
    }


def chat_created(chat, at):
    return webhook(chat.environment, "chat.created", chat_object(chat) | {"updated_at": written(at)}, at)


def chat_answer(chat):
    """The V3 Chat that a GET answers with."""
    icon = chat.icon and url_of(chat.icon)
    return chat_object(chat) | {"is_archived": False, "group_chat_icon": icon}


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
    edited = [edit.edited_at for edit in message.edits.all()]
    changes = [message.created_at, *edited, *(time for time in times.values() if time)]
    reactions = list(message.reactions.select_related("handset", "sticker"))
    return {
        "id": str(message.pk),
        "chat_id": str(message.chat_id),
        "created_at": written(message.created_at),
        "updated_at": written(max(changes)),
        "delivery_status": next((state for state, reached in states if reached), "queued"),
        "is_from_me": message.is_from_line,
        "is_delivered": bool(times["delivered_at"]),
        "is_read": bool(times["read_at"]),
        **{name: written(time) for name, time in times.items()},
        "parts": [
            part
            | {"reactions": [reaction(message.chat, r) for r in reactions if r.part_index == place] or None}
            for place, part in enumerate(message.parts)
        ],
        "from_handle": handle_of(message.chat, message.handset),
        "effect": message.effect,
        "reply_to": message.reply_to,
        "service": message.service,
        "preferred_service": message.preferred_service or None,
    }


def reaction(chat, reaction):
    """The V3 Reaction of a part."""
    return {
        "id": str(reaction.pk),
        "type": reaction.type,
        "custom_emoji": reaction.emoji or None if reaction.type == "custom" else None,
        "sticker": sticker(reaction.sticker),
        "handle": handle_of(chat, reaction.handset),
        "is_me": reaction.handset_id is None,
    }


def sticker(media):
    return media and {
        "url": url_of(media),
        "file_name": media.filename,
        "mime_type": media.mime_type,
        "width": STICKER_SIDE,
        "height": STICKER_SIDE,
    }
