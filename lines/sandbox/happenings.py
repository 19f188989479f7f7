"""The webhooks of what happens in a chat besides messages being sent and read."""

from lines.sandbox.payloads import (
    chat_of,
    direction,
    handle_of,
    line_handle,
    member_handle,
    reaction,
    webhook,
    written,
)
from lines.sandbox.shelf import url_of


def reaction_changed(message, reacted, at, *, is_removed=False):
    chat = message.chat
    told = reaction(chat, reacted)
    data = {
        "chat_id": str(chat.pk),
        "message_id": str(message.pk),
        "part_index": reacted.part_index,
        "reaction_id": told["id"],
        "reaction_type": reacted.type,
        "custom_emoji": told["custom_emoji"],
        "sticker": told["sticker"],
        "is_from_me": told["is_me"],
        "from": told["handle"]["handle"],
        "from_handle": told["handle"],
        "service": message.service,
        "reacted_at": written(at),
    }
    if message.poll is not None:
        # Of a poll the carrier tells only what is put on it.
        return [] if is_removed else [webhook(chat.environment, "poll.reaction.added", data, at)]
    verb = "removed" if is_removed else "added"
    return [webhook(chat.environment, f"reaction.{verb}", data, at)]


def edited(message, part_index, at):
    data = {
        "id": str(message.pk),
        "chat": chat_of(message.chat),
        "direction": direction(message.handset),
        "edited_at": written(at),
        "part": {"index": part_index, "text": message.parts[part_index]["value"]},
        "sender_handle": handle_of(message.chat, message.handset),
    }
    return webhook(message.environment, "message.edited", data, at)


def joined(chat, member, at):
    participant = member_handle(chat, member)
    data = {
        "chat_id": str(chat.pk),
        "handle": participant["handle"],
        "participant": participant,
        "added_at": written(at),
    }
    return webhook(chat.environment, "participant.added", data, at)


def gone(chat, member, at):
    """`member` is None where our line is gone."""
    participant = member_handle(chat, member) if member else line_handle(chat)
    data = {
        "chat_id": str(chat.pk),
        "handle": participant["handle"],
        "participant": participant,
        "removed_at": written(at),
    }
    return webhook(chat.environment, "participant.removed", data, at)


def changed(chat, what, old, new, by, at):
    """`what` is name or icon, whose values are addresses; "" is none."""
    data = {
        "chat_id": str(chat.pk),
        "old_value": old or None,
        "new_value": new or None,
        "changed_by_handle": handle_of(chat, by),
        "updated_at": written(at),
    }
    return webhook(chat.environment, f"chat.group_{what}_updated", data, at)


def not_changed(chat, what, code, at):
    data = {"chat_id": str(chat.pk), "error_code": code, "failed_at": written(at)}
    what = what if what == "background" else f"group_{what}"
    return webhook(chat.environment, f"chat.{what}_update_failed", data, at)


def typing(chat, handset, at, *, has_ended=False):
    verb = "stopped" if has_ended else "started"
    data = {"chat_id": str(chat.pk), "actor_handle": handle_of(chat, handset)}
    return webhook(chat.environment, f"chat.typing_indicator.{verb}", data, at)


def background(chat, handset, at):
    data = {
        "chat": {"id": str(chat.pk), "is_group": chat.is_group, "owner_handle": line_handle(chat)},
        "actor_handle": handle_of(chat, handset),
        "background": chat.background,
    }
    return webhook(chat.environment, "chat.background_updated", data, at)


def card_received(chat, handset, picture, at):
    first, _, last = handset.name.partition(" ")
    data = {
        "owner_handle": chat.line_number,
        "sender_handle": handset.handle,
        "first_name": first,
        "last_name": last,
        "media_url": picture and url_of(picture),
    }
    return webhook(chat.environment, "contact_card.received", data, at)


def line_stands(line, status, reputation, at):
    data = {
        "phone_number": line.phone_number,
        "previous_status": line.carrier_status,
        "new_status": status,
        "previous_reputation": line.reputation,
        "new_reputation": reputation,
        "changed_at": written(at),
    }
    return webhook(line.environment, "phone_number.status_updated", data, at)


def location_started(chat, location):
    data = {
        "chat_id": str(chat.pk),
        "shared_by": location.handset.handle,
        "shared_with": chat.line_number,
        "began_at": written(location.began_at),
        "ends_at": written(location.ends_at),
    }
    return webhook(chat.environment, "location.sharing.started", data, location.began_at)


def location_stopped(chat, location, at):
    data = {
        "chat_id": str(chat.pk),
        "shared_by": location.handset.handle,
        "shared_with": chat.line_number,
        "began_at": written(location.began_at),
        "ended_at": written(at),
    }
    return webhook(chat.environment, "location.sharing.stopped", data, at)


def unknown(chat, event_type, handset, at):
    """A type of which nobody has published what it holds."""
    data = {"chat_id": str(chat.pk), "from": handset.handle, "to": chat.line_number, "at": written(at)}
    return webhook(chat.environment, event_type, data, at)
