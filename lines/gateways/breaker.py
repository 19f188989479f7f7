"""What keeps one account's trouble from everybody else: few calls at a time, and none while it rests."""

import threading
import time
from contextlib import contextmanager
from functools import lru_cache

from lines.gateways.base import TemporaryFailure

# Calls of one account at a time: a worker has eight threads, and a host that hangs shall not have them all.
PLACES = 4
# Seconds that somebody waits for a place; not at all where a call that has one has been going on for so long.
WAITS_FOR_A_PLACE, IS_SLUGGISH = 0.3, 0.6
# Outages in a row after which the account rests, and the longest rest in seconds. Then one call tries.
RESTS_AFTER, LONGEST_REST = 3, 30


class Breaker:
    """Of one account, in this process; whatever it has forgotten after a restart it learns again by three calls."""

    def __init__(self, clock=time.monotonic):
        self.clock = clock
        self.lock = threading.Condition()
        self.under_way = []
        self.outages = 0
        self.rests_until = 0.0
        self.lines = {}

    @property
    def is_open(self):
        """It has failed so often that it is only tried now and then."""
        return self.outages >= RESTS_AFTER

    @contextmanager
    def passing(self):
        """A place for one call; TemporaryFailure where there is none now. An outage inside of it counts, whatever else is
        an answer."""
        began = self.enter()
        try:
            yield
        except TemporaryFailure as failure:
            self.count(failure.is_outage)
            raise
        except BaseException:
            self.count(False)
            raise
        else:
            self.count(False)
        finally:
            with self.lock:
                self.under_way.remove(began)
                self.lock.notify()

    def enter(self):
        with self.lock:
            deadline = self.clock() + WAITS_FOR_A_PLACE
            while True:
                now = self.clock()
                if now < self.rests_until:
                    raise resting(self.rests_until - now)
                if self.is_open and self.under_way:
                    raise resting(1)
                if len(self.under_way) < PLACES:
                    self.under_way.append(now)
                    return now
                if now - self.under_way[0] > IS_SLUGGISH or now >= deadline:
                    raise TemporaryFailure(
                        "The carrier takes long to answer", code=3005, retry_after=1, waits_out=True
                    )
                self.lock.wait(deadline - now)

    def count(self, is_outage):
        with self.lock:
            self.outages = self.outages + 1 if is_outage else 0
            rest = min(LONGEST_REST, 2 ** (self.outages - RESTS_AFTER + 1)) if self.is_open else 0
            self.rests_until = self.clock() + rest if rest else 0.0

    def rest_line(self, number, seconds):
        """The carrier wants no more from this number for so long."""
        with self.lock:
            self.lines[number] = self.clock() + seconds

    def check_line(self, number):
        """TemporaryFailure where the number rests."""
        left = self.lines.get(number, 0.0) - self.clock()
        if left > 0:
            raise TemporaryFailure(
                f"The carrier wants no more from {number} now", code=1007, retry_after=left, waits_out=True
            )


def resting(seconds):
    return TemporaryFailure(
        "The carrier does not answer; it is asked again soon", code=3005, retry_after=seconds, waits_out=True
    )


@lru_cache(maxsize=1024)
def breaker_of(account, base_url, key):
    """The one of an account in this process; another key or address begins anew."""
    return Breaker()
