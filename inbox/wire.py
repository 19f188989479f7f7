"""V3 shapes of our nouns, with our ids: what the event log carries and programs get (contract §5)."""

from partyline.moments import moment

HEALTH_DOC = "https://docs.linqapp.com/channel/imessage/guides/chats/chat-health"
# What is not said yet at each step of a message, whatever we know by then.
LATER = {
    "sent": ("delivered_at", "read_at"),
    "received": ("delivered_at", "read_at"),
    "delivered": ("read_at",),
}
# Delivery failed; programs want a code where none was told.
FAILED = 4001


def chat_handle(id, value, *, service, joined_at, is_me, left_at=None):
    return {
        "id": str(id),
        "handle": value,
        "service": service or "iMessage",
        "joined_at": moment(joined_at),
        "left_at": moment(left_at),
        "is_me": is_me,
        "status": "left" if left_at else "active",
    }


def owner_handle(chat):
    line = chat.line
    handle = chat_handle(
        line.pk,
        line.phone_number,
        service=chat.service,
        joined_at=chat.created_at,
        left_at=chat.line_left_at,
        is_me=True,
    )
    return handle | {"line_type": line.line_type}


def health(chat):
    known = chat.health or {"status": "HEALTHY", "updated_at": moment(chat.created_at)}
    return {"doc_url": f"{HEALTH_DOC}#{known['status'].lower().replace('_', '-')}"} | known


def message_chat(chat):
    return {
        "id": str(chat.pk),
        "is_group": chat.is_group,
        "owner_handle": owner_handle(chat),
        "health_status": health(chat),
    }


def sender_handle(message):
    if message.is_inbound and message.sender:
        chat, sender = message.chat, message.sender
        return chat_handle(
            sender.pk, sender.value, service=message.service, joined_at=chat.created_at, is_me=False
        )
    return owner_handle(message.chat)


def part(part):
    if part.kind in ("text", "link"):
        return {"type": part.kind, "value": part.text} | part.extra
    if part.kind == "other" or part.attachment is None:
        return part.extra or {"type": "media"}
    file = part.attachment
    return {
        "type": "media",
        "id": str(file.pk),
        "filename": file.filename,
        "mime_type": file.mime_type,
        "size_bytes": file.size,
        "url": url_of(file),
    }


def url_of(file):
    """For programs; people's browsers go through the door of their chats."""
    return file.public_url


def as_of(type, data):
    """`data` of a message or poll with the times that this event of it tells."""
    return data | {name: None for name in LATER.get(type.rpartition(".")[2], ()) if name in data}


def message(message):
    """`data` of the message events, 2026-02-03. Takes the parts in `known_parts`, or reads them."""
    parts = getattr(message, "known_parts", None)
    if parts is None:
        parts = message.parts.all()
    data = {
        "id": str(message.pk),
        "chat": message_chat(message.chat),
        "direction": message.direction,
        "sender_handle": sender_handle(message),
        "parts": [part(item) for item in parts],
        "service": message.service or "iMessage",
        "sent_at": moment(message.sent_at),
        "delivered_at": moment(message.delivered_at),
        "read_at": moment(message.read_at),
        "effect": message.effect,
        "reply_to": reply_to(message),
        "idempotency_key": message.idempotency_key,
        "preferred_service": message.preferred_service or None,
    }
    return data | late(message)


def late(message):
    """When we learned of it, where that was later than it should have been."""
    at = message.reconciled_at or message.recovered_at
    return {"reconciled_at": moment(at)} if at else {}


def reply_to(message):
    """With our id of the original; the carrier's where we do not know it yet."""
    if not message.reply_to:
        return None
    original = message.original_id or message.reply_to.get("message_id")
    return {"message_id": str(original), "part_index": message.reply_to.get("part_index") or 0}


def sticker(file, told=None):
    """Where we keep it; before it is fetched its kind and size are as they were `told`."""
    told = told or {}
    return {
        "url": url_of(file),
        "file_name": file.filename,
        "mime_type": file.mime_type or told.get("mime_type"),
        "width": file.width or told.get("width"),
        "height": file.height or told.get("height"),
    }


def reaction(message, news, handle, row):
    """`data` of reaction.added and .removed; `handle` is None where it is ours, `row` the Reaction."""
    chat = message.chat
    actor = owner_handle(chat)
    if handle:
        actor = chat_handle(
            handle.pk, handle.value, service=message.service, joined_at=chat.created_at, is_me=False
        )
    return {
        "chat_id": str(message.chat_id),
        "message_id": str(message.pk),
        "part_index": news.part_index,
        "reaction_id": str(row.uid),
        "reaction_type": news.kind,
        "custom_emoji": news.emoji or None,
        "sticker": row.sticker and sticker(row.sticker, news.sticker),
        "is_from_me": handle is None,
        "from": actor["handle"],
        "from_handle": actor,
        "service": message.service or None,
        "reacted_at": moment(news.at),
    }


def member(chat, news, handle):
    """`data` of participant.added and .removed; `handle` is None where it is our line."""
    value = handle.value if handle else chat.line.phone_number
    left_at = news.at if news.has_left else None
    participant = chat_handle(
        handle.pk if handle else chat.line_id,
        value,
        service=chat.service,
        joined_at=news.member.joined_at or (news.at if not news.has_left else chat.created_at),
        left_at=left_at,
        is_me=handle is None,
    )
    at = {"removed_at" if news.has_left else "added_at": moment(news.at)}
    return {"chat_id": str(chat.pk), "handle": value, "participant": participant} | at


def group(chat, news):
    """`data` of what a group was given: its name, its icon, or a background."""
    if news.what == "background":
        described = {"id": str(chat.pk), "is_group": chat.is_group, "owner_handle": owner_handle(chat)}
        return {"chat": described, "background": news.value, "actor_handle": changer(chat, news)}
    return {
        "chat_id": str(chat.pk),
        "new_value": news.value,
        "changed_by_handle": changer(chat, news),
        "updated_at": moment(news.at),
    }


def changer(chat, news):
    """Who did it, None where that was not told."""
    if news.by is None:
        return None
    return owner_handle(chat) if news.by.is_me else person(chat, chat.known_handles[news.by.value])


def person(chat, handle, *, service=None):
    return chat_handle(
        handle.pk, handle.value, service=service or chat.service, joined_at=chat.created_at, is_me=False
    )


def refusal(chat, news):
    return {"chat_id": str(chat.pk), "error_code": news.code, "failed_at": moment(news.at)}


def typing(chat, participant):
    handle = participant.handle
    actor = chat_handle(
        handle.pk, handle.value, service=chat.service, joined_at=participant.joined_at, is_me=False
    )
    return {"chat_id": str(chat.pk), "actor_handle": actor}


def failure(message):
    """`data` of message.failed."""
    return {
        "code": message.error_code or FAILED,
        "chat_id": str(message.chat_id),
        "message_id": str(message.pk),
        "reason": message.error,
        "service": message.service or None,
        "preferred_service": message.preferred_service or None,
        "failed_at": moment(message.failed_at),
    }


def edit(message, news):
    return {
        "id": str(message.pk),
        "chat": message_chat(message.chat),
        "direction": message.direction,
        "edited_at": moment(news.edited_at),
        "part": {"index": news.part_index, "text": news.text},
        "sender_handle": sender_handle(message),
    }


def chat(chat, news):
    """`data` of chat.created; the members are those of the news."""
    handles = [
        chat_handle(
            chat.known_handles[member.value].pk,
            member.value,
            service=news.service,
            joined_at=member.joined_at or news.created_at,
            left_at=member.left_at,
            is_me=False,
        )
        for member in news.others
    ]
    return {
        "id": str(chat.pk),
        "display_name": news.display_name or None,
        "is_group": chat.is_group,
        "service": news.service or None,
        "handles": [owner_handle(chat), *handles],
        "health_status": health(chat),
        "created_at": moment(news.created_at),
        "updated_at": moment(news.created_at),
    }


def kept_option(option):
    return {name: value for name, value in option.items() if name != "voters"}


def poll_chat(chat):
    return {"id": str(chat.pk), "is_group": chat.is_group, "owner_handle": owner_handle(chat)}


def poll_option(option, message, handles, maker):
    """`handles` are people by their address, `maker` is who made it where nobody is named."""
    creator = handles.get(option["creator"])
    number = message.chat.line.phone_number
    return {
        "option_id": option["option_id"],
        "text": option["text"],
        "can_be_edited": option["can_be_edited"],
        "creator_handle": person(message.chat, creator, service=message.service) if creator else maker,
        "voters": [
            {"handle": voter["handle"] or number, "voted_at": voter["voted_at"]}
            for voter in option.get("voters") or []
        ],
    }


def poll_as_told(message, options, handles):
    maker = sender_handle(message)
    options = [poll_option(option, message, handles, maker) for option in options]
    voters = {voter["handle"] for option in options for voter in option["voters"]}
    return {"options": options, "total_voters": len(voters)}


def poll_part(message):
    return {
        "chat": poll_chat(message.chat),
        "message_id": str(message.pk),
        "direction": message.direction,
        "service": message.service or "iMessage",
    }


def poll(message, news):
    """`data` of poll.received, .sent, .delivered and .read, with the poll as it was told."""
    options = next((part["options"] for part in news.parts if part.get("type") == "poll"), [])
    data = poll_part(message) | {
        "poll": poll_as_told(message, options, message.chat.known_handles),
        "sender_handle": sender_handle(message),
        "created_at": moment(message.at),
        "updated_at": moment(message.at),
    }
    if message.is_inbound:
        return data | {"received_at": moment(message.sent_at)}
    return data | {name: moment(getattr(message, name)) for name in ("sent_at", "delivered_at", "read_at")}


def poll_failure(message, options, handles):
    """`data` of poll.failed."""
    return poll_part(message) | {
        "poll": poll_as_told(message, options, handles),
        "sender_handle": None,
        "error": {"code": message.error_code or FAILED, "message": message.error},
        "failed_at": moment(message.failed_at),
    }


def poll_update(message, news, handles):
    """`data` of poll.updated: only what was added."""
    ours = owner_handle(message.chat)
    return poll_part(message) | {
        "added_options": [poll_option(option, message, handles, ours) for option in news.options],
        "sender_handle": ours,
    }


def poll_vote(message, news, handle):
    """`data` of poll.vote.added and .removed; `handle` is None where it was our line."""
    chat = message.chat
    voter = handle and chat_handle(
        handle.pk, handle.value, service=message.service, joined_at=chat.created_at, is_me=False
    )
    return {
        "chat": poll_chat(chat),
        "message_id": str(message.pk),
        "option_id": news.option_id,
        "direction": "inbound" if handle else "outbound",
        "service": message.service or "iMessage",
        "sender_handle": voter or owner_handle(chat),
    }


def share(chat, news):
    """`data` of location.sharing.started and .stopped."""
    data = {
        "shared_by": news.sharer,
        "shared_with": news.line,
        "began_at": moment(news.began_at),
        "chat_id": str(chat.pk),
    }
    return data | (
        {"ended_at": moment(news.ended_at)} if news.ended_at else {"ends_at": moment(news.ends_at)}
    )


def card(news):
    """`data` of contact_card.received; the picture is ours once it is fetched."""
    return {
        "owner_handle": news.line,
        "sender_handle": news.sender,
        "first_name": news.first_name,
        "last_name": news.last_name,
        "media_url": news.photo or None,
    }


def number(line, news, before):
    """`data` of phone_number.status_updated, .assigned and .released; `before` is (status, reputation)."""
    data = {"phone_number": line.phone_number, "changed_at": moment(news.at)}
    if news.type != "phone_number.status_updated":
        return data
    return data | {
        "previous_status": before[0],
        "new_status": line.carrier_status,
        "previous_reputation": before[1],
        "new_reputation": line.reputation,
    }
