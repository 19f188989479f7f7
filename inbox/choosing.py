"""From which line something goes where a program leaves the choice to us (contract §6.1 and §6.3)."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from inbox.balancing import healthiest, known_to
from inbox.models import Chat, Refused
from lines.models import Line


class NoLine(Refused):
    """None of the lines can send."""


@dataclass(frozen=True)
class Choice:
    """A line, and why: `reused_active_chat`, `new_best_number` or `failover_flagged`. `chat` is the conversation that
    goes on, or after a failover the one that is left behind; None where there was none."""

    line: Line
    reason: str
    chat: Chat | None = None

    @property
    def reuses(self):
        return self.reason == "reused_active_chat"

    def __iter__(self):
        return iter((self.line, self.reason, self.chat))


@transaction.atomic
def choose_line(lines, to, *, exclude=(), type="", leaves_excluded=False):
    """The Choice among `lines` (a queryset) for a message to exactly these handles, which may be none.

    The conversation that is there goes on where its line can send; of several the one that was active last. Else it
    is the line that most of them know, else the healthiest with room (inbox.balancing), and choosing is using. `exclude` are
    numbers of lines not to begin anything new from; with `leaves_excluded` no conversation goes on there either.
    `type` (iMessage or RCS) leaves only lines of that kind. Raises Refused 1005 where every line was excluded, and
    NoLine where none can send.
    """
    lines = lines.filter(line_type__iexact=type) if type else lines
    # Each choice sees the one before it. The order is that of everybody who locks several lines.
    lines = list(lines.select_for_update(of=("self",), no_key=True).order_by("pk"))
    working = [line for line in lines if line.status in Line.WORKING]
    allowed = [line for line in working if line.phone_number not in exclude]
    there = chats_by_line(lines, to)
    going_on = [there[line.pk] for line in allowed if line.pk in there]
    if not going_on and not leaves_excluded:
        going_on = [there[line.pk] for line in working if line.pk in there]
    if going_on:
        chat = max(going_on, key=activity)
        return Choice(chat.line, "reused_active_chat", chat)
    if not working:
        kind = f"{type} line" if type else "line"
        raise NoLine(2015, f"There is no {kind} that can send now.")
    if not allowed:
        raise Refused(1005, "exclude_from: every line that can send now is excluded.")
    line = known_to(allowed, to) or healthiest(allowed[0].environment, allowed)
    Line.objects.filter(pk=line.pk).update(suggested_at=timezone.now())
    left = max((chat for pk, chat in there.items() if is_stranded(pk, working)), key=activity, default=None)
    return Choice(line, "failover_flagged" if left else "new_best_number", left)


def chats_by_line(lines, to):
    """{line's id: the conversation with exactly these people}"""
    known = {line.pk: line for line in lines}
    there = Chat.with_people(lines, to) if to else {}
    for chat in there.values():
        chat.line = known[chat.line_id]
    return there


def activity(chat):
    return chat.last_activity_at, chat.pk


def is_stranded(pk, working):
    return all(line.pk != pk for line in working)
