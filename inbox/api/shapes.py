"""What programs get of conversations: the objects of contract §5, with our ids. Webhooks carry those of inbox.wire."""

from inbox import wire
from inbox.models.reaction import shown
from inbox.wire import chat_handle, health, moment, owner_handle

# Our states of a message, as V3 calls them.
STATUSES = {
    "queued": "pending",
    "held": "pending",
    "sending": "pending",
    "accepted": "queued",
    "refused": "failed",
}


def chat(chat):
    """A Chat. Uses what for_programs prefetched."""
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
    return data | {"reconciled_at": moment(message.reconciled_at)} if message.reconciled_at else data


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


def status(message):
    return STATUSES.get(message.state, message.state)


def changed_at(message):
    times = (message.created_at, message.sent_at, message.delivered_at, message.read_at, message.failed_at)
    return max(filter(None, (*times, message.edited_at)))


def parts(message):
    """Each with what stands on it."""
    reactions = {}
    for reaction in shown(message.reactions.all()):
        reactions.setdefault(reaction.part_index, []).append(reacted(message, reaction))
    return [wire.part(part) | {"reactions": reactions.get(part.index)} for part in message.parts.all()]


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
