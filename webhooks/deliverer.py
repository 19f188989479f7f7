"""The process that delivers: publishes events to subscriptions, attempts what is due, writes down what came of it."""

import asyncio
import time
import uuid
from collections import Counter
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import structlog
from cryptography.fernet import InvalidToken

from lines.commits import commits
from lines.models.event import without_content
from partyline.fields import cipher
from webhooks import payloads
from webhooks.group_commit import DatabaseAway, new_pool
from webhooks.posting import Poster
from webhooks.queue import Queue
from webhooks.retrying import SCHEDULES, wait_after
from webhooks.targets import ROUTING_ID

log = structlog.get_logger()

# Seconds: between looks when nobody calls; before the database is asked again where it was away; what attempts that
# are going on are given when we are told to end.
TICK, PAUSE, FAREWELL = 2, 1, 7
LONGEST_TOKEN = 500
AWAY = (DatabaseAway, psycopg.Error)


@dataclass(slots=True)
class Job:
    """One claimed delivery, with all that its attempt needs."""

    id: int
    claim: datetime
    subscription_id: uuid.UUID
    event_id: uuid.UUID
    type: str
    trace_id: str
    chat_id: uuid.UUID | None
    happened_at: datetime
    tries: int
    data: dict | None
    is_deleted: bool
    slug: str
    target_url: str
    version: str
    profile: str
    routing_key_header: str
    routing_id_header: str
    token: str | None
    secrets: list

    @property
    def schedule(self):
        return SCHEDULES[self.profile]

    def content(self):
        return payloads.body(
            version=self.version,
            type=self.type,
            event_id=self.event_id,
            created_at=self.happened_at,
            trace_id=self.trace_id,
            partner_id=self.slug,
            data=without_content(self.data) if self.is_deleted else self.data,
        )

    def headers(self, content, timestamp):
        signed = payloads.headers(
            type=self.type,
            event_id=self.event_id,
            subscription_id=self.subscription_id,
            timestamp=timestamp,
            secrets=[cipher().decrypt(secret.encode()).decode() for secret in self.secrets],
            content=content,
        )
        return signed | self.routing()

    def routing(self):
        if not self.routing_key_header or not self.chat_id:
            return {}
        known = {self.routing_key_header: self.token} if self.token else {}
        return {self.routing_id_header or ROUTING_ID: str(self.chat_id)} | known


class Deliverer:
    """Runs until it is told to end. Several at once share the work; one that dies loses its claims in time."""

    def __init__(self, *, poster=None, pool=None):
        self.pool = pool or new_pool(most=4, application_name="partyline deliver")
        self.queue = Queue(self.pool, SCHEDULES)
        self.poster = poster
        self.is_ending = False
        # Environments in which something happened, and that something may be due.
        self.calling, self.called = set(), asyncio.Event()
        self.going, self.busy = {}, Counter()
        # What attempts came to, until it is written down.
        self.results, self.resulted = [], asyncio.Event()

    async def run(self):
        self.poster = self.poster or Poster()
        # follow() alone returns, once we are told to end; what raises ends us all.
        works = [asyncio.ensure_future(work()) for work in (self.follow, self.listen, self.write)]
        try:
            ended, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            if self.is_ending and self.going:
                await asyncio.wait(self.going.values(), timeout=FAREWELL)
        finally:
            await self.say_farewell(works)
        for work in ended:
            work.result()

    def end(self):
        """Take no more, finish what is going on, give back what does not finish soon."""
        self.is_ending = True
        self.called.set()

    async def say_farewell(self, works):
        left = dict(self.going)
        for task in (*works, *left.values()):
            task.cancel()
        await asyncio.gather(*works, *left.values(), return_exceptions=True)
        with suppress(*AWAY):
            await self.write_down()
            await self.queue.give_back([{"id": pk, "claim": claim} for pk, claim in left])
        await self.poster.close()
        await self.pool.close()

    def call(self, *environment_ids):
        self.calling.update(environment_ids)
        self.called.set()

    async def listen(self):
        """PostgreSQL calls us at each commit. Without it the ticks of follow() do, only later."""
        async with aclosing(commits()) as heard:
            async for environment_id in heard:
                self.call(*filter(None, [environment_id]))

    async def follow(self):
        """However many calls come meanwhile, one more look answers them all."""
        looked_at = float("-inf")
        while not self.is_ending:
            try:
                if time.monotonic() >= looked_at + TICK:
                    self.calling |= await self.queue.behind()
                    if not await self.queue.step_back():
                        looked_at = time.monotonic()
                self.called.clear()
                await self.publish()
                await self.begin()
                with suppress(TimeoutError):
                    async with asyncio.timeout(looked_at + TICK - time.monotonic()):
                        await self.called.wait()
            except AWAY as error:
                log.warning("deliver_waits", error=str(error))
                await asyncio.sleep(PAUSE)

    async def publish(self):
        """One batch in each environment, so that what is due goes out in between."""
        for environment_id in tuple(self.calling):
            self.calling.discard(environment_id)
            if await self.queue.publish(environment_id):
                self.call(environment_id)

    async def begin(self):
        for row in await self.queue.claim(self.busy):
            # There may be more.
            self.called.set()
            job = Job(*row)
            self.busy[job.subscription_id] += 1
            key = job.id, job.claim
            self.going[key] = asyncio.create_task(self.attempt(job))
            self.going[key].add_done_callback(lambda task, key=key, job=job: self.ended(key, job))

    def ended(self, key, job):
        self.going.pop(key, None)
        self.busy[job.subscription_id] -= 1
        if not self.busy[job.subscription_id]:
            del self.busy[job.subscription_id]

    async def attempt(self, job):
        began, started_at = time.monotonic(), datetime.now(UTC)
        result = {"id": job.id, "claim": job.claim, "started_at": started_at}
        try:
            if job.data is None:
                return self.came_to(result | {"state": "dropped", "error": ""}, began)
            content = job.content()
            headers = job.headers(content, int(started_at.timestamp()))
        except InvalidToken:
            log.error("signing_secret_unreadable", subscription=str(job.subscription_id))
            return
        outcome = await self.poster.post(job.target_url, headers, content, timeout=job.schedule.timeout)
        ended = time.monotonic()
        wait = wait_after(outcome, job.tries + 1, job.schedule, now=time.time())
        state = "delivered" if outcome.is_success else "failed" if wait is None else "waiting"
        result |= {
            "state": state,
            "duration": round((ended - began) * 1000),
            "request_headers": shown(headers, job),
            "status": outcome.status,
            "response_headers": outcome.headers,
            "response_body": outcome.body,
            "error": outcome.error,
            "detail": outcome.detail,
        }
        self.came_to(result, ended, wait, learned(outcome, job))

    def came_to(self, result, ended, wait=None, token=None):
        self.results.append((result, ended, wait, token))
        self.resulted.set()

    async def write(self):
        """Whatever has ended goes into one statement, and while that runs the next gather."""
        while True:
            await self.resulted.wait()
            self.resulted.clear()
            try:
                await self.write_down()
            except AWAY as error:
                log.warning("deliver_unwritten", results=len(self.results), error=str(error))
                await asyncio.sleep(PAUSE)
                self.resulted.set()

    async def write_down(self):
        results = self.results[:]
        if not results:
            return
        now = time.monotonic()
        rows = [
            row | {"wait": None if wait is None else max(0, ended + wait - now)}
            for row, ended, wait, _ in results
        ]
        await self.queue.finish(rows)
        del self.results[: len(results)]
        if tokens := {(token["subscription_id"], token["chat_id"]): token for *_, token in results if token}:
            await self.queue.learn(list(tokens.values()))
        for _, ended, wait, _ in results:
            if wait is not None:
                asyncio.get_running_loop().call_later(max(0, ended + wait - now), self.called.set)
        # There are places again, and chats in which the next one may go.
        self.called.set()


def learned(outcome, job):
    """What the program wants to be sent back with the chat's next webhook."""
    if not (outcome.is_success and job.routing_key_header and job.chat_id):
        return None
    token = outcome.header(job.routing_key_header)
    if not token or len(token) > LONGEST_TOKEN or not (token.isascii() and token.isprintable()):
        return None
    return {"subscription_id": str(job.subscription_id), "chat_id": str(job.chat_id), "token": token}


def shown(headers, job):
    """The headers as an attempt keeps them."""
    return headers | (
        {job.routing_key_header: "…"} if job.token and job.routing_key_header in headers else {}
    )
