"""One reader of the event log per process, and the sockets that it tells."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from weakref import WeakKeyDictionary

import structlog
from django.db import DatabaseError, connections

from inbox import live
from lines.commits import commits

log = structlog.get_logger()

# Seconds: between looks into the log when nobody calls; after a read of many events; between looks at who has left.
TICK, PAUSE, RECHECK = 2, 0.1, 30
# Pushes; so many fit easily into what may wait for one socket.
MANY = 20
NOT_SIGNED_IN, NO_ACCESS = 4401, 4403

hubs = WeakKeyDictionary()


def hub():
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in hubs:
        hubs[loop] = Hub()
    return hubs[loop]


class Hub:
    """Works from the first watcher's arrival to the last one's leaving.

    A watcher has environment_id, user_id, reader_id (whose unread its page shows), lines (None until it knows them),
    chat_id (the chat that it watches), session_key and password; and hear(push), refresh(), admit(lines), end(code), none of which may block.
    """

    def __init__(self):
        self.watchers = {}
        # How far the watchers of an environment have been told.
        self.cursors = {}
        self.tasks = []
        self.called, self.calling = asyncio.Event(), set()

    async def join(self, watcher):
        """From now on `watcher` hears what is committed. What came before it reads by itself, after this."""
        environment_id = watcher.environment_id
        self.watchers.setdefault(environment_id, set()).add(watcher)
        if not self.tasks:
            self.start()
        if environment_id not in self.cursors:
            last = await self.read(live.last_sequence, environment_id)
            if environment_id in self.watchers:
                self.cursors.setdefault(environment_id, last)

    def leave(self, watcher):
        watchers = self.watchers.get(watcher.environment_id, set())
        watchers.discard(watcher)
        if not watchers:
            self.watchers.pop(watcher.environment_id, None)
            self.cursors.pop(watcher.environment_id, None)
        if not self.watchers:
            self.stop()

    def start(self):
        # One thread, so that what is read first is told first.
        self.executor = ThreadPoolExecutor(1, "live")
        self.tasks = [asyncio.ensure_future(work()) for work in (self.listen, self.follow, self.recheck)]

    def stop(self):
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            self.executor.shutdown(wait=False)
        self.tasks = []

    async def read(self, question, *args, **kwargs):
        work = partial(and_let_go, question, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.executor, work)

    async def listen(self):
        """PostgreSQL calls us at each commit. Without it the ticks of follow() do, only later."""
        async with aclosing(commits()) as heard:
            async for environment_id in heard:
                self.call(*(self.watchers if environment_id is None else (environment_id,)))

    def call(self, *environment_ids):
        self.calling.update(environment_ids)
        self.called.set()

    async def follow(self):
        """However many calls come during a read, one more read answers them all."""
        while True:
            try:
                async with asyncio.timeout(TICK):
                    await self.called.wait()
            except TimeoutError:
                self.calling.update(self.watchers)
            self.called.clear()
            environment_ids, self.calling = self.calling & self.cursors.keys(), set()
            for environment_id in environment_ids:
                await self.tell(environment_id)

    async def tell(self, environment_id):
        watchers = self.watchers[environment_id]
        try:
            news = await self.news(environment_id, watchers)
        except DatabaseError as error:
            log.warning("live_unread", error=str(error))
            return
        self.admit(environment_id, news.access)
        for number, push in enumerate(news.pushes or (), 1):
            for watcher in tuple(watchers):
                if push.is_for(watcher):
                    watcher.hear(push)
            if number % MANY == 0:
                # Let the sockets send, or a burst would look like slowness of theirs.
                await asyncio.sleep(0)
        if news.pushes is None:
            for watcher in tuple(watchers):
                watcher.refresh()
        if environment_id in self.cursors:
            self.cursors[environment_id] = max(news.sequence, self.cursors[environment_id])
        if news.pushes is None or len(news.pushes) >= MANY:
            # In a flood more is folded into one push, and the pages have time to draw.
            await asyncio.sleep(PAUSE)

    async def news(self, environment_id, watchers):
        users, lines = {watcher.user_id for watcher in watchers}, {watcher.lines for watcher in watchers}
        try:
            return await self.read(
                live.news_since,
                environment_id,
                self.cursors[environment_id],
                lines=None if None in lines else frozenset().union(*lines),
                users=users,
                readers={watcher.reader_id for watcher in watchers},
                watched={watcher.chat_id for watcher in watchers} - {None},
            )
        except DatabaseError:
            raise
        except Exception:
            # One fragment that cannot be drawn must not end the stream of everybody.
            log.exception("live_undrawn", environment_id=str(environment_id))
            return await self.read(live.skip, environment_id, users)

    def admit(self, environment_id, access):
        for watcher in tuple(self.watchers.get(environment_id, ())):
            if watcher.user_id in access:
                watcher.admit(access[watcher.user_id])

    async def recheck(self):
        """What leaves no event: sessions that end, people who are made inactive, lines that come and go."""
        while True:
            await asyncio.sleep(RECHECK)
            try:
                await self.look_who_has_left()
            except DatabaseError as error:
                log.warning("live_unchecked", error=str(error))

    async def look_who_has_left(self):
        everyone = [watcher for watchers in self.watchers.values() for watcher in watchers]
        sessions = {w.session_key: (w.user_id, w.password) for w in everyone}
        ended = await self.read(live.ended_sessions, sessions)
        for watcher in everyone:
            if watcher.session_key in ended:
                watcher.end(NOT_SIGNED_IN)
        for environment_id, watchers in list(self.watchers.items()):
            users = {watcher.user_id for watcher in watchers}
            self.admit(environment_id, await self.read(live.access_of, users, environment_id))


def and_let_go(question, *args, **kwargs):
    """The answer; the thread's connection goes back to the pool."""
    try:
        return question(*args, **kwargs)
    finally:
        connections.close_all()
