"""What a rule would have done to what was sent in the last week: the same function, asked again about each message."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Max, Min, Q
from django.utils import timezone

from inbox import zones
from inbox.facts import STORY, usual
from inbox.models import Chat, Handle, Message, Part
from inbox.models.content import URL
from lines import guard
from lines.guard.checking import judged

WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
# Messages in and out, the newest, of all lines together; so many of what would have been stopped are shown.
MOST, SHOWN = 20_000, 50


@dataclass
class Effect:
    """Of `total` messages that left, how many each action would have met (`counts`), and the newest of them, each a
    Message with its `would`, a Verdict. `since` is later than a week ago where there were too many."""

    since: object
    total: int = 0
    counts: Counter = field(default_factory=Counter)
    messages: list = field(default_factory=list)

    @property
    def warned(self):
        return self.counts[guard.WARN]

    @property
    def held(self):
        return self.counts[guard.HOLD]

    @property
    def refused(self):
        return self.counts[guard.REFUSE]

    @property
    def met(self):
        return self.warned + self.held + self.refused

    @property
    def unshown(self):
        return self.met - len(self.messages)


def effect_of(setting, lines, *, now=None):
    """The Effect of a guard.Setting on what `lines` sent in the week before `now`. Changes nothing."""
    now = now or timezone.now()
    rows = said_on(lines, now)
    effect = Effect(since=rows[0].at if len(rows) == MOST else now - WEEK)
    found = deque(maxlen=SHOWN)
    replay = Replay(lines, rows, setting.rule.name)
    for row in rows:
        verdict = None
        if not row.is_inbound:
            effect.total += 1
            verdict = judged(replay.outgoing(row), setting)
        if verdict:
            effect.counts[verdict.action] += 1
            found.append((row.pk, verdict))
        # What would have been stopped would not have counted.
        if verdict is None or verdict.allowed:
            replay.happened(row)
    effect.messages = messages_with(list(found)[::-1])
    return effect


def said_on(lines, now):
    """What came and what left, oldest first, with only what is asked about it."""
    wanted = Q(direction="inbound", at__gte=now - WEEK, at__lt=now) | Q(
        cleared_at__gte=now - WEEK, cleared_at__lt=now
    )
    said = Message.objects.filter(wanted, line__in=lines).select_related("author")
    said = said.only(
        "line", "chat", "direction", "at", "cleared_at", "wording", "is_scheduled", "author__is_program"
    )
    rows = list(said.order_by("-at")[:MOST])
    return sorted(rows, key=moment_of)


def moment_of(row):
    return row.at if row.is_inbound else row.cleared_at


class Replay:
    """The facts as they were when each message left, kept up row by row. Of what was said before the first row of a
    conversation only the last times are known."""

    def __init__(self, lines, rows, rule):
        self.lines = {line.pk: line for line in lines}
        self.rule = rule
        began = moment_of(rows[0]) if rows else timezone.now()
        ids = {row.chat_id for row in rows}
        self.chats = Chat.objects.only("participants_key", "is_group").in_bulk(ids)
        self.ours = defaultdict(lambda: deque(maxlen=STORY))
        self.wrote = {}
        self.remember(ids, began)
        self.writers = self.who_wrote() if rule == "inbound_first" else {}
        self.links = links_in(rows) if rule == "link_in_first" else set()
        self.zones = self.where_they_live() if rule == "quiet_hours" else {}
        self.sent, self.received = defaultdict(list), defaultdict(list)
        self.begun, self.words = defaultdict(list), defaultdict(list)

    def remember(self, ids, began):
        before = Message.objects.filter(chat__in=ids).filter(
            Q(direction="inbound", at__lt=began) | Q(cleared_at__lt=began)
        )
        before = before.values("chat").annotate(
            wrote=Max("at", filter=Q(direction="inbound")), ours=Max("cleared_at")
        )
        for chat in before:
            if chat["wrote"]:
                self.wrote[chat["chat"]] = chat["wrote"]
            if chat["ours"]:
                self.ours[chat["chat"]].append(chat["ours"])

    def people_in(self, chat_id):
        return self.chats[chat_id].participants_key.split()

    def who_wrote(self):
        """{(line, handle): when they first wrote to it}, of those who are in these conversations."""
        values = {value for chat in self.chats for value in self.people_in(chat)}
        wrote = Message.objects.filter(line__in=self.lines, direction="inbound", sender__value__in=values)
        wrote = wrote.values_list("line", "sender__value").annotate(first=Min("at"))
        return {(line, value): first for line, value, first in wrote}

    def where_they_live(self):
        values = {value for chat in self.chats for value in self.people_in(chat)}
        environment = next(iter(self.lines.values())).environment
        known = Handle.objects.filter(environment=environment, value__in=values, contact__time_zone__gt="")
        return dict(known.values_list("value", "contact__time_zone"))

    def outgoing(self, row):
        line, now, chat = self.lines[row.line_id], row.cleared_at, row.chat_id
        ours = self.ours[chat]
        day = line.environment.start_of(line.environment.day_of(now))
        hour = now.replace(minute=0, second=0, microsecond=0)
        people = self.people_in(chat)
        known = {
            "is_leaving": True,
            "is_group": self.chats[chat].is_group,
            "author": row.written_by,
            "ours": list(ours)[::-1],
            "wrote_at": self.wrote.get(chat),
            "sent_today": since(self.sent[line.pk], day),
            "received_today": since(self.received[line.pk], day),
            "sent_this_hour": since(self.sent[line.pk], hour),
            "begun_today": since(self.begun[line.pk], day),
            "has_link": row.pk in self.links,
        }
        if self.rule == "new_per_hour":
            known["begun_lately"] = after(self.begun[line.pk], now - HOUR)[::-1]
        if self.rule == "spike":
            known["usual_for_hour"] = usual(line.pk, hour)
        if self.rule == "same_text" and row.wording is not None:
            known["same_words"] = self.others_told(row, now - HOUR)
        if self.rule == "inbound_first":
            known["has_written"] = any(
                self.writers.get((line.pk, value)) and self.writers[line.pk, value] < now for value in people
            )
        if self.rule == "quiet_hours":
            ours_is = zones.our_zone(line, line.environment)
            known["zones"] = {
                zones.zone_of_value(value, self.zones.get(value, ""), ours_is).name for value in people
            }
        return guard.Outgoing(line, people, now=now, **known)

    def others_told(self, row, since):
        """When the same words last went to each other conversation since then, newest first."""
        others = {}
        for at, chat in reversed(self.words[row.line_id, row.wording]):
            if at <= since:
                break
            if chat != row.chat_id:
                others.setdefault(chat, at)
        return list(others.values())

    def happened(self, row):
        at, line = moment_of(row), row.line_id
        if row.is_inbound:
            self.received[line].append(at)
            self.wrote[row.chat_id] = at
            return
        if row.chat_id not in self.wrote and not self.ours[row.chat_id]:
            self.begun[line].append(at)
        self.sent[line].append(at)
        self.ours[row.chat_id].append(at)
        if row.wording is not None:
            self.words[line, row.wording].append((at, row.chat_id))


def since(times, at):
    """How many of these, oldest first, are not before `at`."""
    return len(times) - bisect_left(times, at)


def after(times, at):
    return times[bisect_right(times, at) :]


def links_in(rows):
    """The ids of those that hold a link."""
    ours = [row.pk for row in rows if not row.is_inbound]
    parts = Part.objects.filter(message__in=ours, kind__in=("text", "link"))
    parts = parts.filter(Q(kind="link") | Q(text__iregex=r"https?://|www\."))
    return {
        message
        for message, kind, text in parts.values_list("message", "kind", "text")
        if kind == "link" or URL.search(text)
    }


def messages_with(found):
    verdicts = dict(found)
    messages = Message.objects.select_related("author", "chat").prefetch_related(
        "parts", "chat__participants__handle__contact"
    )
    messages = messages.in_bulk(verdicts)
    for pk, message in messages.items():
        message.would = verdicts[pk]
    return [messages[pk] for pk in verdicts if pk in messages]
