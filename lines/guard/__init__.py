"""One way out: every outgoing message passes here when it is queued, and again right before the wire.

Each rule is a function that says what it finds in an Outgoing, without knowing what follows from it; that is set per
environment and line (Policy): off, warn, hold or refuse. What cannot be set is in `always`.
"""

from lines.guard import always, amounts, manners
from lines.guard.checking import check
from lines.guard.outgoing import Outgoing
from lines.guard.policy import Policy, Setting
from lines.guard.table import HOLD, OFF, REFUSE, RULES, WARN, Finding, Limit, Rule
from lines.guard.verdict import Verdict

__all__ = [
    "HOLD",
    "OFF",
    "REFUSE",
    "RULES",
    "WARN",
    "Finding",
    "Limit",
    "Outgoing",
    "Policy",
    "Rule",
    "Setting",
    "Verdict",
    "always",
    "amounts",
    "check",
    "manners",
]
