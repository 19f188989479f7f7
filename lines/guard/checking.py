from dataclasses import replace

from lines.guard.policy import Policy
from lines.guard.table import ACTIONS, HOLD, REFUSE
from lines.guard.verdict import Verdict

FIRMNESS = list(ACTIONS)


def check(outgoing, *, policy=None):
    """The verdict on an Outgoing under a Policy (that of its line): refusals decide before holds, holds before warnings,
    and of several holds the longest. Reads; changes nothing."""
    policy = policy or Policy.of(outgoing.line.environment_id, outgoing.line.pk)
    found = []
    for setting in policy:
        verdict = judged(outgoing, setting)
        if verdict:
            found.append(verdict)
        if verdict and verdict.refused:
            break
    found.sort(key=firmness, reverse=True)
    return replace(found[0], also=tuple(found[1:])) if found else Verdict()


def judged(outgoing, setting):
    """What one rule says of it; None where that is nothing."""
    rule = setting.rule
    if not setting.is_on or (setting.action == HOLD and outgoing.is_released and rule.is_releasable):
        return None
    finding = rule.find(outgoing, setting.limits)
    return finding and Verdict(
        setting.action,
        finding.code or rule.code,
        rule.name,
        finding.reason,
        until=finding.until if setting.action in (HOLD, REFUSE) else None,
        since=finding.since,
        remedy=finding.remedy,
    )


def firmness(verdict):
    is_open_ended = verdict.held and verdict.until is None
    until = verdict.until.timestamp() if verdict.until and verdict.action != REFUSE else 0
    return FIRMNESS.index(verdict.action), is_open_ended, until
