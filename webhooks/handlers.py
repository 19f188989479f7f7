"""Event type -> what it tells, for both payload versions. Dispatch is on the raw `event_type`, never on structure.

Shapes: the contract's webhooks page §5. A handler answers with one piece of news, several, or None where the event
says nothing that we could know more by; then its receipt is kept. A payload that lacks what the contract requires
raises KeyError or ValueError, which parks its receipt after some tries.
"""

from datetime import datetime

from inbox import wire
from inbox.mirror import (
    CardNews,
    ChatNews,
    EditNews,
    FailureNews,
    GroupNews,
    HandleNews,
    LineNews,
    MemberNews,
    MessageNews,
    OptionsNews,
    ReactionNews,
    RefusalNews,
    ShareNews,
    TypingNews,
    VoteNews,
)
from inbox.mirror.news import SOMEBODY
from inbox.models.contact import same_handle


def moment(text):
    return datetime.fromisoformat(text) if text else None


def handle(data):
    if not data:
        return None
    return HandleNews(
        value=same_handle(data["handle"]),
        joined_at=moment(data.get("joined_at")),
        left_at=moment(data.get("left_at")),
        is_me=bool(data.get("is_me")),
    )


def message(event):
    data = event["data"]
    return older_message(event) if "message" in data else newer_message(event)


def newer_message(event):
    """2026-02-03 (§5.1)."""
    data = event["data"]
    chat = data["chat"]
    inbound = data["direction"] == "inbound"
    owner = chat.get("owner_handle") or {}
    sender = handle(data.get("sender_handle"))
    return MessageNews(
        message_id=data["id"],
        chat_id=chat["id"],
        direction="inbound" if inbound else "outbound",
        line=owner.get("handle") or (sender.value if sender and not inbound else None),
        sender=sender if inbound else None,
        is_group=chat.get("is_group"),
        health=chat.get("health_status") or {},
        parts=parts(data),
        **common(event, data, data),
    )


def older_message(event):
    """2025-01-01 (§5.2)."""
    data = event["data"]
    inner = data["message"]
    mine, theirs = handle(data.get("recipient_handle")), handle(data.get("from_handle"))
    if data["is_from_me"]:
        mine, theirs = theirs, mine
    return MessageNews(
        message_id=inner["id"],
        chat_id=data["chat_id"],
        direction="outbound" if data["is_from_me"] else "inbound",
        line=mine and mine.value,
        sender=None if data["is_from_me"] else theirs or named(data),
        recipients=[theirs] if data["is_from_me"] and theirs else [],
        is_group=data.get("is_group"),
        parts=parts(inner),
        **common(event, data, inner),
    )


def named(data):
    """The deprecated name of who did it, where there is no more."""
    return HandleNews(same_handle(data["from"])) if data.get("from") else None


def parts(data):
    return [part for part in data.get("parts") or [] if isinstance(part, dict)]


def common(event, data, inner):
    sent_at = moment(inner.get("sent_at") or data.get("received_at"))
    kind = event["event_type"]
    return {
        "at": sent_at or moment(inner.get("created_at") or event["created_at"]),
        "service": data.get("service") or "",
        "preferred_service": data.get("preferred_service") or "",
        "sent_at": sent_at,
        "delivered_at": moment(
            inner.get("delivered_at") or (kind == "message.delivered" and data.get("delivered_at"))
        ),
        "read_at": moment(inner.get("read_at") or (kind == "message.read" and data.get("read_at"))),
        "reconciled_at": moment(inner.get("reconciled_at")),
        "effect": inner.get("effect"),
        "reply_to": inner.get("reply_to"),
        "idempotency_key": data.get("idempotency_key"),
        "type": kind,
        "trace_id": event.get("trace_id") or "",
    }


def failed(event):
    """§5.3. Without a message_id there is nothing that it could be about."""
    data = event["data"]
    if not data.get("message_id"):
        return None
    return FailureNews(
        message_id=data["message_id"],
        failed_at=moment(data["failed_at"]),
        code=data["code"],
        reason=data.get("reason") or "",
        trace_id=event.get("trace_id") or "",
    )


def edited(event):
    """§5.4."""
    data = event["data"]
    return EditNews(
        message_id=data["id"],
        part_index=data["part"]["index"],
        text=data["part"]["text"],
        edited_at=moment(data["edited_at"]),
        trace_id=event.get("trace_id") or "",
    )


def chat_created(event):
    """§5.7."""
    data = event["data"]
    return ChatNews(
        chat_id=data["id"],
        handles=[handle(member) for member in data["handles"]],
        display_name=data.get("display_name") or "",
        is_group=data["is_group"],
        service=data.get("service") or "",
        health=data.get("health_status") or {},
        created_at=moment(data["created_at"]),
        named_at=moment(data.get("updated_at") or data["created_at"]),
        trace_id=event.get("trace_id") or "",
    )


def traced(event):
    return {"type": event["event_type"], "trace_id": event.get("trace_id") or ""}


def reaction(event):
    """§5.5. Without a message_id there is nothing that it could be on."""
    data = event["data"]
    if not data.get("message_id"):
        return None
    return ReactionNews(
        message_id=data["message_id"],
        part_index=data.get("part_index") or 0,
        kind=data["reaction_type"],
        at=moment(data.get("reacted_at") or event["created_at"]),
        actor=None if data["is_from_me"] else handle(data.get("from_handle")) or named(data) or SOMEBODY,
        emoji=data.get("custom_emoji") or "",
        sticker=data.get("sticker"),
        reaction_id=data.get("reaction_id") or "",
        is_removed=event["event_type"].endswith(".removed"),
        **traced(event),
    )


def member(event):
    """§5.6."""
    data = event["data"]
    has_left = event["event_type"] == "participant.removed"
    if not data.get("chat_id"):
        return None
    return MemberNews(
        chat_id=data["chat_id"],
        member=handle(data.get("participant")) or HandleNews(same_handle(data["handle"])),
        at=moment(data.get("removed_at" if has_left else "added_at") or event["created_at"]),
        has_left=has_left,
        **traced(event),
    )


def group(what):
    """§5.8."""

    def changed(event):
        data = event["data"]
        return GroupNews(
            chat_id=data["chat_id"],
            what=what,
            value=data.get("new_value"),
            at=moment(data["updated_at"]),
            by=handle(data.get("changed_by_handle")),
            **traced(event),
        )

    return changed


def refusal(what):
    """§5.8."""

    def refused(event):
        data = event["data"]
        return RefusalNews(
            chat_id=data["chat_id"],
            what=what,
            code=data["error_code"],
            at=moment(data["failed_at"]),
            **traced(event),
        )

    return refused


def background(event):
    """§5.10. Without a background it was taken away."""
    data = event["data"]
    return GroupNews(
        chat_id=data["chat"]["id"],
        what="background",
        value=data.get("background"),
        at=moment(event["created_at"]),
        by=handle(data.get("actor_handle")),
        **traced(event),
    )


def typing(event):
    """§5.10."""
    data = event["data"]
    return TypingNews(
        chat_id=data["chat_id"],
        at=moment(event["created_at"]),
        actor=handle(data.get("actor_handle")),
        has_ended=event["event_type"].endswith(".stopped"),
        **traced(event),
    )


def poll(event):
    """§5.10 poll.received, .sent, .delivered, .read: a message whose only part is the poll; with it, who voted."""
    data = event["data"]
    chat, inbound = data["chat"], data["direction"] == "inbound"
    owner = (chat.get("owner_handle") or {}).get("handle")
    sender = handle(data.get("sender_handle"))
    sent_at = data.get("sent_at") or data.get("received_at")
    # The options count from when it was told; the message has its place where the poll was made.
    made_at, told_at = (
        moment(data.get("created_at") or sent_at or event["created_at"]),
        moment(event["created_at"]),
    )
    options = poll_options(data["poll"], owner)
    message = MessageNews(
        message_id=data["message_id"],
        chat_id=chat["id"],
        direction="inbound" if inbound else "outbound",
        at=made_at,
        line=owner or (sender.value if sender and not inbound else None),
        sender=sender if inbound else None,
        is_group=chat.get("is_group"),
        parts=[{"type": "poll", "options": options}],
        service=data.get("service") or "",
        sent_at=moment(sent_at) or (made_at if inbound else None),
        delivered_at=moment(data.get("delivered_at")),
        read_at=moment(data.get("read_at")),
        **traced(event),
    )
    known = [wire.kept_option(option) for option in options]
    told = {"message_id": data["message_id"], "is_quiet": True, "trace_id": event.get("trace_id") or ""}
    votes = [
        VoteNews(option_id=option["option_id"], voter=voter["handle"], at=moment(voter["voted_at"]), **told)
        for option in options
        for voter in option["voters"]
    ]
    return [message, OptionsNews(options=known, at=told_at, **told), *votes]


def poll_options(poll, owner):
    return [option(told, owner) | {"place": place} for place, told in enumerate(poll.get("options") or [])]


def option(told, owner=None):
    creator = told.get("creator_handle") or {}
    return {
        "option_id": told["option_id"],
        "text": told.get("text") or "",
        "can_be_edited": bool(told.get("can_be_edited")),
        "creator": "" if creator.get("is_me") else same_handle(creator.get("handle") or ""),
        "voters": [
            {
                "handle": "" if voter["handle"] == owner else same_handle(voter["handle"]),
                "voted_at": voter["voted_at"],
            }
            for voter in told.get("voters") or []
        ],
    }


def poll_failed(event):
    """§5.10. It carries the poll, so it makes the message as well."""
    data = event["data"]
    error = data.get("error") or {}
    message, options, *votes = poll(event)
    failure = FailureNews(
        message_id=data["message_id"],
        failed_at=moment(data["failed_at"]),
        options=next(part["options"] for part in message.parts),
        code=error.get("code"),
        reason=error.get("message") or "",
        **traced(event),
    )
    return [message, options, *votes, failure]


def poll_updated(event):
    """§5.10."""
    data = event["data"]
    return OptionsNews(
        message_id=data["message_id"],
        options=[wire.kept_option(option(told)) for told in data["added_options"]],
        at=moment(event["created_at"]),
        **traced(event),
    )


def vote(event):
    """§5.10."""
    data = event["data"]
    voter = handle(data["sender_handle"])
    return VoteNews(
        message_id=data["message_id"],
        option_id=data["option_id"],
        voter="" if voter.is_me else voter.value,
        at=moment(event["created_at"]),
        is_removed=event["event_type"].endswith(".removed"),
        **traced(event),
    )


def location(event):
    """§5.10. Of a start that does not say when, the event does."""
    data = event["data"]
    has_ended = event["event_type"].endswith(".stopped")
    began_at = moment(data.get("began_at"))
    return ShareNews(
        line=data["shared_with"],
        sharer=same_handle(data["shared_by"]),
        chat_id=data.get("chat_id") or "",
        began_at=began_at if has_ended else began_at or moment(event["created_at"]),
        ends_at=moment(data.get("ends_at")),
        ended_at=moment(data["ended_at"]) if has_ended else None,
        **traced(event),
    )


def card(event):
    """§5.10."""
    data = event["data"]
    return CardNews(
        line=data["owner_handle"],
        sender=same_handle(data["sender_handle"]),
        first_name=data["first_name"] or "",
        last_name=data["last_name"] or "",
        photo=data.get("media_url") or "",
        at=moment(event["created_at"]),
        **traced(event),
    )


def number(status=None):
    """§5.9. Without a `status` the event says it."""

    def changed(event):
        data = event["data"]
        return LineNews(
            number=data["phone_number"],
            status=status or data["new_status"],
            reputation=data.get("new_reputation") or "",
            at=moment(data["changed_at"]),
            **traced(event),
        )

    return changed


HANDLERS = {
    "message.sent": message,
    "message.received": message,
    "message.delivered": message,
    "message.read": message,
    "message.failed": failed,
    "message.edited": edited,
    "chat.created": chat_created,
    "reaction.added": reaction,
    "reaction.removed": reaction,
    "poll.received": poll,
    "poll.sent": poll,
    "poll.delivered": poll,
    "poll.read": poll,
    "poll.failed": poll_failed,
    "poll.updated": poll_updated,
    "poll.vote.added": vote,
    "poll.vote.removed": vote,
    "poll.reaction.added": reaction,
    "participant.added": member,
    "participant.removed": member,
    "chat.group_name_updated": group("name"),
    "chat.group_icon_updated": group("icon"),
    "chat.group_name_update_failed": refusal("name"),
    "chat.group_icon_update_failed": refusal("icon"),
    "chat.background_updated": background,
    "chat.background_update_failed": refusal("background"),
    "chat.typing_indicator.started": typing,
    "chat.typing_indicator.stopped": typing,
    "location.sharing.started": location,
    "location.sharing.stopped": location,
    "contact_card.received": card,
    "phone_number.status_updated": number(),
    "phone_number.assigned": number("ACTIVE"),
    "phone_number.released": number("RELEASED"),
}
# What an account is asked to post to us.
WANTED = sorted(HANDLERS)
