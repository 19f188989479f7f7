"""What nobody can turn off."""

from lines.guard.table import HOLD, REFUSE, Finding, always
from lines.models import BlockedHandle, Environment, Line, OptOut


@always(
    "line_paused",
    "Line paused",
    "Nothing leaves until somebody resumes it.",
    action=REFUSE,
    code=2027,
)
def line_paused(outgoing, limits):
    line = outgoing.line
    if line.status == Line.Status.PAUSED:
        why = f": {line.status_reason}" if line.status_reason else ""
        return Finding(f"{line} is paused{why}", remedy="An admin can resume the line.")


@always(
    "blocked",
    "Blocked",
    "Whom we blocked gets nothing from any line.",
    action=REFUSE,
    code=2026,
)
def blocked(outgoing, limits):
    if outgoing.is_group:
        return None
    block = BlockedHandle.objects.filter(
        environment_id=outgoing.line.environment_id, handle__in=outgoing.handles
    ).first()
    if block:
        return Finding(
            f"{block.handle} is on your block list",
            since=block.blocked_at,
            remedy="An admin can take the number off the block list.",
        )


@always(
    "opted_out",
    "Opted out",
    "Who texted STOP gets nothing from any line.",
    action=REFUSE,
    code=2024,
)
def opted_out(outgoing, limits):
    if outgoing.is_group or outgoing.overrides_opt_out:
        return None
    opt_outs = OptOut.objects.active().filter(environment=outgoing.line.environment_id)
    opt_out = opt_outs.filter(handle__in=outgoing.handles).first()
    if opt_out:
        how = "START" if opt_out.environment.opt_out_lift == Environment.Lift.KEYWORD else "again"
        return Finding(
            f"{opt_out.handle} opted out with {opt_out.keyword or 'a request'}",
            since=opt_out.since,
            remedy=f"They lift it themselves by writing {how}.",
        )


@always(
    "line_flagged",
    "Line flagged",
    "What is written waits until the line is active again; conversations may move to another.",
    action=HOLD,
    code=2027,
)
def line_flagged(outgoing, limits):
    line = outgoing.line
    if line.status == Line.Status.FLAGGED:
        why = f": {line.status_reason}" if line.status_reason else ""
        return Finding(
            f"{line} is flagged by the carrier{why}",
            remedy="It leaves by itself as soon as the line is active again.",
        )
