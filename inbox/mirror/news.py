"""What a carrier can tell us, whichever payload version or endpoint said it."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class HandleNews:
    value: str
    joined_at: datetime | None = None
    left_at: datetime | None = None
    is_me: bool = False


@dataclass
class ChatNews:
    """A chat as a whole; `handles` are all of its members, our line among them. Its name is as it was `named_at`."""

    chat_id: str
    handles: list[HandleNews]
    display_name: str = ""
    is_group: bool = False
    service: str = ""
    health: dict = field(default_factory=dict)
    created_at: datetime | None = None
    named_at: datetime | None = None
    type: str = "chat.created"
    trace_id: str = ""

    @property
    def line(self):
        return next((handle.value for handle in self.handles if handle.is_me), None)

    @property
    def others(self):
        return [handle for handle in self.handles if not handle.is_me]


@dataclass
class MessageNews:
    """A message as far as one event tells; `line` may be missing where the chat is known."""

    message_id: str
    chat_id: str
    direction: str
    at: datetime
    line: str | None = None
    sender: HandleNews | None = None
    recipients: list[HandleNews] = field(default_factory=list)
    is_group: bool | None = None
    health: dict = field(default_factory=dict)
    parts: list[dict] = field(default_factory=list)
    service: str = ""
    preferred_service: str = ""
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    reconciled_at: datetime | None = None
    effect: dict | None = None
    reply_to: dict | None = None
    idempotency_key: str | None = None
    # Where it is new to us: it is from before we listened, and counts as nothing new; or the carrier's word of it got lost,
    # and was asked for at this time.
    is_history: bool = False
    recovered_at: datetime | None = None
    type: str = "message.received"
    trace_id: str = ""

    @property
    def is_poll(self):
        return self.type.startswith("poll.")


@dataclass
class FailureNews:
    message_id: str
    failed_at: datetime
    code: int
    reason: str = ""
    # Of the poll that failed, with who voted.
    options: list | None = None
    type: str = "message.failed"
    trace_id: str = ""


@dataclass
class EditNews:
    message_id: str
    part_index: int
    text: str
    edited_at: datetime
    type: str = "message.edited"
    trace_id: str = ""


# Who did something, where the carrier does not say who.
SOMEBODY = HandleNews("")


@dataclass
class ReactionNews:
    """`actor` is None where it was our line, SOMEBODY where it was anybody else; `at` is when it was put on, or taken off where `is_removed`."""

    message_id: str
    part_index: int
    kind: str
    at: datetime
    actor: HandleNews | None = None
    emoji: str = ""
    sticker: dict | None = None
    reaction_id: str = ""
    is_removed: bool = False
    type: str = "reaction.added"
    trace_id: str = ""


@dataclass
class MemberNews:
    """Somebody, or our line, came into a group or left it (was removed), at a time."""

    chat_id: str
    member: HandleNews
    at: datetime
    has_left: bool = False
    type: str = "participant.added"
    trace_id: str = ""


@dataclass
class GroupNews:
    """A group's `name`, `icon` (an address) or `background` since `at`; None or "" where it has none any more."""

    chat_id: str
    what: str
    value: object
    at: datetime
    by: HandleNews | None = None
    type: str = "chat.group_name_updated"
    trace_id: str = ""


@dataclass
class RefusalNews:
    """The carrier did not do what it was asked for a group: its `name`, `icon` or `background`."""

    chat_id: str
    what: str
    code: int
    at: datetime
    type: str = "chat.group_name_update_failed"
    trace_id: str = ""


@dataclass
class TypingNews:
    """`actor` may be missing in a chat with one person."""

    chat_id: str
    at: datetime
    actor: HandleNews | None = None
    has_ended: bool = False
    type: str = "chat.typing_indicator.started"
    trace_id: str = ""


@dataclass
class OptionsNews:
    """Options of the poll in a message: dicts with option_id, text, creator (a handle, or ""), can_be_edited and, where
    the poll was told as a whole, their `place` in it. What was added later is told alone."""

    message_id: str
    options: list[dict]
    at: datetime
    # Told with the message itself, whose event says it all.
    is_quiet: bool = False
    type: str = "poll.updated"
    trace_id: str = ""


@dataclass
class VoteNews:
    """`voter` is a handle, our line's number, or "" for our line whatever its number."""

    message_id: str
    option_id: str
    voter: str
    at: datetime
    is_removed: bool = False
    # Told within the poll, not as something that has just happened.
    is_quiet: bool = False
    type: str = "poll.vote.added"
    trace_id: str = ""


@dataclass
class ShareNews:
    """Somebody shares their location with a line from `began_at` on, or has stopped it at `ended_at`. Of a stop the
    beginning may be unknown, and of both the chat."""

    line: str
    sharer: str
    chat_id: str = ""
    began_at: datetime | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    type: str = "location.sharing.started"
    trace_id: str = ""


@dataclass
class CardNews:
    """What somebody calls themselves since `at`, told to a line; `photo` is an address, or "" where there is none."""

    line: str
    sender: str
    first_name: str
    last_name: str
    at: datetime
    photo: str = ""
    type: str = "contact_card.received"
    trace_id: str = ""


@dataclass
class LineNews:
    """A number of ours since `at`: ACTIVE, FLAGGED or RELEASED; with its reputation, where that was told."""

    number: str
    status: str
    at: datetime
    reputation: str = ""
    type: str = "phone_number.status_updated"
    trace_id: str = ""
