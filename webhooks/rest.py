"""What the carrier's API answers, as news: the V3 Chat and Message (contract §5)."""

from inbox.mirror import ChatNews, MessageNews
from webhooks.handlers import handle, moment


def chat(data):
    return ChatNews(
        chat_id=data["id"],
        handles=[handle(member) for member in data["handles"]],
        display_name=data.get("display_name") or "",
        is_group=data["is_group"],
        service=data.get("service") or "",
        health=data.get("health_status") or {},
        created_at=moment(data["created_at"]),
        named_at=moment(data.get("updated_at") or data["created_at"]),
    )


def message(data, chat):
    sender = handle(data.get("from_handle"))
    line = next(member["handle"] for member in chat["handles"] if member.get("is_me"))
    sent_at = moment(data.get("sent_at"))
    return MessageNews(
        message_id=data["id"],
        chat_id=data["chat_id"],
        direction="outbound" if data["is_from_me"] else "inbound",
        at=sent_at or moment(data["created_at"]),
        line=line,
        sender=None if data["is_from_me"] else sender,
        is_group=chat["is_group"],
        parts=data.get("parts") or [],
        service=data.get("service") or "",
        preferred_service=data.get("preferred_service") or "",
        sent_at=sent_at,
        delivered_at=moment(data.get("delivered_at")),
        read_at=moment(data.get("read_at")),
        reconciled_at=moment(data.get("reconciled_at")),
        effect=data.get("effect"),
        reply_to=data.get("reply_to"),
        type="message.sent" if data["is_from_me"] else "message.received",
    )
