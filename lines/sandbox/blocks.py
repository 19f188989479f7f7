"""What the carrier does not tell of: whatever somebody whom our side has blocked does in a thread with it alone."""

import json

from lines.models.sandbox import SandboxBlock, SandboxChat


def let_through(environment, webhooks):
    blocked = set(SandboxBlock.objects.filter(environment=environment).values_list("handle", flat=True))
    if not blocked or not webhooks:
        return webhooks
    chats = {chat_in(webhook): webhook for webhook in webhooks}
    direct = SandboxChat.objects.filter(pk__in=[pk for pk in chats if pk], is_group=False)
    silent = {str(pk) for pk in direct.filter(handsets__handle__in=blocked).values_list("pk", flat=True)}
    return [webhook for webhook in webhooks if chat_in(webhook) not in silent or is_ours(webhook)]


def data_of(webhook):
    return json.loads(webhook.body)["data"]


def chat_in(webhook):
    data = data_of(webhook)
    return (data.get("chat") or {}).get("id") or data.get("chat_id")


def is_ours(webhook):
    """What became of something that our side has done before."""
    data = data_of(webhook)
    return data.get("direction") == "outbound" or bool(data.get("is_from_me"))
