"""What watchers are told: events of the log, each drawn once for everybody. Reads the database: call it in threads."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q, prefetch_related_objects
from django.template.loader import render_to_string
from django.utils import timezone

from inbox.models import Chat, ChatRead, Message, Note, ScheduledSend
from inbox.models.message import FOR_BUBBLES
from lines.models import Event, EventCounter, Line, Membership, User
from lines.models.event import ACCESS_CHANGED

# Events. Whoever has missed more than this fetches the page again.
REPLAY = 200
# What may have happened between drawing a conversation and its page saying that it watches it.
JUST_NOW = timedelta(seconds=10)
# An event is a line of the thread where there is a sentence for its type.
SENTENCES = Path(settings.BASE_DIR) / "templates" / "chats" / "lines"
THREAD_LINES = frozenset(path.stem for path in SENTENCES.glob("[!_]*.html"))
CHAT_READ = "inbox.chat_read"
TYPING = frozenset(
    ["chat.typing_indicator.started", "chat.typing_indicator.stopped", "message.received", "poll.received"]
)


@dataclass(slots=True)
class Push:
    """One event, or several folded into the newest, as it is told; and to whom."""

    sequence: int
    chat_id: object
    line_id: object
    only_for: object
    unread: dict
    brief: str
    full: str
    texts: dict = field(default_factory=dict)

    def is_for(self, watcher):
        sees = watcher.lines is None or self.line_id in watcher.lines
        is_theirs = self.only_for in (None, watcher.user_id, watcher.reader_id)
        return sees and (is_theirs or self.is_watched_by(watcher))

    def is_watched_by(self, watcher):
        return watcher.chat_id is not None and watcher.chat_id == self.chat_id

    def text_for(self, watcher):
        """JSON. Between people only `unread` differs, so it is spliced in, and each text made once."""
        watches = self.is_watched_by(watcher)
        unread = self.unread.get(watcher.reader_id)
        text = self.texts.get((watches, unread))
        if text is None:
            text = f'{(self.full if watches else self.brief)[:-1]}, "unread": {json.dumps(unread)}}}'
            self.texts[watches, unread] = text
        return text


@dataclass(slots=True)
class News:
    """What has happened up to `sequence`. `pushes` is None where it is too much to replay."""

    sequence: int
    pushes: list | None
    # The lines that people have now, of those whose access has changed; None for who is no member any more.
    access: dict = field(default_factory=dict)


def news_since(environment_id, sequence, *, lines, users, watched, readers=frozenset()):
    """For all sockets of an environment: people `users` who see `lines` (None: not yet known, so perhaps any) and
    watch the chats `watched`; `readers` are those whose unread they show."""
    events = list(events_since(environment_id, sequence)[: REPLAY + 1])
    if len(events) > REPLAY:
        return skip(environment_id, users)
    last = events[-1].sequence if events else sequence
    if last - sequence > len(events):
        # Some were removed, so long ago did they happen.
        return skip(environment_id, users)
    changed = {event.data.get("user") for event in events if event.type == ACCESS_CHANGED}
    access = access_of([user for user in users if str(user) in changed], environment_id)
    if lines is not None:
        lines = lines.union(*(gained for gained in access.values() if gained))
        events = [event for event in events if event.line_id in lines]
    events = [event for event in events if event.line_id and event.type != ACCESS_CHANGED]
    reads = [event for event in events if event.type == CHAT_READ]
    told = {event.pk for event in reads if event.actor_id in users | readers or event.chat_id in watched}
    events = [event for event in events if event.type != CHAT_READ or event.pk in told]
    return News(last, draw(events, watched), access)


def skip(environment_id, users):
    """Where pages have to fetch again instead of being told."""
    return News(last_sequence(environment_id), None, access_of(users, environment_id))


def missed_since(environment_id, sequence, *, user_id, reader_id=None):
    """For one page that has seen `sequence` (None: who knows); after it, it has seen all up to the answer's. `reader_id`: see Hub."""
    lines = lines_of(user_id, environment_id)
    # First the end, then what lies before it: numbers are the order of commits, so all of it is there.
    removed_to, last = kept(environment_id)
    access = {user_id: lines}
    if sequence is None or not removed_to <= sequence <= last:
        return News(last, None, access)
    if sequence == last or not lines:
        return News(last, [], access)
    events = events_since(environment_id, sequence).filter(sequence__lte=last, line__in=lines)
    events = events.exclude(type=ACCESS_CHANGED).exclude(~Q(actor__in=(user_id, reader_id)), type=CHAT_READ)
    events = list(events[: REPLAY + 1])
    return News(last, None if len(events) > REPLAY else draw(events, watched=()), access)


def said_in(chat_id, environment_id, user, *, since):
    """For who begins to watch a chat: the pushes of what its conversation could not show yet, as it was drawn
    at the sequence `since` (None: a moment ago). None where it is too much; raises Chat.DoesNotExist to strangers.
    """
    if not Chat.objects.visible_to(user, environment_id).filter(pk=chat_id).exists():
        raise Chat.DoesNotExist
    if since is not None and since < kept(environment_id)[0]:
        return None
    events = Event.objects.filter(environment=environment_id, chat_id=chat_id).exclude(type=CHAT_READ)
    unseen = Q(created_at__gt=timezone.now() - JUST_NOW) if since is None else Q(sequence__gt=since)
    # By id, as the index of a chat's events is.
    events = list(events.filter(unseen).order_by("-id")[: REPLAY + 1])
    if len(events) > REPLAY:
        return None
    return draw(sorted(events, key=lambda event: event.sequence), watched={chat_id})


def events_since(environment_id, sequence):
    return Event.objects.filter(environment=environment_id).since(sequence)


def last_sequence(environment_id):
    return kept(environment_id)[1]


def kept(environment_id):
    """(up to where events may be gone, the last one), as sequence numbers."""
    found = EventCounter.objects.filter(environment=environment_id).values_list("removed_to", "last")
    return found.first() or (0, 0)


def draw(events, watched):
    """The pushes for these events, in a constant number of queries.

    What happened to one chat is told once, with its newest state; in a chat that somebody watches, once per
    message and for each line of the thread.
    """
    newest = {}
    for event in events:
        key = folding_key(event, watched)
        newest.pop(key, None)
        newest[key] = event
    events = list(newest.values())
    chats = Chat.objects.for_rows().in_bulk({event.chat_id for event in events if event.chat_id})
    watched = watched & chats.keys() if watched else set()
    wanted = {event.message_id for event in events if event.chat_id in watched} - {None}
    messages = messages_for(wanted, chats.values())
    prefetch_related_objects([event for event in events if event.type in THREAD_LINES], "actor")
    rows = {pk: fragment("row", chat=chat) for pk, chat in chats.items()}
    unread = unread_in(chats)
    items = Items(chats, events, messages, watched)
    return [
        push_of(event, chats.get(event.chat_id), rows, unread, items)
        for event in events
        if event.chat_id is None or event.chat_id in chats
    ]


class Items:
    """What stands in the threads that somebody watches, drawn once each, as the events need it."""

    NOTHING = {"message": None, "line": None, "note": None, "scheduled": None, "typing": None, "seen": None}

    def __init__(self, chats, events, messages, watched):
        self.chats, self.watched, self.messages = chats, watched, messages
        self.bubbles = {pk: fragment("message", message=message) for pk, message in messages.items()}
        self.notes = self.named(Note.objects.for_thread(), "note", events)
        self.scheduled = self.named(ScheduledSend.objects.for_thread(), "scheduled", events)

    def named(self, rows, name, events):
        """The fragments of what the events' data names, in one query."""
        ids = {event.data[name] for event in events if event.chat_id in self.watched and event.data.get(name)}
        if not ids:
            return {}
        rows = rows.filter(pk__in=ids)
        return {str(row.pk): (row.chat_id, fragment(name, **{name: row})) for row in rows}

    def of(self, event):
        """Each kind of fragment of the event's chat, None where the event changes none of that kind."""
        if event.chat_id not in self.watched:
            return self.NOTHING
        chat, message = self.chats[event.chat_id], self.messages.get(event.message_id)
        return {
            "message": self.bubbles[message.pk] if message and message.chat_id == chat.pk else None,
            "line": fragment("event", event=event) if event.type in THREAD_LINES else None,
            "note": self.found(self.notes, event, "note"),
            "scheduled": self.found(self.scheduled, event, "scheduled"),
            "typing": fragment("typing", chat=chat) if event.type in TYPING else None,
            "seen": fragment("seen", seen_by=chat.seen_by()) if event.type == CHAT_READ else None,
        }

    def found(self, fragments, event, name):
        chat_id, html = fragments.get(str(event.data.get(name)), (None, None))
        return html if chat_id == event.chat_id else None


def messages_for(wanted, chats):
    """By id, with all that a bubble shows. Most are the last of their chat, which its row has loaded already."""
    last = {chat.last_message_id: chat for chat in chats if chat.last_message_id in wanted}
    for chat in last.values():
        chat.last_message.chat = chat
    prefetch_related_objects(
        [chat.last_message for chat in last.values()], "deleted_by", "original", *FOR_BUBBLES
    )
    others = Message.objects.for_bubbles().in_bulk(wanted - last.keys())
    return others | {pk: chat.last_message for pk, chat in last.items()}


def fragment(name, **context):
    return render_to_string(f"chats/_{name}.html", context).strip()


def folding_key(event, watched):
    if event.type == CHAT_READ:
        return event.chat_id, event.actor_id
    if event.type in TYPING and event.message_id is None:
        return event.chat_id, "typing"
    if event.chat_id is None:
        return event.line_id, event.type
    if event.chat_id not in watched:
        return event.chat_id
    named = event.data.get("note") or event.data.get("scheduled")
    return event.chat_id, event.message_id, named, event.type in THREAD_LINES and event.pk


def unread_in(chats):
    """Per chat: what each person who counts its messages has not read."""
    unread = defaultdict(dict)
    reads = ChatRead.objects.filter(chat__in=chats).values_list("chat_id", "user_id", "seen", "is_unread")
    for chat_id, user_id, seen, is_unread in reads:
        unread[chat_id][user_id] = max(0, chats[chat_id].inbound_count - seen) if is_unread else 0
    return unread


def push_of(event, chat, rows, unread, items):
    told = {
        "type": "event",
        "sequence": event.sequence,
        "event": event.type,
        "chat": chat and str(chat.pk),
        "row": chat and rows[chat.pk],
        "state": chat and {"status": chat.status, "assignee": chat.assignee_id and str(chat.assignee_id)},
    }
    brief = full = json.dumps(told | Items.NOTHING)
    if event.chat_id in items.watched:
        full = json.dumps(told | items.of(event))
    return Push(
        sequence=event.sequence,
        chat_id=event.chat_id,
        line_id=event.line_id,
        only_for=event.actor_id if event.type == CHAT_READ else None,
        unread=unread[event.chat_id],
        brief=brief,
        full=full,
    )


def access_of(users, environment_id):
    return {user: lines_of(user, environment_id) for user in users}


def lines_of(user_id, environment_id):
    """The ids of the lines that this person may see here; None for who is no member (any more)."""
    membership = Membership.objects.filter(user=user_id, environment=environment_id, user__is_active=True)
    if not membership.exists():
        return None
    lines = Line.objects.visible_to(User(pk=user_id)).filter(environment=environment_id)
    return frozenset(lines.values_list("pk", flat=True))


def ended_sessions(sessions):
    """Which of these are over; `sessions` holds the person's id and password hash by the session's key."""
    alive = Session.objects.filter(session_key__in=sessions, expire_date__gt=timezone.now())
    alive = set(alive.values_list("session_key", flat=True))
    people = {user_id for user_id, _ in sessions.values()}
    passwords = dict(User.objects.filter(pk__in=people).values_list("pk", "password"))
    return {key for key, (user, hash) in sessions.items() if key not in alive or passwords.get(user) != hash}
