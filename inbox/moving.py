"""Whom to move from a line that cannot send, to which other, and why."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from inbox.balancing import healthiest
from inbox.models import Chat, Message
from lines.models import BlockedHandle, Line

# Conversations in which nothing was said for so many days need no other line.
DAYS = 7
SHOWN = 50


@dataclass
class Move:
    """A conversation that could go on from `line`; None where it cannot be moved. `why` says what speaks for moving it
    or against it, `is_known` that they know the line, `waiting` how many messages wait in it to leave."""

    chat: Chat
    line: Line | None
    why: str
    waiting: int = 0
    is_known: bool = False
    is_advised: bool = False


def targets_for(user, line):
    """The lines from which this person could go on: where they may answer and that send now."""
    lines = Line.objects.answerable_by(user).filter(environment=line.environment_id, status__in=Line.WORKING)
    return list(lines.exclude(pk=line.pk).order_by("name", "phone_number"))


def moves_from(line, targets):
    """(Moves of the open conversations of the last days, those first that somebody waits in; how many more there are),
    in a constant number of queries."""
    since = timezone.now() - timedelta(days=DAYS)
    chats = Chat.objects.open().filter(
        Q(last_activity_at__gte=since) | Q(waiting_since__isnull=False), line=line
    )
    count = chats.count()
    chats = list(chats.newest_first().for_rows()[:SHOWN])
    held = dict(Message.waiting_to_leave().filter(chat__in=chats).values_list("chat").annotate(n=Count("pk")))
    keys = [chat.participants_key for chat in chats if not chat.is_group]
    known = known_lines(targets, keys)
    blocked = BlockedHandle.objects.filter(environment=line.environment_id, handle__in=keys)
    blocked = set(blocked.values_list("handle", flat=True))
    best = healthiest(line.environment, targets) if targets else None
    moves = [move_of(chat, known, blocked, best, held.get(chat.pk, 0)) for chat in chats]
    moves.sort(key=lambda move: not move.is_advised)
    return moves, count - len(chats)


def known_lines(targets, keys):
    """{somebody's number: the line that they talked with last}"""
    lines = {line.pk: line for line in targets}
    chats = Chat.objects.filter(line__in=targets, participants_key__in=keys, is_group=False)
    pairs = chats.order_by("last_activity_at").values_list("participants_key", "line")
    return {key: lines[pk] for key, pk in pairs}


def move_of(chat, known, blocked, best, waiting):
    if chat.is_group:
        return Move(chat, None, "A group keeps its line; start a new one", waiting)
    if chat.has_opted_out or chat.participants_key in blocked:
        return Move(chat, None, "Opted out" if chat.has_opted_out else "On the block list", waiting)
    is_known = chat.participants_key in known
    line = known.get(chat.participants_key) or best
    if line is None:
        return Move(chat, None, "No other line of yours can send now", waiting)
    if chat.waiting_since or waiting:
        why = "Waits for us" if chat.waiting_since else "Something waits to leave"
        return Move(chat, line, why, waiting, is_known, is_advised=True)
    return Move(chat, line, f"Has talked with {line} too" if is_known else "Answered, no hurry", 0, is_known)
