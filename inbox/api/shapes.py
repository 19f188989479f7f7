"""What programs get of conversations: the objects of contract §5, with our ids. Webhooks carry those of inbox.wire."""

from uuid import UUID

from inbox import wire
from inbox.models.reaction import shown
from inbox.wire import chat_handle, health, owner_handle
from partyline.moments import moment

# Our states of a message, as V3 calls them.
STATUSES = {
    "queued": "pending",
    "held": "pending",
    "sending": "pending",
    "accepted": "queued",
    "refused": "failed",
}


Id = UUID
# What phones and browsers call some sounds, as V3 calls them.
CONTENT_TYPES = {"audio/wav": "audio/x-wav"}


def chat(chat):
    """A Chat. Uses what with_people prefetched."""
    return {
        "id": chat.pk,
        "created_at": moment(chat.created_at),
        "updated_at": moment(max(chat.created_at, chat.last_activity_at)),
        "display_name": display_name(chat),
        "handles": handles(chat),
        "health_status": health(chat),
        "is_archived": False,
        "is_group": chat.is_group,
        "group_chat_icon": chat.icon and wire.url_of(chat.icon),
        "service": chat.service or None,
    }


def display_name(chat):
    return chat.display_name or ", ".join(handle.value for handle in chat.others)


def handles(chat):
    """Our line and everybody who is or was in it."""
    return [owner_handle(chat), *(participant(chat, one) for one in chat.participants.all())]


def participant(chat, one):
    return chat_handle(
        one.handle_id,
        one.handle.value,
        service=chat.service,
        joined_at=one.joined_at or chat.created_at,
        left_at=one.left_at,
        is_me=False,
    )


def message(message):
    """A Message, as lists, threads and single reads have it."""
    data = {
        "id": message.pk,
        "chat_id": message.chat_id,
        "created_at": moment(message.created_at),
        "updated_at": moment(changed_at(message)),
        "delivery_status": status(message),
        "is_from_me": not message.is_inbound,
        "is_delivered": bool(message.delivered_at),
        "is_read": bool(message.read_at),
        "sent_at": moment(message.sent_at),
        "delivered_at": moment(message.delivered_at),
        "read_at": moment(message.read_at),
        "parts": parts(message),
        "from": wire.sender_handle(message)["handle"],
        "from_handle": wire.sender_handle(message),
        "effect": message.effect,
        "reply_to": wire.reply_to(message),
        "service": message.service or None,
        "preferred_service": message.preferred_service or None,
    }
    return data | wire.late(message)


def sent(message):
    """A SentMessage, as the answers to a send have it."""
    return {
        "id": message.pk,
        "created_at": moment(message.created_at),
        "delivery_status": status(message),
        "is_read": bool(message.read_at),
        "parts": parts(message),
        "sent_at": moment(message.sent_at),
        "delivered_at": moment(message.delivered_at),
        "effect": message.effect,
        "from_handle": owner_handle(message.chat),
        "preferred_service": message.preferred_service or None,
        "reply_to": wire.reply_to(message),
        "service": message.service or None,
    }


def made(chat, message):
    """The chat of an answer to POST /v3/chats."""
    return {
        "id": chat.pk,
        "display_name": display_name(chat),
        "handles": handles(chat),
        "health_status": health(chat),
        "is_group": chat.is_group,
        "service": service(chat, message),
        "message": sent(message),
    }


def chosen(chat, message):
    """The answer to POST /v3/messages."""
    selection = message.selection or {}
    reason = selection.get("reason") or "reused_active_chat"
    created = bool(selection.get("created_new_chat"))
    return {
        "chat_id": chat.pk,
        "created_new_chat": created,
        "from": chat.line.phone_number,
        "from_selection": {"reason": reason, "reused_existing_chat": not created},
        "handles": handles(chat),
        "is_group": chat.is_group,
        "message": sent(message),
        "service": service(chat, message),
        "previous_chat_id": selection.get("previous_chat_id"),
    }


def service(chat, message):
    """By which it goes, as far as can be said before it has gone."""
    return message.service or chat.service or message.preferred_service or "iMessage"


def memo(chat, message):
    """The answer to a voice memo."""
    part = next(part for part in parts_of(message) if part.attachment)
    file = part.attachment
    return {
        "id": message.pk,
        "chat": {
            "id": chat.pk,
            "handles": handles(chat),
            "is_active": chat.line_left_at is None,
            "is_group": chat.is_group,
            "service": service(chat, message),
        },
        "created_at": moment(message.created_at),
        "from": chat.line.phone_number,
        "to": [handle.value for handle in chat.others],
        "status": status(message),
        "voice_memo": {
            "id": file.pk,
            "filename": file.filename,
            "mime_type": file.mime_type,
            "size_bytes": file.size,
            "url": wire.url_of(file),
            "duration_ms": file.seconds and round(file.seconds * 1000),
        },
        "service": message.service or None,
    }


def attachment(file):
    states = {"stored": "complete", "failed": "failed"}
    kind = file.declared_type or file.mime_type
    return {
        "id": file.pk,
        "filename": file.filename,
        "content_type": CONTENT_TYPES.get(kind, kind),
        "size_bytes": file.size,
        "created_at": moment(file.created_at),
        "status": states.get(file.state, "pending"),
        "download_url": file.public_url,
    }


def status(message):
    return STATUSES.get(message.state, message.state)


def changed_at(message):
    times = (message.created_at, message.sent_at, message.delivered_at, message.read_at, message.failed_at)
    return max(filter(None, (*times, message.edited_at)))


def parts(message):
    """Each with what stands on it. V3 has no part for a poll: that has an endpoint of its own."""
    on_parts = reactions(message)
    told = [part for part in parts_of(message) if not part.is_poll]
    return [wire.part(part) | {"reactions": on_parts.get(part.index)} for part in told]


def reactions(message):
    """Those that are shown, by the index of their part."""
    on_parts, known = {}, getattr(message, "known_reactions", None)
    for reaction in shown(message.reactions.all() if known is None else known):
        on_parts.setdefault(reaction.part_index, []).append(reacted(message, reaction))
    return on_parts


def parts_of(message):
    return getattr(message, "known_parts", None) or message.parts.all()


def reacted(message, reaction):
    """A Reaction."""
    handle = owner_handle(message.chat)
    if reaction.handle:
        handle = chat_handle(
            reaction.handle_id,
            reaction.handle.value,
            service=message.service,
            joined_at=message.chat.created_at,
            is_me=False,
        )
    return {
        "id": reaction.uid,
        "type": reaction.type,
        "handle": handle,
        "is_me": reaction.is_ours,
        "custom_emoji": reaction.emoji or None if reaction.type == "custom" else None,
        "sticker": reaction.sticker and wire.sticker(reaction.sticker),
    }
