"""What the carrier's API answers, as news: the V3 Chat, Message and PollEnvelope (contract §5)."""

from inbox.mirror import ChatNews, EditNews, FailureNews, GroupNews, MemberNews, MessageNews, ReactionNews
from webhooks.handlers import handle, moment
from webhooks.handlers import poll as poll_event

# A failure of which the answer says no more.
FAILED = 4001


def chat(data):
    return ChatNews(
        chat_id=data["id"],
        handles=[handle(member) for member in data["handles"]],
        display_name=data.get("display_name") or "",
        is_group=data["is_group"],
        service=data.get("service") or "",
        health=data.get("health_status") or {},
        created_at=moment(data["created_at"]),
        named_at=changed_at(data),
    )


def changed_at(data):
    """When a chat or a message was last changed."""
    return moment(data.get("updated_at") or data["created_at"])


def said_at(message):
    return moment(message.get("sent_at") or message["created_at"])


def created_at(chat):
    return moment(chat["created_at"])


def group(data):
    """What a chat says besides of a group: its picture, and that our line has left."""
    told = []
    if data.get("group_chat_icon"):
        icon = {"what": "icon", "value": data["group_chat_icon"], "type": "chat.group_icon_updated"}
        told.append(GroupNews(chat_id=data["id"], at=changed_at(data), **icon))
    for member in data["handles"]:
        if member.get("is_me") and member.get("left_at"):
            left = {"at": moment(member["left_at"]), "has_left": True, "type": "participant.removed"}
            told.append(MemberNews(chat_id=data["id"], member=handle(member), **left))
    return told


def line_of(chat):
    return next(member["handle"] for member in chat["handles"] if member.get("is_me"))


def message(data, chat, **about):
    sender = handle(data.get("from_handle"))
    sent_at = moment(data.get("sent_at"))
    return MessageNews(
        message_id=data["id"],
        chat_id=data["chat_id"],
        direction="outbound" if data["is_from_me"] else "inbound",
        at=said_at(data),
        line=line_of(chat),
        sender=None if data["is_from_me"] else sender,
        is_group=chat["is_group"],
        parts=[
            {name: value for name, value in part.items() if name != "reactions"}
            for part in data.get("parts") or []
        ],
        service=data.get("service") or "",
        preferred_service=data.get("preferred_service") or "",
        sent_at=sent_at,
        delivered_at=moment(data.get("delivered_at")),
        read_at=moment(data.get("read_at")),
        reconciled_at=moment(data.get("reconciled_at")),
        effect=data.get("effect"),
        reply_to=data.get("reply_to"),
        type="message.sent" if data["is_from_me"] else "message.received",
        **about,
    )


def failure(data):
    """That it did not arrive; None where it did, or may still."""
    if data.get("delivery_status") != "failed" or data.get("delivered_at"):
        return None
    return FailureNews(message_id=data["id"], failed_at=changed_at(data), code=FAILED)


def edit(data, index, text):
    return EditNews(message_id=data["id"], part_index=index, text=text, edited_at=changed_at(data))


def reactions(data, *, at):
    """Those that stand on a message; the carrier does not say since when."""
    return [
        reaction(data["id"], index, told, at=at)
        for index, part in enumerate(data.get("parts") or [])
        for told in part.get("reactions") or []
    ]


def reaction(message_id, index, told, *, at):
    return ReactionNews(
        message_id=message_id,
        part_index=index,
        kind=told["type"],
        at=at,
        actor=None if told.get("is_me") else handle(told["handle"]),
        emoji=told.get("custom_emoji") or "",
        sticker=told.get("sticker"),
        reaction_id=told.get("id") or "",
    )


def poll(envelope, data, chat):
    """The news of a poll: what the event of it would have told. `data` is its V3 Message, which says nothing of the poll."""
    owner = next(member for member in chat["handles"] if member.get("is_me"))
    told = {
        "message_id": data["id"],
        "chat": {"id": data["chat_id"], "is_group": chat["is_group"], "owner_handle": owner},
        "direction": "outbound" if data["is_from_me"] else "inbound",
        "sender_handle": data.get("from_handle"),
        "poll": envelope["poll"],
        "created_at": envelope["created_at"],
        **{name: data.get(name) for name in ("service", "sent_at", "delivered_at", "read_at")},
    }
    kind = "poll.sent" if data["is_from_me"] else "poll.received"
    return poll_event({"event_type": kind, "data": told, "created_at": envelope["updated_at"]})
