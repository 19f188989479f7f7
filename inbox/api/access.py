"""What a key opens of the inbox, and pages of lists."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects

from inbox.models import Chat, Message, Part, Reaction
from partyline.problems import Problem

# Columns of a message that only its way out needs, or that are for people.
UNTOLD = (
    "tries",
    "next_try_at",
    "retry_of",
    "fingerprint",
    "selection",
    "digest",
    "consent",
    "trace_id",
    "deleted_by",
    "error",
)
BUBBLES = ("parts__attachment", "reactions__handle", "reactions__sticker")


def chats_of(token):
    """The one door of programs: the chats of the lines that the key opens."""
    chats = Chat.objects.filter(environment=token.environment_id)
    return chats.filter(line=token.line_id) if token.line_id else chats


def line_of(request, number):
    line = request.token.lines.select_related("environment").filter(phone_number=number).first()
    if line is None:
        raise Problem(2019, f"{number} is no number of yours.")
    return line


def with_people(chats):
    """With what the shape of a chat needs, in a constant number of queries."""
    return chats.select_related("line", "icon").prefetch_related("participants__handle")


def chat_of(request, chat_id):
    return found(request, with_people(chats_of(request.token)), chat_id)


def bare_chat_of(request, chat_id):
    """Without its people, where only its messages are wanted."""
    return found(request, chats_of(request.token).select_related("line"), chat_id)


def found(request, chats, chat_id):
    chat = chats.filter(pk=chat_id).first()
    if chat is None:
        raise Problem(2001, "There is no such chat.")
    chat.environment = request.environment
    return chat


def messages_of(token):
    """Without what was deleted from our records."""
    messages = Message.objects.filter(environment=token.environment_id, deleted_at=None)
    return messages.filter(chat__line=token.line_id) if token.line_id else messages


def with_parts(messages):
    """With what the shape of a message needs, in a constant number of queries."""
    return messages.select_related("chat__line", "sender").prefetch_related(*BUBBLES)


def load_bubbles(messages):
    """What with_parts gets, for many: who and what is named often is read once, and what is not there not at all."""
    by_id = {message.pk: message for message in messages}
    for message in messages:
        message.known_parts, message.known_reactions = [], []
    parts = list(Part.objects.filter(message__in=by_id).order_by("index"))
    for part in parts:
        by_id[part.message_id].known_parts.append(part)
    reactions = list(Reaction.objects.filter(message__in=by_id))
    for reaction in reactions:
        by_id[reaction.message_id].known_reactions.append(reaction)
    prefetch_related_objects(messages, "sender")
    prefetch_related_objects(parts, "attachment")
    prefetch_related_objects(reactions, "handle", "sticker")


def message_of(request, message_id):
    found = with_parts(messages_of(request.token)).select_related("chat__environment", "environment")
    message = found.filter(pk=message_id).first()
    if message is None:
        raise Problem(2002, "There is no such message.")
    return message


def newest_chats(chats, limit, after):
    """A page of chats, the one in which something happened last first, behind the place `after`: (chats, cursor)."""
    if after:
        chats = chats.older_than(*after)
    # An index has each status by itself.
    newest = [
        pk
        for status in Chat.Status.values
        for pk in chats.filter(status=status).newest_first().values_list("pk", flat=True)[: limit + 1]
    ]
    rows = with_people(Chat.objects.filter(pk__in=newest)).newest_first()
    return page(rows, limit, lambda chat: (chat.last_activity_at, chat.pk))


def page(rows, limit, place):
    """(at most `limit` of the rows, the cursor behind them or None); `place` names a row's place: (time, id)."""
    rows = list(rows[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, cursor_of(*place(rows[-1])) if more else None


def cursor_of(at, pk):
    return base64.urlsafe_b64encode(f"{at.isoformat()} {pk}".encode()).decode().rstrip("=")


def place_in(cursor):
    """(time, id) of a cursor that we gave out; a Problem where it is none."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        at, _, pk = text.partition(" ")
        at = datetime.fromisoformat(at)
        if at.tzinfo is None:
            raise ValueError("A time of nowhere")
        return at, UUID(pk)
    except (ValueError, binascii.Error) as error:
        raise Problem(1005, "cursor: that is no cursor of this list.") from error
