"""Who may send us webhooks: the environments and their signing secrets, as the database had them lately."""

import asyncio
import time
from dataclasses import dataclass

import structlog
from cryptography.fernet import InvalidToken

from partyline.fields import cipher
from webhooks.group_commit import run

log = structlog.get_logger()

# Seconds: how long a change of a secret, and how long a new environment, may go unnoticed.
KNOWN_FOR, UNKNOWN_FOR = 5, 1
# Far more than one installation has.
MOST = 10_000
SELECT = f"""
SELECT slug, id, signing_secret, account.older_secret
FROM lines_environment LEFT JOIN lines_account account ON account.environment_id = id AND account.older_until > now()
LIMIT {MOST}
"""


@dataclass(frozen=True)
class Sender:
    environment_id: str
    # Empty where it cannot be read: then nothing of this environment can be judged.
    secrets: tuple


class Senders:
    def __init__(self, pool, *, clock=time.monotonic):
        self.pool = pool
        self.clock = clock
        self.by_slug = {}
        self.read_at = float("-inf")
        self.reading = None

    async def find(self, slug):
        """The sender behind the slug, or None; raises DatabaseAway."""
        age = self.clock() - self.read_at
        if age > (KNOWN_FOR if slug in self.by_slug else UNKNOWN_FOR):
            # One read serves all who wait for it, and goes on when one of them leaves.
            if self.reading is None or self.reading.done():
                self.reading = asyncio.create_task(self._read())
            await asyncio.shield(self.reading)
        return self.by_slug.get(slug)

    async def _read(self):
        rows = await run(self.pool, SELECT)
        self.by_slug = {slug: Sender(str(pk), secrets_in(slug, *secrets)) for slug, pk, *secrets in rows}
        self.read_at = self.clock()


def secrets_in(slug, *encrypted):
    """Of those that there are, the newest first."""
    try:
        return tuple(cipher().decrypt(secret.encode()).decode() for secret in encrypted if secret)
    except InvalidToken:
        log.error("signing_secret_unreadable", environment=slug)
        return ()
