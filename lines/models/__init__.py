from lines.models.account import Account
from lines.models.alert import LineAlert
from lines.models.audit import ReputationAudit
from lines.models.consent import BlockedHandle, OptOut
from lines.models.contact_card import ContactCard
from lines.models.environment import Environment
from lines.models.event import Event, EventCounter
from lines.models.guard_rule import GuardRule
from lines.models.health import LineHealth
from lines.models.line import Line, LineAccess
from lines.models.people import Invitation, Membership, User
from lines.models.request import ApiRequest
from lines.models.sandbox import (
    Handset,
    SandboxAudit,
    SandboxBlock,
    SandboxCard,
    SandboxChat,
    SandboxCopy,
    SandboxEdit,
    SandboxFaults,
    SandboxForward,
    SandboxHappening,
    SandboxLimit,
    SandboxLocation,
    SandboxMedia,
    SandboxMember,
    SandboxMessage,
    SandboxReaction,
    SandboxWebhook,
)
from lines.models.token import ApiToken, Scope

__all__ = [
    "Account",
    "ApiRequest",
    "ApiToken",
    "BlockedHandle",
    "ContactCard",
    "Environment",
    "Event",
    "EventCounter",
    "GuardRule",
    "Handset",
    "Invitation",
    "Line",
    "LineAccess",
    "LineAlert",
    "LineHealth",
    "Membership",
    "OptOut",
    "ReputationAudit",
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
    "Scope",
    "User",
]
