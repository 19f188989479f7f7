"""How near a line is to being flagged: what the carrier's advice names as risk, each with its figure and its weight.

Nothing here reads the database: Figures say what was, `risk_of` what it means.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

LOW, RAISED, HIGH = "Low", "Raised", "High"
# From these scores on, of 100.
RAISED_FROM, HIGH_FROM = 40, 70
# What the carrier's own word is worth, whatever we find.
CARRIER = {"AT_RISK": RAISED_FROM + 5, "CRITICAL": HIGH_FROM + 5}
FLAGGED = 100
# Fewer than so many say nothing about a share.
ENOUGH = 5


@dataclass(frozen=True)
class Figures:
    """What was counted of a line. Within seven days, where nothing else is said."""

    # Conversations, and of these those that we began, and of those the ones in which they answered.
    conversations: int = 0
    begun: int = 0
    answered: int = 0
    sent: int = 0
    received: int = 0
    # Messages in and out on the fuller one of today and yesterday; what is recommended for a day.
    day: int = 0
    limit: int = 3000
    # Ours in the fullest hour of the last 24, and how many that hour of the day usually has (None: not known yet).
    hour: int = 0
    usual: float | None = None
    # People to whom three or more messages in a row went that they did not answer.
    chased: int = 0
    # Opt-outs of 30 days, the people who wrote or were written to in them, and messages that went out after a STOP.
    opt_outs: int = 0
    people: int = 0
    after_stop: int = 0
    # To how many people the same words went within one hour, at most.
    same_words: int = 0
    # First messages with a link in them.
    links: int = 0
    # iMessages of ours of the last 24 hours, and of these those that failed.
    imessages: int = 0
    failed: int = 0
    # Its share of what all working lines sent, and how many these are.
    share: float = 0.0
    lines: int = 1
    reputation: str = "HEALTHY"
    is_flagged: bool = False

    def as_json(self):
        return asdict(self)

    @classmethod
    def read(cls, stored):
        """As it was stored, be it by an older version."""
        return cls(**{name: value for name, value in stored.items() if name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Reason:
    """One thing that is looked at: `points` of `weight` count towards the score."""

    name: str
    title: str
    figure: str
    weight: int
    points: int
    remedy: str

    @property
    def state(self):
        return "warning" if self.points * 4 >= self.weight else "good"


@dataclass(frozen=True)
class Risk:
    """`score` of 100, with the reasons, the heaviest first."""

    score: int
    reasons: tuple

    @property
    def level(self):
        return level_of(self.score)

    @property
    def worst(self):
        return [reason for reason in self.reasons if reason.state == "warning"]


def level_of(score):
    return HIGH if score >= HIGH_FROM else RAISED if score >= RAISED_FROM else LOW


@dataclass(frozen=True)
class Factor:
    """`find` says how bad it is, 0 (as it should be) to 1, and what figure to show."""

    name: str
    title: str
    weight: int
    remedy: str
    find: Callable

    def reason(self, figures):
        badness, figure = self.find(figures)
        points = round(self.weight * min(1.0, max(0.0, badness)))
        return Reason(self.name, self.title, figure, self.weight, points, self.remedy)


FACTORS = []


def factor(name, title, weight, remedy):
    def keep(find):
        FACTORS.append(Factor(name, title, weight, remedy, find))
        return find

    return keep


def between(value, fine, bad):
    """0 where `value` is `fine` or better, 1 where it is `bad` or worse, and what lies between."""
    return min(1.0, max(0.0, (value - fine) / (bad - fine)))


def percent(part, whole):
    return f"{round(100 * part / whole)} %" if whole else "–"


@factor(
    "replies",
    "Answers to conversations that we begin, of 15 % that are healthy",
    16,
    "Write first to fewer people, and to those who expect it.",
)
def replies(figures):
    share = percent(figures.answered, figures.begun)
    if figures.begun < ENOUGH:
        return 0, share
    return between(figures.answered / figures.begun, 0.15, 0.03), share


@factor(
    "inbound_first",
    "Conversations that customers began",
    12,
    "Let people write first: put the number where they look for it.",
)
def inbound_first(figures):
    first = figures.conversations - figures.begun
    share = percent(first, figures.conversations)
    if figures.conversations < ENOUGH:
        return 0, share
    return between(first / figures.conversations, 0.6, 0.1), share


@factor(
    "ratio",
    "Messages sent for each one received",
    12,
    "Answer those who wrote, and let the others be for a while: it falls by itself within days.",
)
def ratio(figures):
    if figures.sent < 4 * ENOUGH:
        return 0, f"{figures.sent} : {figures.received}"
    each = figures.sent / max(1, figures.received)
    return between(each, 1.6, 4), f"{each:.1f} : 1" if figures.received else f"{figures.sent} : 0"


@factor(
    "volume",
    "Messages on the fuller one of the last two days, of what is recommended",
    12,
    "Move new conversations to a line with room.",
)
def volume(figures):
    return between(figures.day / max(1, figures.limit), 0.85, 1.2), f"{figures.day:,} of {figures.limit:,}"


@factor(
    "spikes",
    "The fullest hour of the last day, against what is usual then",
    12,
    "Spread what is sent over the day, or over several lines.",
)
def spikes(figures):
    if figures.usual is None:
        return 0, f"{figures.hour:,} an hour"
    times = figures.hour / max(1.0, figures.usual)
    badness = between(times, 2, 6) if figures.hour >= 60 else 0
    return badness, f"{figures.hour:,}, usually {figures.usual:,.0f}"


@factor(
    "follow_ups",
    "People with three unanswered messages in a row",
    10,
    "Stop after the second message, and wait for their answer.",
)
def follow_ups(figures):
    return between(figures.chased, 1, max(10, 0.1 * figures.people)), f"{figures.chased:,}"


@factor(
    "opt_outs",
    "Opt-outs in 30 days",
    10,
    "Say who writes and why, and write only to those who asked for it.",
)
def opt_outs(figures):
    if figures.opt_outs < 3:
        return 0, f"{figures.opt_outs:,}"
    return between(figures.opt_outs / max(1, figures.people), 0.01, 0.05), f"{figures.opt_outs:,}"


@factor(
    "after_stop",
    "Messages to people after they texted STOP",
    20,
    "Stop the programs that set the opt-out aside.",
)
def after_stop(figures):
    return between(figures.after_stop, 0, 3), f"{figures.after_stop:,}" if figures.after_stop else "never"


@factor(
    "same_words",
    "People who got the same words within an hour",
    12,
    "Write in your own words, or to fewer people at a time.",
)
def same_words(figures):
    return between(
        figures.same_words, 5, 40
    ), f"{figures.same_words:,}" if figures.same_words > 1 else "never"


@factor(
    "links",
    "First messages with a link",
    6,
    "Send the link once they have answered.",
)
def links(figures):
    if not figures.links:
        return 0, "never"
    return between(figures.links / max(ENOUGH, figures.begun), 0, 0.5), f"{figures.links:,}"


@factor(
    "failures",
    "iMessages of the last day that failed",
    14,
    "Look at who does not get them; pause what is sent to old numbers.",
)
def failures(figures):
    share = percent(figures.failed, figures.imessages)
    if figures.failed < 3:
        return 0, share
    return between(figures.failed / max(ENOUGH, figures.imessages), 0.03, 0.25), share


@factor(
    "balance",
    "Its share of what all lines send",
    6,
    "Let other lines begin conversations for a while.",
)
def balance(figures):
    share = f"{round(100 * figures.share)} %"
    if figures.lines < 2 or figures.sent < 100:
        return 0, share
    return between(figures.share * figures.lines, 2, 4), share


def risk_of(figures):
    """What the figures come to. The carrier's own word weighs more than ours."""
    reasons = [factor.reason(figures) for factor in FACTORS]
    score = min(100, sum(reason.points for reason in reasons))
    if figures.is_flagged:
        score = FLAGGED
    elif figures.reputation in CARRIER:
        score = max(score, CARRIER[figures.reputation])
    reasons.sort(key=lambda reason: (-reason.points, FACTORS_IN_ORDER[reason.name]))
    return Risk(score, tuple(reasons))


FACTORS_IN_ORDER = {factor.name: place for place, factor in enumerate(FACTORS)}
