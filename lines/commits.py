"""PostgreSQL calls at each commit of events (see lines.models.Event)."""

import asyncio
import uuid

import psycopg
import structlog
from django.db import connections

log = structlog.get_logger()

# Seconds until it is tried again where PostgreSQL was away.
SHORTEST_RETRY, LONGEST_RETRY = 0.5, 10


async def commits():
    """Yields None whenever it begins to listen, for what came before, and then the id of each environment in which
    something was committed. Never ends; while PostgreSQL is away it tries again."""
    wait = SHORTEST_RETRY
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(**address(), autocommit=True) as connection:
                await connection.execute("LISTEN partyline_events")
                yield None
                wait = SHORTEST_RETRY
                async for notice in connection.notifies():
                    yield uuid.UUID(notice.payload)
        except psycopg.Error as error:
            log.warning("commits_unheard", error=str(error))
        await asyncio.sleep(wait)
        wait = min(2 * wait, LONGEST_RETRY)


def address():
    """Django's parameters for a connection of our own."""
    parameters = connections["default"].get_connection_params()
    return {name: value for name, value in parameters.items() if name not in ("cursor_factory", "context")}
