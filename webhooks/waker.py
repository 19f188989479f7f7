"""Wakes the worker for new receipts without ever holding up an answer."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

# Imported here, because Celery would do so at the first call, and hold up every answer meanwhile.
import kombu.transport.redis  # noqa: F401
import structlog

from webhooks import tasks

log = structlog.get_logger()

# Seconds between two calls, however much comes in; between two complaints about an absent broker.
PAUSE, COMPLAINT = 0.025, 60


class Waker:
    """Calls are made one at a time in a thread; whatever comes meanwhile is one more call.

    A call that fails is only logged: the periodic sweep finds the work.
    """

    def __init__(self, call=lambda: tasks.apply_receipts.apply_async(retry=False)):
        self.call = call
        self.executor = ThreadPoolExecutor(1, "waker")
        self.calling = None
        self.is_wanted = False
        self.complained_at = float("-inf")

    def wake(self):
        self.is_wanted = True
        if self.calling is None:
            self.calling = asyncio.create_task(self._call())

    async def _call(self):
        try:
            while self.is_wanted:
                self.is_wanted = False
                await asyncio.get_running_loop().run_in_executor(self.executor, self._call_once)
                await asyncio.sleep(PAUSE)
        finally:
            self.calling = None

    def _call_once(self):
        try:
            self.call()
        except Exception as error:  # a broker has many ways to be away, and none is the sender's trouble
            if time.monotonic() - self.complained_at > COMPLAINT:
                self.complained_at = time.monotonic()
                log.warning("broker_away", task="webhooks.tasks.apply_receipts", error=str(error))

    def close(self):
        self.executor.shutdown(wait=False, cancel_futures=True)
