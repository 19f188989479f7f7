import asyncio
import json
import uuid
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from inbox import live
from inbox.hub import NO_ACCESS, NOT_SIGNED_IN, hub
from inbox.models import Chat

# What may wait for one socket; what one frame of a browser may hold, in characters.
OUTBOX, LONGEST_FRAME = 256, 1000
MALFORMED, TOO_SLOW, TRY_LATER = 4400, 4408, 4503


class LiveConsumer(AsyncWebsocketConsumer):
    """The socket of one tab, a watcher of the hub.

    Closes with 4400 malformed, 4401 not signed in, 4403 no access (any more), 4408 too slow, 4503 no database.
    """

    lines = chat_id = hub = writer = closing = None

    async def __call__(self, scope, receive, send):
        self.outbox = asyncio.Queue(OUTBOX)
        # What the hub says while the page is still catching up; and how far the page has come.
        self.early, self.sequence = [], 0
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.leave()

    async def connect(self):
        # Accepted first: a browser does not see the code of a socket that never opened.
        await self.accept()
        user = self.scope["user"]
        if not user.is_authenticated:
            return self.end(NOT_SIGNED_IN)
        try:
            self.environment_id, self.since, reader = asked_for(self.scope["query_string"].decode())
        except ValueError:
            return self.end(MALFORMED)
        self.user_id, self.password = user.pk, user.password
        self.reader_id = reader or user.pk
        self.session_key = self.scope["session"].session_key
        with self.database_or_later():
            await self.begin()

    async def begin(self):
        # Joined before reading, so that nothing falls between.
        self.hub = hub()
        await self.hub.join(self)
        missed = await database_sync_to_async(live.missed_since)(
            self.environment_id, self.since, user_id=self.user_id, reader_id=self.reader_id
        )
        lines = missed.access[self.user_id]
        if self.lines is None:
            self.admit(lines)
        elif self.lines != lines:
            # The hub has read of a change meanwhile, and knows it better.
            self.refresh()
        if not self.closing:
            self.writer = asyncio.ensure_future(self.write())
            self.catch_up(missed)

    def catch_up(self, missed):
        if missed.pushes is None:
            self.since = None
            self.refresh()
        for push in missed.pushes or ():
            self.tell(push)
        self.sequence, early, self.early = missed.sequence, self.early, None
        for push in early:
            self.hear(push)
        self.tell({"type": "hello", "sequence": self.sequence})

    async def receive(self, text_data=None, bytes_data=None):
        if self.closing:
            return
        try:
            asked = asked_in(text_data)
        except (ValueError, TypeError):
            return self.end(MALFORMED)
        if "watch" in asked:
            with self.database_or_later():
                await self.watch(asked["watch"], asked.get("since"))
        if "ping" in asked:
            sequence = max(self.sequence, self.hub.cursors.get(self.environment_id, 0))
            self.tell({"type": "pong", "ping": asked["ping"], "sequence": sequence})

    async def watch(self, chat_id, since):
        """Of the chat on the page now, which was drawn at `since`, also the messages are told."""
        # Set before asking, so that nothing falls between: nobody hears of a line that is not theirs anyway.
        self.chat_id = chat_id
        if chat_id is None:
            return
        since, self.since = self.since if since is None else since, None
        try:
            pushes = await database_sync_to_async(live.said_in)(
                chat_id, self.environment_id, self.scope["user"], since=since
            )
        except Chat.DoesNotExist:
            self.chat_id = None
            return
        if pushes is None:
            self.refresh()
        for push in pushes or ():
            self.tell(push)

    # What the hub calls.

    def hear(self, push):
        if self.early is not None:
            self.early.append(push)
        elif push.sequence > self.sequence:
            self.sequence = push.sequence
            self.tell(push)

    def admit(self, lines):
        """The lines that this person may see now; None: they are no member any more."""
        if lines is None:
            self.end(NO_ACCESS)
        elif lines != self.lines:
            is_first, self.lines = self.lines is None, lines
            if not is_first:
                self.refresh()

    def refresh(self):
        self.tell({"type": "refresh"})

    def end(self, code):
        self.leave()
        self.closing = self.closing or asyncio.ensure_future(self.close(code))

    # The way out.

    def tell(self, what):
        if self.closing:
            return
        try:
            self.outbox.put_nowait(what)
        except asyncio.QueueFull:
            self.end(TOO_SLOW)

    async def write(self):
        # A server may say that the browser has gone before it says that the socket is closed.
        with suppress(OSError, RuntimeError):
            while True:
                what = await self.outbox.get()
                if isinstance(what, dict):
                    await self.send(json.dumps(what))
                # Asked again: access may have been lost while it waited.
                elif what.is_for(self):
                    await self.send(what.text_for(self))

    def leave(self):
        if self.hub:
            self.hub.leave(self)
        if self.writer:
            self.writer.cancel()

    @contextmanager
    def database_or_later(self):
        try:
            yield
        except DatabaseError:
            self.end(TRY_LATER)


def asked_for(query):
    """The environment's id, the sequence that the page has seen (None: unknown), and whose unread it shows where that
    is somebody else (who sees a line may know what its people have read). Raises ValueError."""
    asked = parse_qs(query)
    environment, since, reader = (asked.get(name, [""])[0] for name in ("environment", "since", "reader"))
    return (
        uuid.UUID(environment),
        int(since) if since.isdecimal() else None,
        uuid.UUID(reader) if reader else None,
    )


def asked_in(frame):
    """What a browser says, understood. Raises ValueError or TypeError."""
    if frame is None or len(frame) > LONGEST_FRAME:
        raise ValueError("no text of a reasonable length")
    asked = json.loads(frame)
    if not isinstance(asked, dict) or not isinstance(asked.get("since"), int | None):
        raise ValueError("not what a page of ours says")
    if asked.get("watch") is not None:
        asked["watch"] = uuid.UUID(str(asked["watch"]))
    return asked
