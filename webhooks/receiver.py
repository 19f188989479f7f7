"""Receives what carriers send: judge, keep, and only then answer.

`Receiver` is mounted beside Django in partyline/asgi.py. `uvicorn webhooks.receiver:app` runs it as a process
of its own, several times faster; then route /webhooks/in/ to that.
"""

import json
import re
import time

import orjson
import structlog
from django.conf import settings
from prometheus_client import Counter

from partyline.trace import new_trace_id
from webhooks.group_commit import Crowded, DatabaseAway, EnvironmentGone, GroupCommit, Unkeepable, new_pool
from webhooks.senders import Senders
from webhooks.signatures import LEGACY, STANDARD, SignatureRefused, verify
from webhooks.waker import Waker

log = structlog.get_logger()
kept = Counter("partyline_webhooks_kept", "Webhooks answered with 200", ["repeat"])
refused = Counter("partyline_webhooks_refused", "Webhooks that were not kept", ["reason"])
kept_new, kept_repeat = kept.labels("no"), kept.labels("yes")

PREFIX = "/webhooks/in/"
HEADERS = {
    name.encode(): name for name in (*STANDARD, *LEGACY, "content-type", "user-agent", "content-length")
}
LONGEST_NAME = 100
TRACE_ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)

# Reason: HTTP status, the code of V3 that comes nearest, words for a person.
REFUSALS = {
    "unknown_environment": (404, 1005, "There is no environment of this name"),
    "wrong_method": (405, 1005, "Webhooks are sent with POST"),
    "too_large": (413, 1003, "The body is too large"),
    "signature_missing": (401, 2004, "The request carries no complete signature"),
    "timestamp_outside_window": (
        401,
        2004,
        "The signature's timestamp is more than five minutes away from now",
    ),
    "signature_mismatch": (401, 2004, "The signature does not match"),
    "malformed": (400, 1003, "The body has to be a JSON object in UTF-8"),
    "no_event": (400, 1001, "event_id and event_type are required, each with 1 to 100 characters"),
    "other_event": (400, 1005, "The header webhook-id names another event than the body"),
    "unkeepable": (400, 1003, "The body holds characters that cannot be stored"),
    "unreadable_secret": (503, 3006, "The signing secret of this environment cannot be read"),
    "crowded": (503, 3006, "Too many webhooks are waiting; try again"),
    "database_away": (503, 3006, "The database does not answer; try again"),
    "unexpected": (500, 3006, "Something went wrong"),
}
EXTRA_HEADERS = {
    405: [(b"allow", b"POST")],
    # What was not read of the body would be taken for the next request.
    413: [(b"connection", b"close")],
    503: [(b"retry-after", b"2")],
}


class Refused(Exception):
    """`reason` is a key of REFUSALS; `detail` goes to the log only."""

    def __init__(self, reason, detail=None):
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class ClientGone(Exception):
    """The sender left before its body was complete."""


class Receiver:
    """An ASGI callable; one per event loop."""

    def __init__(self, *, wake=None, clock=time.time):
        self.clock = clock
        self.wake = wake
        self.pool = None

    async def __call__(self, scope, receive, send):
        slug = scope["path"].removeprefix(PREFIX).removesuffix("/")
        try:
            receipt, repeat = await self.receive(scope, slug, receive)
        except ClientGone:
            return
        except Refused as refusal:
            await refuse(send, slug, refusal)
        except Exception as error:  # the sender gets our own shape of answer, and tries again
            log.error("receiver_failed", environment=slug, exc_info=error)
            await refuse(send, slug, Refused("unexpected"))
        else:
            (kept_repeat if repeat else kept_new).inc()
            await answer_kept(send, receipt, repeat)

    async def receive(self, scope, slug, receive):
        """The receipt, once it is kept, and whether it had been already."""
        self.open()
        try:
            sender = await self.senders.find(slug)
            body, headers = await admitted(scope, sender, receive)
            self.check_signature(sender, headers, body)
            receipt = receipt_from(sender, headers, body)
            return receipt, not await self.receipts.keep(receipt)
        except Crowded as crowded:
            raise Refused("crowded") from crowded
        except DatabaseAway as error:
            raise Refused("database_away", str(error)) from error
        except EnvironmentGone as gone:
            raise Refused("unknown_environment") from gone
        except Unkeepable as error:
            raise Refused("unkeepable", str(error)) from error

    def open(self):
        """Nothing may exist before the event loop runs in which it works."""
        if self.pool is None:
            self.pool = new_pool()
            self.senders = Senders(self.pool)
            self.receipts = GroupCommit(self.pool, wake=self.wake or Waker().wake)

    async def close(self):
        if self.pool is not None:
            pool, self.pool = self.pool, None
            await pool.close()

    def check_signature(self, sender, headers, body):
        if not sender.secrets:
            raise Refused("unreadable_secret")
        try:
            verify(sender.secrets, headers, body, now=self.clock())
        except SignatureRefused as refusal:
            raise Refused(refusal.reason) from refusal


async def admitted(scope, sender, receive):
    """The body and those headers that we look at."""
    if sender is None:
        raise Refused("unknown_environment")
    if scope["method"] != "POST":
        raise Refused("wrong_method")
    headers = {HEADERS[name]: value.decode("latin-1") for name, value in scope["headers"] if name in HEADERS}
    length = headers.pop("content-length", "")
    if length.isdecimal() and int(length[:19]) > settings.WEBHOOK_MAX_BYTES:
        raise Refused("too_large")
    return await read(receive, settings.WEBHOOK_MAX_BYTES), headers


async def read(receive, most):
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        # Most bodies come in one piece, and are not copied.
        body = body + message.get("body", b"") if body else message.get("body", b"")
        if len(body) > most:
            raise Refused("too_large")
        more = message.get("more_body", False)
    return body


def event_in(body, text):
    """What the body says. The quick parser is stricter than JSON, about half a character for one; then the slow one judges."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return decoder.decode(text)


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


decoder = json.JSONDecoder(parse_constant=no_constant)


def receipt_from(sender, headers, body):
    """The columns of a receipt."""
    try:
        text = body.decode()
        event = event_in(body, text)
    except (ValueError, RecursionError) as error:
        raise Refused("malformed", str(error)) from error
    if not isinstance(event, dict):
        raise Refused("malformed")
    event_id, event_type = event.get("event_id"), event.get("event_type")
    if not (is_name(event_id) and is_name(event_type)):
        raise Refused("no_event")
    if headers.get("webhook-id", event_id) != event_id:
        raise Refused("other_event")
    return {
        "environment_id": sender.environment_id,
        "event_id": event_id,
        "event_type": event_type,
        "chat_key": chat_key(event_type, event.get("data")),
        "headers": headers,
        "body": text,
        "trace_id": trace_id_of(event),
    }


def is_name(value):
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and is_whole(value)


def is_whole(text):
    """Without half characters, which JSON can escape and nobody can store."""
    return text.isascii() or text == text.encode(errors="ignore").decode()


def chat_key(event_type, data):
    """The carrier's id of the chat that an event is about, or ""."""
    if not isinstance(data, dict):
        return ""
    chat = data.get("chat")
    found = chat.get("id") if isinstance(chat, dict) else data.get("chat_id")
    if not found and event_type == "chat.created":
        found = data.get("id")
    return found if is_name(found) else ""


def trace_id_of(event):
    given = event.get("trace_id")
    return given.lower() if isinstance(given, str) and TRACE_ID.fullmatch(given) else new_trace_id()


async def answer_kept(send, receipt, repeat):
    trace_id = receipt["trace_id"]
    answer = {"received": True, "event_id": receipt["event_id"], "repeat": repeat, "trace_id": trace_id}
    await respond(send, 200, answer)


async def refuse(send, slug, refusal):
    status, code, message = REFUSALS[refusal.reason]
    trace_id = new_trace_id()
    refused.labels(refusal.reason).inc()
    log.warning(
        "webhook_refused",
        trace_id=trace_id,
        environment=slug[:LONGEST_NAME],
        reason=refusal.reason,
        detail=refusal.detail,
    )
    error = {"status": status, "code": code, "message": message}
    await respond(send, status, {"success": False, "error": error, "trace_id": trace_id})


async def respond(send, status, content):
    body = orjson.dumps(content)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-trace-id", content["trace_id"].encode()),
        *EXTRA_HEADERS.get(status, []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Application:
    """The receiver alone, with everything that it needs of Django set up when the server starts."""

    def __init__(self):
        self.receiver = Receiver()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.live(receive, send)
        elif scope["type"] == "http":
            await self.receiver(scope, receive, send)
        else:
            raise ValueError(f"{scope['type']} is not served here")

    async def live(self, receive, send):
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                set_up()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.receiver.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


def set_up():
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "partyline.settings")
    django.setup()


app = Application()
