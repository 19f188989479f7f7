"""Polls: how they are kept in a message, and the webhooks that tell of them."""

from uuid import uuid4

from lines.sandbox.payloads import direction, handle_of, line_handle, webhook, written


def new_options(texts, creator):
    """`creator` is a handset."""
    return [
        {"option_id": str(uuid4()), "text": text, "creator": creator.handle, "voters": []} for text in texts
    ]


def option_of(message, option_id):
    """KeyError where the poll has no such option."""
    for option in message.poll["options"]:
        if option["option_id"] == option_id:
            return option
    raise KeyError(option_id)


def told(chat, options):
    people = {member.handset.handle: member.handset for member in chat.members.select_related("handset")}
    return [
        {
            "option_id": option["option_id"],
            "text": option["text"],
            "can_be_edited": False,
            "creator_handle": handle_of(chat, people[option["creator"]]),
            "voters": option["voters"],
        }
        for option in options
    ]


def poll_object(message):
    options = message.poll["options"]
    voters = {voter["handle"] for option in options for voter in option["voters"]}
    return {"options": told(message.chat, options), "total_voters": len(voters)}


def common(message, handset):
    chat = message.chat
    return {
        "chat": {"id": str(chat.pk), "is_group": chat.is_group, "owner_handle": line_handle(chat)},
        "message_id": str(message.pk),
        "direction": direction(handset),
        "service": message.service,
    }


def received(message):
    at = message.created_at
    data = common(message, message.handset) | {
        "sender_handle": handle_of(message.chat, message.handset),
        "poll": poll_object(message),
        "created_at": written(at),
        "updated_at": written(at),
        "received_at": written(at),
    }
    return webhook(message.environment, "poll.received", data, at)


def voted(message, handset, option_id, at, *, is_removed):
    verb = "removed" if is_removed else "added"
    data = common(message, handset) | {
        "option_id": option_id,
        "sender_handle": handle_of(message.chat, handset),
    }
    return webhook(message.environment, f"poll.vote.{verb}", data, at)


def options_added(message, options, at):
    """The sender is our line, whoever added them (contract §5.10)."""
    data = common(message, message.handset) | {
        "added_options": told(message.chat, options),
        "sender_handle": line_handle(message.chat),
    }
    return webhook(message.environment, "poll.updated", data, at)
