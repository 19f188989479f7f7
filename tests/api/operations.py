"""Every operation of the OpenAPI document, as a program of ours does it with what is really there.

Words in braces are names of what the test has made: see `ours` in test_strangers.py.
"""

from dataclasses import dataclass, field

from partyline.api import api

DOCUMENT = api.get_openapi_schema(path_prefix="/")
# operationId: (method, path with its parameters in braces)
DOCUMENTED = {
    operation["operationId"]: (method, path)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
# By the first parameter of a path: how it is said that there is no such thing.
NOT_THERE = {
    "chat_id": (404, 2001),
    "message_id": (404, 2002),
    "attachment_id": (404, 2003),
    "subscription_id": (404, 2010),
    "phone_number_id": (404, 2019),
    "phone_number": (404, 2019),
}
# What stands in a path unless an operation says otherwise.
USUAL = {
    "chat_id": "{chat}",
    "message_id": "{message}",
    "reaction_id": "{sticker}",
    "attachment_id": "{attachment}",
    "subscription_id": "{subscription}",
    "phone_number_id": "{line}",
    "phone_number": "{number}",
    "audit_id": "{audit}",
}
TEXT = {"parts": [{"type": "text", "value": "Hello"}]}
GROUP, CARLS, POLL = {"chat_id": "{group}"}, {"chat_id": "{carls}"}, {"message_id": "{poll}"}


@dataclass(frozen=True)
class Operation:
    """`refused` is what a key of another environment is told where it names ours in the body or the query, or None
    where it names nothing of ours and opens what is its own; `on_line` the same for a key of another line, where that
    differs. Where something of ours stands in the path it is the noun's code."""

    scope: str
    body: dict | None = None
    query: dict = field(default_factory=dict)
    places: dict = field(default_factory=dict)
    refused: tuple | None = None
    on_line: tuple | None = None

    @property
    def told_on_line(self):
        return self.on_line or self.refused


OPERATIONS = {
    "phonenumbers_list": Operation("read"),
    "phone_numbers_list": Operation("read"),
    "phone_numbers_update": Operation("manage", {"forwarding_number": "+12025550177"}),
    "phone_numbers_start_reputation_audit": Operation("manage"),
    "phone_numbers_get_reputation_audit": Operation("read"),
    "blocked_handles_list": Operation("read", on_line=(403, 2005)),
    "blocked_handles_block": Operation("manage", {"handle": "+14155550398"}, on_line=(403, 2005)),
    "blocked_handles_unblock": Operation("manage", {"handle": "{blocked}"}, on_line=(403, 2005)),
    "chats_create": Operation(
        "send", {"from": "{number}", "to": ["{nora}"], "message": TEXT}, refused=(403, 2006)
    ),
    "chats_list_chats": Operation("read", query={"from": "{number}"}),
    "chats_retrieve": Operation("read"),
    "chats_update": Operation("send", {"display_name": "Riders"}, places=GROUP),
    "chats_participants_add": Operation("send", {"handle": "+14155550303"}, places=GROUP),
    "chats_participants_remove": Operation("send", {"handle": "{dora}"}, places=GROUP),
    "chats_leave_chat": Operation("send", places=GROUP),
    "chats_typing_start": Operation("send"),
    "chats_typing_stop": Operation("send"),
    "chats_mark_as_read": Operation("send"),
    "chats_share_contact_card": Operation("send"),
    "chats_messages_list": Operation("read"),
    "chats_messages_send": Operation("send", {"message": TEXT}),
    "chats_send_voicememo": Operation("send", {"attachment_id": "{memo}"}),
    "messages_create": Operation("send", {"to": ["{nora}"], "message": TEXT}),
    "messages_retrieve": Operation("read"),
    "messages_update": Operation("send", {"text": "Hello again"}),
    "messages_delete": Operation("send"),
    "messages_list_messages_thread": Operation("read"),
    "messages_add_reaction": Operation(
        "send", {"operation": "add", "type": "like"}, places={"message_id": "{theirs}"}
    ),
    "messages_update_sticker_placement": Operation(
        "send", {"placement": {"x": 1}}, places={"message_id": "{theirs}"}
    ),
    "chats_polls_create": Operation("send", {"poll": {"options": [{"text": "Yes"}, {"text": "No"}]}}),
    "messages_poll_retrieve": Operation("read", places=POLL),
    "messages_poll_add_options": Operation("send", {"options": [{"text": "Wednesday"}]}, places=POLL),
    "messages_poll_vote": Operation("send", {"operation": "add", "option_id": "{option}"}, places=POLL),
    "chats_location_retrieve": Operation("read"),
    "chats_location_stop": Operation("send", {"handle": "{nora}"}),
    "chats_location_request": Operation("send", places=CARLS),
    "chats_background_set": Operation("send", {"type": "color", "variant": "plum"}),
    "chats_background_remove": Operation("send"),
    "attachments_create": Operation(
        "send", {"filename": "bike.png", "content_type": "image/png", "size_bytes": 4000}
    ),
    "attachments_retrieve": Operation("read"),
    "attachments_delete": Operation("send"),
    "available_number_retrieve": Operation("read", query={"to": "{nora}"}),
    "capability_check_imessage": Operation(
        "read", {"address": "{nora}", "from": "{number}"}, refused=(403, 2006)
    ),
    "capability_check_rcs": Operation("read", {"address": "{nora}", "from": "{number}"}, refused=(403, 2006)),
    "contact_card_retrieve": Operation("read", query={"phone_number": "{number}"}, refused=(404, 2019)),
    "contact_card_create": Operation(
        "manage", {"phone_number": "{cardless}", "first_name": "Fairwheel"}, refused=(404, 2019)
    ),
    "contact_card_update": Operation(
        "manage", {"phone_number": "{number}", "first_name": "Fairwheel"}, refused=(404, 2019)
    ),
    "webhook_events_list": Operation("read"),
    "webhook_subscriptions_create": Operation(
        "manage",
        {
            "target_url": "https://93.184.216.34/others",
            "subscribed_events": ["message.sent"],
            "phone_numbers": ["{number}"],
        },
        refused=(403, 2006),
    ),
    "webhook_subscriptions_list": Operation("read"),
    "webhook_subscriptions_retrieve": Operation("read"),
    "webhook_subscriptions_update": Operation("manage", {"is_active": False}),
    "webhook_subscriptions_delete": Operation("manage"),
}


def refusal_of(name, *, on_line=False):
    """(status, code) for a stranger, or None."""
    operation, (_, path) = OPERATIONS[name], DOCUMENTED[name]
    for parameter, refusal in NOT_THERE.items():
        if f"{{{parameter}}}" in path:
            return refusal
    return operation.told_on_line if on_line else operation.refused


def filled(told, names):
    """`told` with what the words in braces stand for, in dicts and lists too."""
    if isinstance(told, str):
        return told.format_map(names)
    if isinstance(told, dict):
        return {key: filled(value, names) for key, value in told.items()}
    if isinstance(told, list):
        return [filled(value, names) for value in told]
    return told


def request_for(name, names):
    """(method, path, query, body) of an operation done with these names."""
    operation, (method, path) = OPERATIONS[name], DOCUMENTED[name]
    places = filled(USUAL | operation.places, names)
    return method, path.format_map(places), filled(operation.query, names), filled(operation.body, names)
