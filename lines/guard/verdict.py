from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

# What is held until something changes is looked at again so often, in case nobody was woken by the change.
LOOK_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Verdict:
    """What the guard says of a message: `allow`, `warn`, `hold` (until a time, or None: until something changes) or
    `refuse`, in words that go on after “because”.

    `code` is the V3 error code that a program gets for it (0 when allowed). `also` are verdicts of other rules that
    found something, the firmest first.
    """

    action: str = "allow"
    code: int = 0
    rule: str = ""
    reason: str = ""
    until: datetime | None = None
    since: datetime | None = None
    remedy: str = ""
    also: tuple = ()

    @property
    def allowed(self):
        return self.action in ("allow", "warn")

    @property
    def refused(self):
        return self.action == "refuse"

    @property
    def held(self):
        return self.action == "hold"

    @property
    def sentence(self):
        return f"{self.reason[:1].upper()}{self.reason[1:]}."

    @property
    def all(self):
        """Each verdict by itself, the one that decides first; none where it is allowed."""
        return [] if self.action == "allow" else [self, *self.also]

    @property
    def refused_to_programs(self):
        """What a program gets for an answer instead of having its message wait (contract §3): a refusal, or that it
        comes too fast for one person. None where there is no such thing."""
        if self.refused:
            return self
        return next((one for one in self.all if one.held and one.rule == "pair_rate"), None)

    def try_at(self, now):
        """When to look at it again: at once, unless it is held."""
        return (self.until or now + LOOK_AGAIN) if self.held else now

    def as_json(self):
        times = {
            name: value and value.isoformat()
            for name, value in (("until", self.until), ("since", self.since))
        }
        return asdict(self) | times | {"also": [other.as_json() for other in self.also]}
