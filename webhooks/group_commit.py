"""Receipts in PostgreSQL: whatever has arrived goes into one commit, and while that runs the next gather."""

import asyncio

import orjson
import psycopg
import structlog
from django.db import connections
from psycopg_pool import AsyncConnectionPool, PoolTimeout

log = structlog.get_logger()

# Seconds: until a connection is there, until a commit is through.
CONNECT, PATIENCE = 3, 8
# What may wait, in receipts and in bytes of their bodies; what one statement takes of it.
MOST_WAITING, MOST_BYTES_WAITING = 2000, 64 * 1024 * 1024
BATCH, BATCH_BYTES = 500, 8 * 1024 * 1024
OURS = {"autocommit": True, "connect_timeout": CONNECT, "application_name": "partyline receiver"}

INSERT = """
INSERT INTO webhooks_receipt (environment_id, event_id, event_type, chat_key, headers, body, trace_id)
SELECT * FROM json_to_recordset(%s::text::json) AS receipt (
    environment_id uuid, event_id text, event_type text, chat_key text, headers jsonb, body text, trace_id text)
ON CONFLICT (environment_id, event_id) DO NOTHING
RETURNING environment_id, event_id
"""


class DatabaseAway(Exception):
    """Nothing was kept that we know of; what was kept nevertheless is a repeat when it comes again."""


class Crowded(Exception):
    """Too much waits already."""


class Unkeepable(Exception):
    """PostgreSQL refuses this receipt, whenever it comes."""


class EnvironmentGone(Exception):
    """The environment was deleted since we read of it."""


def new_pool(*, most=2, **changes):
    """Connections of our own, `most` of them; they open in the event loop that uses them first."""
    parameters = connections["default"].get_connection_params()
    parameters = {
        name: value for name, value in parameters.items() if name not in ("cursor_factory", "context")
    }
    return AsyncConnectionPool(
        kwargs=parameters | OURS | changes,
        min_size=1,
        max_size=most,
        timeout=CONNECT,
        # Short, so that it does not go on with ever longer pauses: who needs a connection asks again.
        reconnect_timeout=1,
        open=False,
    )


async def run(pool, statement, parameters=()):
    """The rows of one statement, which has to be safe to repeat. Raises DatabaseAway, or psycopg's own error."""
    try:
        async with asyncio.timeout(PATIENCE):
            await pool.open()
            return await _on_a_live_connection(pool, statement, parameters)
    except (PoolTimeout, TimeoutError) as error:
        raise DatabaseAway(str(error) or "no answer in time") from error


async def _on_a_live_connection(pool, statement, parameters):
    for attempts_left in (2, 1, 0):
        async with pool.connection() as connection:
            try:
                cursor = await connection.execute(statement, parameters)
                return await cursor.fetchall()
            except psycopg.errors.DeadlockDetected:
                raise
            except psycopg.OperationalError as error:
                # Both that the pool holds may have died with a database that was started again.
                if not connection.broken or not attempts_left:
                    raise DatabaseAway(str(error)) from error


class GroupCommit:
    """Keeps receipts. A receipt is a dict of the columns that INSERT names."""

    def __init__(self, pool, *, wake=lambda: None):
        self.pool = pool
        self.wake = wake
        self.waiting = []
        self.bytes_waiting = 0
        self.flusher = None

    async def keep(self, receipt):
        """Returns, once it is committed, whether it is new. Raises the errors above."""
        size = len(receipt["body"])
        if len(self.waiting) >= MOST_WAITING or self.bytes_waiting + size > MOST_BYTES_WAITING:
            raise Crowded
        answer = asyncio.get_running_loop().create_future()
        self.waiting.append((receipt, answer))
        self.bytes_waiting += size
        if self.flusher is None:
            self.flusher = asyncio.create_task(self._flush())
        return await answer

    async def _flush(self):
        try:
            while self.waiting:
                await self._commit(self._next_batch())
        finally:
            self.flusher = None

    def _next_batch(self):
        count = size = 0
        for receipt, _ in self.waiting[:BATCH]:
            size += len(receipt["body"])
            if count and size > BATCH_BYTES:
                break
            count += 1
        batch, self.waiting = self.waiting[:count], self.waiting[count:]
        self.bytes_waiting -= sum(len(receipt["body"]) for receipt, _ in batch)
        return batch

    async def _commit(self, batch):
        try:
            new = await self._insert(batch)
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.DeadlockDetected) as error:
            await self._commit_each(batch, error)
        except Exception as error:  # whatever it is, nobody may wait for ever
            self._disappoint(batch, error)
        else:
            for receipt, answer in batch:
                # Popped from the new ones, so that of two in one batch only the first is new.
                is_new = new.pop((receipt["environment_id"], receipt["event_id"]), False)
                if not answer.done():
                    answer.set_result(is_new)

    async def _insert(self, batch):
        rows = orjson.dumps([receipt for receipt, _ in batch]).decode()
        new = {
            (str(environment), event_id): True
            for environment, event_id in await run(self.pool, INSERT, [rows])
        }
        if new:
            self.wake()
        return new

    async def _commit_each(self, batch, error):
        """One bad receipt must not fail its neighbours."""
        if len(batch) > 1:
            for each in batch:
                await self._commit([each])
        elif isinstance(error, psycopg.errors.DeadlockDetected):
            self._disappoint(batch, DatabaseAway(str(error)))
        elif isinstance(error, psycopg.errors.ForeignKeyViolation):
            self._disappoint(batch, EnvironmentGone(batch[0][0]["environment_id"]))
        else:
            self._disappoint(batch, Unkeepable(error.diag.message_primary))

    def _disappoint(self, batch, error):
        if not isinstance(error, (DatabaseAway, Unkeepable, EnvironmentGone)):
            log.error("receipts_not_kept", exc_info=error)
            error = DatabaseAway(repr(error))
        for _, answer in batch:
            if not answer.done():
                answer.set_exception(error)
