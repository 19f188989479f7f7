"""Polls: how they are kept in a message, what is done to them, and the webhooks that tell of it. Whoever does something
is a handset, or None where it is our line."""

from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from lines.gateways.base import PermanentFailure
from lines.sandbox import outbox, touch
from lines.sandbox.payloads import (
    REASONS,
    direction,
    handle_of,
    line_handle,
    message_event,
    message_failed,
    webhook,
    written,
)
from lines.sandbox.rules import OPTION, OPTIONS


def new_options(texts, creator):
    handle = creator.handle if creator else ""
    return [{"option_id": str(uuid4()), "text": text, "creator": handle, "voters": []} for text in texts]


def ids_of(message):
    return [option["option_id"] for option in (message.poll or {"options": []})["options"]]


def option_of(message, option_id):
    for option in message.poll["options"]:
        if option["option_id"] == option_id:
            return option
    raise PermanentFailure("The poll has no such option", code=1005)


def need_poll(message):
    if message.poll is None:
        raise PermanentFailure("That is no poll", code=1005)
    return message


def locked_poll(message):
    return need_poll(touch.locked_message(message, 0))


@transaction.atomic
def add(message, texts, *, by=None):
    """Append options; returns their ids."""
    message = locked_poll(message)
    if not texts or not all(text and len(text) <= OPTION for text in texts):
        raise PermanentFailure(f"An option has 1 to {OPTION} characters", code=1005)
    if len(message.poll["options"]) + len(texts) > OPTIONS:
        raise PermanentFailure(f"A poll has {OPTIONS} options at most", code=1005)
    options = new_options(texts, by)
    message.poll["options"] += options
    message.save(update_fields=["poll"])
    outbox.queue(message.environment, [options_added(message, options, timezone.now())])
    return [option["option_id"] for option in options]


@transaction.atomic
def vote(message, option_id, *, is_removed, by=None):
    """Vote for an option, or take that back; nothing happens where it is so already."""
    message = locked_poll(message)
    option, now = option_of(message, option_id), timezone.now()
    handle = by.handle if by else message.chat.line_number
    if is_removed != any(voter["handle"] == handle for voter in option["voters"]):
        return
    option["voters"] = [voter for voter in option["voters"] if voter["handle"] != handle]
    if not is_removed:
        option["voters"].append({"handle": handle, "voted_at": now.isoformat()})
    message.save(update_fields=["poll"])
    outbox.queue(message.environment, [voted(message, by, option_id, now, is_removed=is_removed)])


def told(chat, options):
    people = {member.handset.handle: member.handset for member in chat.members.select_related("handset")}
    return [
        {
            "option_id": option["option_id"],
            "text": option["text"],
            "can_be_edited": False,
            "creator_handle": handle_of(chat, people.get(option["creator"])),
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


def step(message, verb, at):
    """The webhook of a message, or a poll, that was sent, delivered, read."""
    if message.poll is None:
        return message_event(message, f"message.{verb}", at)
    told = {"delivered": 2, "read": 3}.get(verb, 1)
    times = zip(("sent_at", "delivered_at", "read_at"), (1, 2, 3), strict=True)
    data = common(message, message.handset) | {
        "sender_handle": handle_of(message.chat, message.handset),
        "poll": poll_object(message),
        "created_at": written(message.created_at),
        "updated_at": written(at),
        **{name: written(getattr(message, name)) if place <= told else None for name, place in times},
    }
    return webhook(message.environment, f"poll.{verb}", data, at)


def failed(message):
    if message.poll is None:
        return message_failed(message)
    data = common(message, message.handset) | {
        "sender_handle": None,
        "poll": poll_object(message),
        "error": {"code": message.error_code, "message": REASONS[message.error_code]},
        "failed_at": written(message.failed_at),
    }
    return webhook(message.environment, "poll.failed", data, message.failed_at)


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
