"""When a delivery is tried again, and when not. Pure functions."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class Schedule:
    """Seconds: until an attempt counts as failed, and after the end of each attempt until the next begins."""

    timeout: float
    waits: tuple

    @property
    def tries(self):
        return len(self.waits) + 1


SCHEDULES = {
    "faq": Schedule(timeout=10, waits=(2, 4, 8, 16, 30)),
    # With ten timeouts it ends after 27 minutes.
    "extended": Schedule(timeout=10, waits=(3, 6, 12, 24, 48, 96, 192, 384, 768)),
}
# Seconds; nobody is waited for longer, whatever they ask for.
LONGEST_WAIT = 30 * 60
TOO_MANY = 429


@dataclass
class Outcome:
    """What came of one attempt: an answer with `status`, or none and an `error` (one of Attempt.Error), `detail` in words."""

    status: int | None = None
    headers: tuple = ()
    body: str = ""
    error: str = ""
    detail: str = ""

    @property
    def is_success(self):
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_worth_another(self):
        """No answer, 5xx, 429; every other answer is the last word."""
        return self.status is None or self.status >= 500 or self.status == TOO_MANY

    def header(self, name):
        """The first value of a header, "" where there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def wait_after(outcome, tries, schedule, *, now):
    """Seconds until the next attempt after the `tries`-th has ended so; None where that was the last."""
    if not outcome.is_worth_another or tries >= schedule.tries:
        return None
    wait = schedule.waits[tries - 1]
    if outcome.status == TOO_MANY:
        wait = max(wait, asked_for(outcome.header("retry-after"), now))
    return wait


def asked_for(retry_after, now):
    """Seconds that a Retry-After asks for, as a number or as a date; 0 where it says neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(int(retry_after[:9]), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    seconds = (at - datetime.fromtimestamp(now, UTC)).total_seconds()
    return min(max(seconds, 0), LONGEST_WAIT)
