"""The event types of V3 to which programs can subscribe (contract §4), by family."""

from lines.models.event import ACCOUNT

DOC = "https://docs.linqapp.com/channel/imessage/guides/webhooks/events"

MESSAGES = ("message.sent", "message.received", "message.read", "message.delivered")
EDITED = "message.edited"
FAMILIES = {
    "Messages": (*MESSAGES, "message.failed", EDITED),
    "Reactions": ("reaction.added", "reaction.removed"),
    "Polls": (
        "poll.received",
        "poll.failed",
        "poll.sent",
        "poll.delivered",
        "poll.read",
        "poll.updated",
        "poll.vote.added",
        "poll.vote.removed",
        "poll.reaction.added",
    ),
    "Members": ("participant.added", "participant.removed"),
    "Conversations": (
        "chat.created",
        "chat.group_name_updated",
        "chat.group_icon_updated",
        "chat.group_name_update_failed",
        "chat.group_icon_update_failed",
        "chat.background_updated",
        "chat.background_update_failed",
        "chat.typing_indicator.started",
        "chat.typing_indicator.stopped",
    ),
    "Lines": ("phone_number.status_updated", "phone_number.assigned", "phone_number.released"),
    "People": ("contact_card.received", "location.sharing.started", "location.sharing.stopped"),
    "Account": ACCOUNT,
    # Nothing here makes these; who names every type of the carrier is not refused for it.
    "Not sent by Partyline": (
        "call.initiated",
        "call.ringing",
        "call.answered",
        "call.ended",
        "call.failed",
        "call.declined",
        "call.no_answer",
        "payment.succeeded",
        "payment.canceled",
        "payment.expired",
        "payment.declined",
        "payment.authorized",
        "connection.created",
        "connection.revoked",
    ),
}
ALL = tuple(name for family in FAMILIES.values() for name in family)

CURRENT, OLDER = "2026-02-03", "2025-01-01"
VERSIONS = (CURRENT, OLDER)
