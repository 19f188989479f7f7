"""What every carrier can do for us, and the two ways in which it fails."""

from dataclasses import dataclass
from datetime import timedelta


class GatewayError(Exception):
    """`code` is the V3 error code, `reason` a sentence for a person, `trace_id` the carrier's.

    `waits_out`: nothing is wrong with what was asked, so it is asked again for a day. `is_outage`: the carrier could not
    be asked at all."""

    def __init__(self, reason, *, code=0, trace_id="", retry_after=0, waits_out=False, is_outage=False):
        super().__init__(reason)
        self.reason, self.code, self.trace_id = reason, code, trace_id
        self.retry_after = timedelta(seconds=retry_after)
        self.waits_out, self.is_outage = waits_out or is_outage, is_outage


class TemporaryFailure(GatewayError):
    """Worth trying again: the network, 5xx, 429 (`retry_after` in seconds)."""


class PermanentFailure(GatewayError):
    """The carrier said no; trying again changes nothing."""


@dataclass(frozen=True)
class OutgoingMessage:
    """A message for the carrier. `chat` is the carrier's id, or None: then `line` and `to` find or make one.

    `parts` are V3 parts; a media part has filename, mime_type, size_bytes and an open-able `file`. `effect` and
    `reply_to` (message_id, part_index) are as V3 has them, and so is what a part has besides. A voice memo is one
    media part, a poll one part {"type": "poll", "options": [text, …]}. `overrides_opt_out`: it goes although they
    opted out; `frees_link`: it may begin a chat with a link.
    """

    line: str
    chat: str | None
    to: list[str]
    parts: list[dict]
    idempotency_key: str
    preferred_service: str | None = None
    effect: dict | None = None
    reply_to: dict | None = None
    is_voice_memo: bool = False
    overrides_opt_out: bool = False
    frees_link: bool = False
    trace_id: str = ""


@dataclass(frozen=True)
class Accepted:
    """The carrier's ids for what it took; the same again for the same idempotency_key."""

    chat_id: str
    message_id: str
    service: str | None = None
    # Of a poll: its ids of the options, in their order.
    option_ids: tuple[str, ...] = ()


class Gateway:
    """A way to one carrier account. Every method may raise TemporaryFailure or PermanentFailure."""

    def __init__(self, environment):
        self.environment = environment

    def send(self, message: OutgoingMessage) -> Accepted:
        """Hand over a message; answers within 30 s or raises TemporaryFailure."""
        raise NotImplementedError

    # Of a message, by the carrier's id.

    def react(self, message_id, *, operation, type, emoji, part_index):
        """`operation` is add or remove; `type` one of V3's, with `emoji` where it is custom."""
        raise NotImplementedError

    def stick(self, message_id, *, emoji, picture, part_index, placement):
        """Peel an emoji, or a stored `picture` of ours, onto a part. `placement` has x, y, scale and rotation. What the
        carrier calls it is told by its webhook."""
        raise NotImplementedError

    def place_sticker(self, message_id, sticker_id, *, placement):
        """Move a sticker of ours; `placement` has what changes. PermanentFailure 2002 where there is none."""
        raise NotImplementedError

    def add_options(self, message_id, texts) -> list[str]:
        """Append options to a poll; returns the carrier's ids of them."""
        raise NotImplementedError

    def vote(self, message_id, option_id, *, operation):
        """Our line's vote for one option of a poll: add or remove."""
        raise NotImplementedError

    def edit(self, message_id, *, text, part_index):
        raise NotImplementedError

    def delete_message(self, message_id):
        """From the carrier's records only. PermanentFailure 2002 where there is none (any more)."""
        raise NotImplementedError

    def delete_attachment(self, attachment_id):
        """Its bytes at the carrier, for good. PermanentFailure 2003 where there are none."""
        raise NotImplementedError

    # Of a chat, by the carrier's id. What a group becomes is told by webhooks afterwards.

    def start_typing(self, chat_id):
        """They see dots for 90 s, or until stop_typing or the next message."""
        raise NotImplementedError

    def stop_typing(self, chat_id):
        raise NotImplementedError

    def mark_read(self, chat_id):
        raise NotImplementedError

    def rename(self, chat_id, name):
        raise NotImplementedError

    def set_icon(self, chat_id, attachment):
        """`attachment` is a stored image of ours."""
        raise NotImplementedError

    def set_background(self, chat_id, background, *, photo=None):
        """`background` as V3 has it, or None for none; `photo` is a stored image of ours where its type is photo."""
        raise NotImplementedError

    def request_location(self, chat_id):
        """Ask somebody to share their location. PermanentFailure 2015 where they do already, 2016 in a group."""
        raise NotImplementedError

    def stop_location(self, chat_id, handle):
        """End what somebody shares with our line, in every chat. PermanentFailure 2015 where they share nothing."""
        raise NotImplementedError

    def add_participant(self, chat_id, handle):
        raise NotImplementedError

    def remove_participant(self, chat_id, handle):
        raise NotImplementedError

    def leave(self, chat_id):
        raise NotImplementedError

    def share_contact_card(self, chat_id):
        """PermanentFailure 2012 where the line has no card, 2017 where the chat is no iMessage; once per 5 min."""
        raise NotImplementedError

    # Of an account.

    def check_imessage(self, address, *, line) -> bool | None:
        """Whether they can get iMessage; None: no answer now. The carrier is asked once per 10 s at most."""
        raise NotImplementedError

    def check_rcs(self, address, *, line) -> bool | None:
        raise NotImplementedError

    def block(self, handle):
        """From now on nothing that they do towards one of our numbers alone is told. Safe to repeat, as is unblock."""
        raise NotImplementedError

    def unblock(self, handle):
        raise NotImplementedError

    def forward_calls(self, line, number):
        """Calls to the number `line` go to `number`, or nowhere where that is ""."""
        raise NotImplementedError

    def start_audit(self, line) -> str:
        """Have the reputation of the number `line` looked into; the id of that audit, or of the one that runs."""
        raise NotImplementedError

    def fetch_audit(self, line, audit_id) -> dict:
        """V3's ReputationAudit as it stands. PermanentFailure 2019 where there is none of this number any more."""
        raise NotImplementedError

    def put_contact_card(self, line, card):
        """Make `card` (first_name, last_name, image: an open-able file or None) the card of the number `line`."""
        raise NotImplementedError

    def fetch_location(self, chat_id) -> list[dict]:
        """Where people in the chat are who share it: handle, longitude, latitude, address, updated_at."""
        raise NotImplementedError

    def fetch_message(self, external_id) -> dict | None:
        """The V3 Message of that id as the carrier has it now; None where it has none."""
        raise NotImplementedError

    def fetch_chat(self, external_id) -> dict | None:
        """The V3 Chat of that id; None where the carrier has none."""
        raise NotImplementedError

    def fetch_poll(self, message_id) -> dict | None:
        """The V3 PollEnvelope of a message; None where it has no poll."""
        raise NotImplementedError

    # What an account has. Of a page of at most 100 comes (the V3 objects, the cursor of the next, or "" at the end).

    def list_numbers(self) -> list[dict]:
        """V3's phone numbers of the account."""
        raise NotImplementedError

    def list_chats(self, line, cursor="") -> tuple[list[dict], str]:
        """Those of the number `line`; in which order is not promised."""
        raise NotImplementedError

    def list_messages(self, chat_id, cursor="") -> tuple[list[dict], str]:
        """None of a chat that is gone. In which order is not promised."""
        raise NotImplementedError

    def list_blocked(self) -> list[dict]:
        raise NotImplementedError

    def list_cards(self) -> list[dict]:
        """The contact cards of the account's numbers."""
        raise NotImplementedError

    # How the account tells us.

    def subscribe(self, url, events, numbers) -> tuple[str, str]:
        """Have these events of these numbers posted to `url`; (its id, the signing secret). What was subscribed for the
        very same address is replaced, for nobody has its secret."""
        raise NotImplementedError

    def fetch_subscription(self, subscription_id) -> dict | None:
        """As it stands, or None where it is gone."""
        raise NotImplementedError

    def change_subscription(self, subscription_id, **changes):
        """is_active, phone_numbers, subscribed_events."""
        raise NotImplementedError

    def unsubscribe(self, subscription_id):
        """Safe to repeat."""
        raise NotImplementedError

    def media_hosts(self) -> set[str]:
        """`host:port` of this carrier that may be fetched from although private. Empty for a real carrier."""
        return set()
