"""What every carrier can do for us, and the two ways in which it fails."""

from dataclasses import dataclass
from datetime import timedelta


class GatewayError(Exception):
    """`code` is the V3 error code, `reason` a sentence for a person, `trace_id` the carrier's."""

    def __init__(self, reason, *, code=0, trace_id="", retry_after=0):
        super().__init__(reason)
        self.reason, self.code, self.trace_id = reason, code, trace_id
        self.retry_after = timedelta(seconds=retry_after)


class TemporaryFailure(GatewayError):
    """Worth trying again: the network, 5xx, 429 (`retry_after` in seconds)."""


class PermanentFailure(GatewayError):
    """The carrier said no; trying again changes nothing."""


@dataclass(frozen=True)
class OutgoingMessage:
    """A message for the carrier. `chat` is the carrier's id, or None: then `line` and `to` find or make one.

    `parts` are V3 parts; a media part has filename, mime_type, size_bytes and an open-able `file`.
    """

    line: str
    chat: str | None
    to: list[str]
    parts: list[dict]
    idempotency_key: str
    preferred_service: str | None = None
    trace_id: str = ""


@dataclass(frozen=True)
class Accepted:
    """The carrier's ids for what it took; the same again for the same idempotency_key."""

    chat_id: str
    message_id: str
    service: str | None = None


class Gateway:
    """A way to one carrier account. Every method may raise TemporaryFailure or PermanentFailure."""

    def __init__(self, environment):
        self.environment = environment

    def send(self, message: OutgoingMessage) -> Accepted:
        """Hand over a message; answers within 30 s or raises TemporaryFailure."""
        raise NotImplementedError

    def fetch_message(self, external_id) -> dict | None:
        """The V3 Message of that id as the carrier has it now; None where it has none."""
        raise NotImplementedError

    def fetch_chat(self, external_id) -> dict | None:
        """The V3 Chat of that id; None where the carrier has none."""
        raise NotImplementedError

    def media_hosts(self) -> set[str]:
        """`host:port` of this carrier that may be fetched from although private. Empty for a real carrier."""
        return set()
