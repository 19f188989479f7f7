"""One way out: every outgoing message passes here when it is queued, and again right before the wire."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from lines.models import BlockedHandle, Environment, Line, OptOut

PAIR_WINDOW = timedelta(seconds=60)


@dataclass(frozen=True)
class Verdict:
    """What the guard says of a message: `allow`, `warn`, `hold` (until a time) or `refuse`, in words.

    `code` is the V3 error code that a program gets for it (0 when allowed).
    """

    action: str = "allow"
    code: int = 0
    rule: str = ""
    reason: str = ""
    until: datetime | None = None
    since: datetime | None = None
    remedy: str = ""

    @property
    def refused(self):
        return self.action == "refuse"

    @property
    def held(self):
        return self.action == "hold"

    def as_json(self):
        times = {
            name: value and value.isoformat()
            for name, value in (("until", self.until), ("since", self.since))
        }
        return asdict(self) | times


@dataclass(frozen=True)
class Outgoing:
    """What the guard needs to know of a message; `lately` are the times at which the last messages to the
    same person left this line, newest first, at least PAIR_LIMIT of them."""

    line: Line
    handles: list[str]
    is_group: bool = False
    lately: list[datetime] = field(default_factory=list)
    overrides_opt_out: bool = False


def check(outgoing, *, now=None):
    """The first rule that does not allow it decides, refusals before holds. Reads; changes nothing."""
    now = now or timezone.now()
    for rule in (line_is_paused, is_blocked, has_opted_out, is_too_fast):
        if verdict := rule(outgoing, now):
            return verdict
    return Verdict()


def line_is_paused(outgoing, now):
    line = outgoing.line
    if line.status == Line.Status.PAUSED:
        why = f": {line.status_reason}" if line.status_reason else ""
        return Verdict(
            "refuse", 2027, "line_paused", f"{line} is paused{why}", remedy="An admin can resume the line."
        )


def is_blocked(outgoing, now):
    if outgoing.is_group:
        return None
    block = BlockedHandle.objects.filter(
        environment_id=outgoing.line.environment_id, handle__in=outgoing.handles
    ).first()
    if block:
        return Verdict(
            "refuse",
            2026,
            "blocked",
            f"{block.handle} is on your block list",
            since=block.blocked_at,
            remedy="An admin can take the number off the block list.",
        )


def has_opted_out(outgoing, now):
    if outgoing.is_group or outgoing.overrides_opt_out:
        return None
    opt_outs = OptOut.objects.active().filter(environment=outgoing.line.environment_id)
    opt_out = opt_outs.filter(handle__in=outgoing.handles).first()
    if opt_out:
        how = "START" if opt_out.environment.opt_out_lift == Environment.Lift.KEYWORD else "again"
        return Verdict(
            "refuse",
            2024,
            "opted_out",
            f"{opt_out.handle} opted out with {opt_out.keyword or 'a request'}",
            since=opt_out.since,
            remedy=f"They lift it themselves by writing {how}.",
        )


def is_too_fast(outgoing, now):
    limit = settings.PAIR_LIMIT
    recent = [at for at in outgoing.lately if at > now - PAIR_WINDOW]
    if limit and len(recent) >= limit:
        until = sorted(recent)[-limit] + PAIR_WINDOW
        return Verdict(
            "hold",
            1007,
            "pair_rate",
            f"{limit} messages to one person within a minute is the limit",
            until=until,
        )
