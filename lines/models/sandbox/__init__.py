"""The world of the simulated carrier: its customers' phones and what it knows of their chats with our lines.

It has ids of its own and shares no table with the inbox. Our side hears of it only by the gateway's answers
and by the webhooks that it posts.
"""

from lines.models.sandbox.account import SandboxBlock, SandboxCard, SandboxForward, SandboxLimit
from lines.models.sandbox.audit import SandboxAudit
from lines.models.sandbox.chat import SandboxChat, SandboxHappening, SandboxLocation, SandboxMember
from lines.models.sandbox.handset import Handset
from lines.models.sandbox.media import SandboxMedia, stored_as
from lines.models.sandbox.message import SandboxCopy, SandboxEdit, SandboxMessage, SandboxReaction
from lines.models.sandbox.wire import SandboxFaults, SandboxWebhook

__all__ = [
    "Handset",
    "SandboxAudit",
    "SandboxBlock",
    "SandboxCard",
    "SandboxChat",
    "SandboxCopy",
    "SandboxEdit",
    "SandboxFaults",
    "SandboxForward",
    "SandboxHappening",
    "SandboxLimit",
    "SandboxLocation",
    "SandboxMedia",
    "SandboxMember",
    "SandboxMessage",
    "SandboxReaction",
    "SandboxWebhook",
    "stored_as",
]
