"""What is held is looked at again as soon as what holds it has changed."""

from inbox.models.message import Message

CHANGES = {
    "inbox.guard_changed",
    "inbox.line_resumed",
    "inbox.line_unflagged",
    "inbox.line_warms",
    "inbox.line_ramp_changed",
    "inbox.line_warmed",
}


def follow_guard(sender, event, **signal):
    """In the transaction that changes a rule, a plan or a line."""
    changes_limit = event.type == "inbox.line_changed" and "daily_limit" in event.data
    if event.type not in CHANGES and not changes_limit:
        return
    lines = {"line": event.line_id} if event.line_id else {"line__environment": event.environment_id}
    Message.look_again(**lines)
