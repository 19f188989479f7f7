"""What a program is sent of an event: the envelope of contract §3, in both versions, and its signed headers."""

import orjson

from partyline.moments import moment
from webhooks.events import MESSAGES, OLDER
from webhooks.signatures import sign_legacy, sign_standard

USER_AGENT = "Partyline-Webhooks/1"


def body(*, version, type, event_id, created_at, trace_id, partner_id, data):
    """The bytes of the request. `data` is the event's, as the log has it."""
    if version == OLDER and type in MESSAGES:
        data = older(type, data, created_at)
    return orjson.dumps(
        {
            "api_version": "v3",
            "webhook_version": version,
            "event_type": type,
            "event_id": str(event_id),
            "created_at": moment(created_at),
            "trace_id": trace_id,
            "partner_id": partner_id,
            "data": data,
        }
    )


def older(type, data, created_at):
    """`data` of the four message events as version 2025-01-01 has it (§5.2)."""
    is_ours = data["direction"] == "outbound"
    owner, sent_at = data["chat"].get("owner_handle"), data["sent_at"]
    inner = {
        "id": data["id"],
        "parts": [part for part in data["parts"] if part["type"] in ("text", "media")],
        "effect": data.get("effect"),
        "reply_to": data.get("reply_to"),
        "is_delivered": bool(data["delivered_at"]),
        "is_read": bool(data["read_at"]),
        "sent_at": sent_at,
        "delivered_at": data["delivered_at"],
        "read_at": data["read_at"],
        "created_at": sent_at or moment(created_at),
        "updated_at": data["read_at"] or data["delivered_at"] or sent_at or moment(created_at),
    }
    if data.get("reconciled_at"):
        inner["reconciled_at"] = data["reconciled_at"]
    told = {
        "chat_id": data["chat"]["id"],
        "from": data["sender_handle"]["handle"],
        "from_handle": data["sender_handle"],
        "recipient_phone": None,
        "recipient_handle": None if is_ours else owner,
        "is_from_me": is_ours,
        "is_group": bool(data["chat"].get("is_group")),
        "received_at": None if is_ours else sent_at,
        "idempotency_key": data.get("idempotency_key"),
        "service": data["service"],
        "preferred_service": data.get("preferred_service"),
        "message": inner,
    }
    # Its schema asks for these, its samples do without.
    if type == "message.delivered":
        told |= {"message_id": data["id"], "delivered_at": data["delivered_at"] or moment(created_at)}
    if type == "message.read":
        told |= {"message_id": data["id"], "read_at": data["read_at"] or moment(created_at)}
    return told


def headers(*, type, event_id, subscription_id, timestamp, secrets, content):
    """Both sets, for one attempt at `timestamp` (Unix seconds). `secrets` are all that count, newest first; only
    the list of the Standard set has room for more than one."""
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": str(event_id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            sign_standard(secret, str(event_id), timestamp, content) for secret in secrets
        ),
        "X-Webhook-Event": type,
        "X-Webhook-Subscription-ID": str(subscription_id),
        "X-Webhook-Timestamp": str(timestamp),
        "X-Webhook-Signature": sign_legacy(secrets[0], timestamp, content),
    }
