"""How a line stands, in the words of its pages."""

from dataclasses import dataclass

from lines import health
from lines.models import Line

REPUTATIONS = {"HEALTHY": "good", "AT_RISK": "falling", "CRITICAL": "critical"}


@dataclass(frozen=True)
class Standing:
    """`name` is what lists are filtered by; `state` colours it (good, warning, danger, or none)."""

    name: str
    word: str
    state: str
    icon: str
    sentence: str = ""


def standing_of(line, day):
    """`day` is today on the clock of the line's environment."""
    if line.status == Line.Status.PAUSED:
        return Standing("paused", "Paused", "", "circle-pause", line.status_reason)
    if line.status == Line.Status.FLAGGED:
        return Standing("flagged", "Flagged", "danger", "flag", line.status_reason)
    if line.status == Line.Status.WARMING:
        number = line.ramp_day(day)
        of = f", day {number} of {len(line.ramp)}" if number else ""
        return Standing("warming", f"Warming{of}", "", "gauge")
    level = worse(health.level_of(line.risk), line.reputation)
    if level == health.HIGH:
        return Standing("high", "At risk", "danger", "circle-alert")
    if level == health.RAISED:
        return Standing("watch", "Watch", "warning", "triangle-alert")
    return Standing("healthy", "Healthy", "good", "circle-check")


def worse(level, reputation):
    """Of our own measure and the carrier's the one that is more worried."""
    if reputation == "CRITICAL":
        return health.HIGH
    return health.RAISED if reputation == "AT_RISK" and level == health.LOW else level


def reputation_of(line):
    return f"Reputation {REPUTATIONS.get(line.reputation, line.reputation.lower().replace('_', ' '))}"
