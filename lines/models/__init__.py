from lines.models.consent import BlockedHandle, OptOut
from lines.models.environment import Environment
from lines.models.event import Event, EventCounter
from lines.models.line import Line, LineAccess
from lines.models.people import Invitation, Membership, User

__all__ = [
    "BlockedHandle",
    "Environment",
    "Event",
    "EventCounter",
    "Invitation",
    "Line",
    "LineAccess",
    "Membership",
    "OptOut",
    "User",
]
