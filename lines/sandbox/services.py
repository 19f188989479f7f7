"""Which service a message takes, when it cannot go at all, and what a service can do."""

from lines.gateways.base import PermanentFailure

CANNOT_RECEIVE = 4005
NOT_DELIVERED = 4001

# What can be done in a thread besides writing and sending files.
RCS = frozenset({"react", "reply", "type", "rename", "members", "leave"})
IMESSAGE = RCS | {"edit", "effect", "sticker", "card", "poll", "location", "background", "app", "voice"}
ABILITIES = {"iMessage": IMESSAGE, "RCS": RCS, "SMS": frozenset()}


def require(ability, service, sentence):
    """Raises 2017 with `sentence` where the service lacks the ability."""
    if ability not in ABILITIES[service]:
        raise PermanentFailure(sentence, code=2017)


def common_service(handsets):
    """The best service that all of them receive: for a group the weakest phone decides."""
    best = {handset.service for handset in handsets}
    return best.pop() if len(best) == 1 else "SMS"


def route(handsets, preferred):
    """(service, error code or 0) of a message to these phones with this preference.

    Nothing preferred: the best they have. iMessage: that or a failure. RCS and SMS: never iMessage,
    RCS where they have it, else SMS.
    """
    best = common_service(handsets)
    if len(handsets) == 1 and not handsets[0].is_reachable:
        return (preferred or best, NOT_DELIVERED)
    if preferred == "iMessage":
        return ("iMessage", 0 if best == "iMessage" else CANNOT_RECEIVE)
    if preferred in ("RCS", "SMS") and best == "iMessage":
        return ("SMS", 0)
    return (best, 0)


def has_receipts(service, is_group):
    """Whether the carrier tells of delivery and reading: not on SMS, not in groups."""
    return service != "SMS" and not is_group
