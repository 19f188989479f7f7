"""What there is to say of a rule besides what it finds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time

OFF, WARN, HOLD, REFUSE = "off", "warn", "hold", "refuse"
# From the softest to the firmest.
ACTIONS = {OFF: "Off", WARN: "Warn", HOLD: "Hold", REFUSE: "Refuse"}

# Every rule by its name, in the order in which they are shown and asked.
RULES = {}


@dataclass(frozen=True)
class Limit:
    """A figure of a rule that can be changed: a whole number from `least` to `most`, or a time of the day. A callable
    `default` is asked each time."""

    name: str
    label: str
    default: object
    least: int = 1
    most: int = 100_000

    @property
    def is_clock(self):
        return isinstance(self.default, time)

    @property
    def usual(self):
        return self.default() if callable(self.default) else self.default

    def read(self, value):
        """As it is stored in JSON, which may be missing or of an older kind, for the rule."""
        if self.is_clock:
            try:
                return time.fromisoformat(value)
            except (TypeError, ValueError):
                return self.usual
        return value if type(value) is int and self.least <= value <= self.most else self.usual


@dataclass(frozen=True)
class Finding:
    """What a rule has against a message. `until` is from when on it would find nothing, None where no time changes it."""

    reason: str
    until: datetime | None = None
    since: datetime | None = None
    remedy: str = ""
    code: int = 0


@dataclass(frozen=True)
class Rule:
    """`find(outgoing, limits)` returns a Finding or None. `figure` says its limits in short, with their names in braces.
    Of one choice only there is nothing to choose: it is always so. What a released message is held for no more is `is_releasable`."""

    name: str
    title: str
    words: str
    find: Callable
    action: str
    choices: tuple
    limits: tuple[Limit, ...] = ()
    figure: str = ""
    code: int = 1007
    is_releasable: bool = True

    @property
    def is_fixed(self):
        return len(self.choices) == 1

    def limits_in(self, stored):
        stored = stored if isinstance(stored, dict) else {}
        return {limit.name: limit.read(stored.get(limit.name)) for limit in self.limits}

    def said(self, limits):
        shown = {
            name: f"{value:%H:%M}" if isinstance(value, time) else f"{value:,}"
            for name, value in limits.items()
        }
        return self.figure.format(**shown)


def rule(name, title, words, *, action, choices=(OFF, WARN, HOLD, REFUSE), **more):
    """Put the function into the table as the rule `name`."""

    def put(find):
        RULES[name] = Rule(name, title, words, find, action, tuple(choices), **more)
        return find

    return put


def always(name, title, words, *, action, **more):
    return rule(name, title, words, action=action, choices=(action,), is_releasable=False, **more)
