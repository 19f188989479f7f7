"""What may be done only so often, by whichever process: counted in the cache."""

import math
import time

from django.core.cache import cache


def spend(name, *, within, times=1):
    """Do it once more, if it was done fewer than `times` times `within` these seconds; returns after how many seconds
    it can be done, 0 where that is now."""
    until, ends = time.time() + within, []
    for place in range(times):
        key = f"limit-{name}-{place}"
        # Of two at once only one gets a place.
        if cache.add(key, until, within):
            return 0
        ends.append(cache.get(key, until))
    return max(1, math.ceil(min(ends) - time.time()))
