"""Webhooks as the carrier sends them, in both versions (contract §5), around one line and whoever writes."""

import uuid
from datetime import UTC, datetime, timedelta

LINE = "+12025550100"
START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def moment(seconds):
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def handle(value, *, is_me=False):
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, value)),
        "handle": value,
        "service": "iMessage",
        "joined_at": moment(0),
        "left_at": None,
        "is_me": is_me,
        "status": "active",
    }


def envelope(kind, data, *, at, version="2026-02-03", key=""):
    event_id = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{at}/{version}/{key}/{data}")
    return {
        "api_version": "v3",
        "webhook_version": version,
        "event_type": kind,
        "event_id": str(event_id),
        "created_at": moment(at),
        "trace_id": event_id.hex,
        "partner_id": "acme",
        "data": data,
    }


def text(value, **extra):
    return {"type": "text", "value": value} | extra


def message(kind, message_id, chat_id, *, at, parts, sender=None, is_group=False, line=LINE, **fields):
    """A message event of 2026-02-03. With a `sender` it is inbound. `at` and the other times are seconds."""
    inbound = sender is not None
    data = {
        "id": message_id,
        "chat": {
            "id": chat_id,
            "is_group": is_group,
            "owner_handle": handle(line, is_me=True),
            "health_status": {
                "status": "HEALTHY",
                "doc_url": "https://docs.example/healthy",
                "updated_at": moment(0),
            },
        },
        "direction": "inbound" if inbound else "outbound",
        "sender_handle": handle(sender) if inbound else handle(line, is_me=True),
        "parts": parts,
        "service": "iMessage",
        "sent_at": moment(at),
        "delivered_at": moment(at + 1) if kind in ("message.delivered", "message.read") else None,
        "read_at": moment(at + 5) if kind == "message.read" else None,
        "effect": None,
        "reply_to": None,
        "idempotency_key": None,
        "preferred_service": None,
    }
    return envelope(kind, data | fields, at=at, key=message_id)


def older_message(kind, message_id, chat_id, *, at, parts, sender=None, line=LINE):
    """The same at 2025-01-01."""
    mine, read = handle(line, is_me=True), kind == "message.read"
    delivered = read or kind == "message.delivered"
    data = {
        "chat_id": chat_id,
        "from": sender or line,
        "from_handle": handle(sender) if sender else mine,
        "recipient_phone": None,
        "recipient_handle": mine if sender else None,
        "is_from_me": sender is None,
        "is_group": False,
        "received_at": moment(at) if sender else None,
        "idempotency_key": None,
        "service": "iMessage",
        "preferred_service": None,
        "message": {
            "id": message_id,
            "parts": parts,
            "is_delivered": delivered,
            "is_read": read,
            "sent_at": moment(at),
            "delivered_at": moment(at + 1) if delivered else None,
            "read_at": moment(at + 5) if read else None,
            "created_at": moment(at),
            "updated_at": moment(at),
        },
    }
    return envelope(kind, data, at=at, version="2025-01-01", key=message_id)


def failed(message_id, chat_id, *, at, code=4001, reason="not delivered"):
    data = {
        "code": code,
        "chat_id": chat_id,
        "message_id": message_id,
        "reason": reason,
        "failed_at": moment(at),
    }
    return envelope("message.failed", data, at=at)


def edited(message_id, chat_id, *, at, value, index=0, line=LINE):
    data = {
        "id": message_id,
        "chat": {"id": chat_id, "is_group": False, "owner_handle": handle(line, is_me=True)},
        "direction": "inbound",
        "edited_at": moment(at),
        "part": {"index": index, "text": value},
        "sender_handle": handle("+14155550123"),
    }
    return envelope("message.edited", data, at=at)


def chat_created(chat_id, *people, at=0, line=LINE, display_name=None):
    data = {
        "id": chat_id,
        "display_name": display_name or ", ".join(people),
        "is_group": len(people) > 1,
        "service": "iMessage",
        "handles": [handle(line, is_me=True), *[handle(person) for person in people]],
        "health_status": {
            "status": "HEALTHY",
            "doc_url": "https://docs.example/healthy",
            "updated_at": moment(0),
        },
        "created_at": moment(at),
        "updated_at": moment(at),
    }
    return envelope("chat.created", data, at=at)


def reaction(message_id, chat_id, *, at, sender=None, kind="like", emoji=None, index=0, removed=False):
    """Without a `sender` it is our line's."""
    data = {
        "chat_id": chat_id,
        "message_id": message_id,
        "part_index": index,
        "reaction_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{message_id}/{sender}/{kind}/{emoji}/{at}")),
        "reaction_type": kind,
        "custom_emoji": emoji,
        "sticker": None,
        "is_from_me": sender is None,
        "from_handle": handle(sender) if sender else handle(LINE, is_me=True),
        "service": "iMessage",
        "reacted_at": moment(at),
    }
    return envelope(f"reaction.{'removed' if removed else 'added'}", data, at=at, key=message_id)


def member(what, chat_id, value, *, at, is_me=False):
    """participant.added or participant.removed, as `what` says."""
    left = moment(at) if what == "removed" else None
    participant = handle(value, is_me=is_me) | {
        "joined_at": moment(0) if left else moment(at),
        "left_at": left,
        "status": what if left else "active",
    }
    data = {"chat_id": chat_id, "handle": value, "participant": participant, f"{what}_at": moment(at)}
    return envelope(f"participant.{what}", data, at=at)


def group_changed(what, chat_id, *, at, value, old=None, by=None):
    """chat.group_name_updated or chat.group_icon_updated; by our line where nobody is named."""
    data = {
        "chat_id": chat_id,
        "old_value": old,
        "new_value": value,
        "updated_at": moment(at),
        "changed_by_handle": handle(by) if by else handle(LINE, is_me=True),
    }
    return envelope(f"chat.group_{what}_updated", data, at=at)


def group_not_changed(what, chat_id, *, at, code=4001):
    data = {"chat_id": chat_id, "error_code": code, "failed_at": moment(at)}
    return envelope(f"chat.group_{what}_update_failed", data, at=at)


def background(chat_id, value, *, at):
    data = {
        "chat": {"id": chat_id, "is_group": False, "owner_handle": handle(LINE, is_me=True)},
        "background": value,
    }
    return envelope("chat.background_updated", data, at=at)


def typing(chat_id, person, *, at, ended=False):
    data = {"chat_id": chat_id, "actor_handle": handle(person)}
    return envelope(f"chat.typing_indicator.{'stopped' if ended else 'started'}", data, at=at)


def option(name, *, by=None, voters=()):
    return {
        "option_id": f"option-{name}",
        "text": name,
        "can_be_edited": True,
        "creator_handle": by and handle(by),
        "voters": [{"handle": person, "voted_at": moment(at)} for person, at in voters],
    }


def poll(kind, message_id, chat_id, options, *, at, sender=None, told_at=None):
    """A poll made at `at`, as it was at `told_at`."""
    theirs = handle(sender) if sender else handle(LINE, is_me=True)
    data = {
        "chat": {"id": chat_id, "is_group": True, "owner_handle": handle(LINE, is_me=True)},
        "message_id": message_id,
        "direction": "inbound" if sender else "outbound",
        "service": "iMessage",
        "poll": {"options": options, "total_voters": len(options)},
        "created_at": moment(at),
        "updated_at": moment(told_at or at),
        "sender_handle": theirs,
    }
    if sender:
        data["received_at"] = moment(at)
    else:
        data |= {
            "sent_at": moment(at),
            "delivered_at": moment(at + 1) if kind != "poll.sent" else None,
            "read_at": moment(at + 5) if kind == "poll.read" else None,
        }
    return envelope(kind, data, at=told_at or at, key=message_id)


def poll_event(kind, message_id, chat_id, *, at, person=LINE, **more):
    data = {
        "chat": {"id": chat_id, "is_group": True, "owner_handle": handle(LINE, is_me=True)},
        "message_id": message_id,
        "direction": "inbound",
        "service": "iMessage",
        "sender_handle": handle(person, is_me=person == LINE),
    }
    return envelope(kind, data | more, at=at, key=message_id)


def location(person, *, at, chat_id=None, ends_at=None, ended_at=None, line=LINE):
    """A start at `at`; with `ended_at` a stop, of the share that began at `at` (None: the event does not say)."""
    data = {
        "shared_by": person,
        "shared_with": line,
        "began_at": None if at is None else moment(at),
        "chat_id": chat_id,
    }
    if ended_at is None:
        data["ends_at"] = None if ends_at is None else moment(ends_at)
        return envelope("location.sharing.started", data, at=at)
    return envelope("location.sharing.stopped", data | {"ended_at": moment(ended_at)}, at=ended_at)


def card(person, first_name, last_name="", *, at, photo=None, line=LINE):
    data = {
        "owner_handle": line,
        "sender_handle": person,
        "first_name": first_name,
        "last_name": last_name,
        "media_url": photo,
    }
    return envelope("contact_card.received", data, at=at)


def number(status, *, at, reputation="HEALTHY", line=LINE):
    data = {
        "phone_number": line,
        "previous_status": "ACTIVE",
        "new_status": status,
        "previous_reputation": "HEALTHY",
        "new_reputation": reputation,
        "changed_at": moment(at),
    }
    return envelope("phone_number.status_updated", data, at=at)
