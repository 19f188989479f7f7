"""What is known before a conversation begins: from which line, who gets what, what it will be, and what to mind."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from inbox import zones
from inbox.balancing import Fitness, fitness_of
from inbox.facts import Facts
from inbox.models import Chat, Handle, Message
from inbox.models.contact import normal_handle
from inbox.models.content import URL
from inbox.models.grouping import MOST
from inbox.people_known import handles_known_to
from lines import guard
from lines.models import Line

# Of the conversations with these people, so many of the newest are looked at; so many are shown.
LOOKED_AT, SHOWN = 60, 5
# What speaks for a line, the heavier the better.
MINE, KNOWN, THERE = 1, 2, 3
# Hours of their day in which nobody minds.
CALM = range(8, 21)
# Rules of the guard of which the advice speaks in words of its own.
ADVISED = ("inbound_first", "link_in_first", "quiet_hours")
PARTS = re.compile(r"[,;\n]")


def texts_in(values):
    """What stands in one or several fields of addresses."""
    return [text.strip() for value in values for text in PARTS.split(value) if text.strip()]


@dataclass
class Recipient:
    """Somebody to whom it goes. `error` says why what was typed is nobody."""

    text: str
    handle: Handle = None
    error: str = ""
    wrote_first: datetime | None = None
    wrote_last: datetime | None = None
    chats: list = field(default_factory=list)

    @property
    def value(self):
        return self.handle.value if self.handle else self.text

    @property
    def is_known(self):
        return bool(self.handle and self.handle.contact_id)


@dataclass
class Choice:
    """A line from which it may be sent, and what speaks for it."""

    line: Line
    why: str = ""
    who: Recipient | None = None
    since: datetime | None = None
    weight: tuple = (0, 0)
    by_hand: bool = False
    fitness: Fitness | None = None
    # The line that they know, where that sends nothing now.
    instead_of: Line | None = None

    @property
    def is_paused(self):
        return self.line.status == Line.Status.PAUSED

    @property
    def is_known(self):
        """To the people, not only to whoever writes."""
        return self.weight[0] > MINE

    @property
    def order(self):
        """The best first: what they know, else what is healthiest; of equals where this person writes anyway."""
        liked = (-self.weight[0], -self.weight[1])
        known, rank = (liked, ()) if self.is_known else ((0, 0), self.fitness.rank)
        return (not self.fitness.can_send, self.is_paused, known, rank, liked, self.fitness.turn)


class Start:
    """A conversation that `user` is about to begin. Nothing is changed by looking at it."""

    def __init__(self, user, environment, *, texts=(), line=None, text=""):
        self.user, self.environment, self.texts, self.text = user, environment, list(texts), text
        self.asked_line = line

    @cached_property
    def lines(self):
        lines = Line.objects.answerable_by(self.user).filter(environment=self.environment)
        return list(lines.order_by("name", "phone_number"))

    @cached_property
    def chosen_by_hand(self):
        return next((line for line in self.lines if str(line.pk) == str(self.asked_line)), None)

    @cached_property
    def recipients(self):
        country = (self.chosen_by_hand or next(iter(self.lines), None) or Line()).country
        recipients = {}
        for text in self.texts:
            recipient = self.recipient(text, country)
            recipients.setdefault(recipient.value, recipient)
        recipients = list(recipients.values())[: MOST + 1]
        known = self.known([recipient.value for recipient in recipients if not recipient.error])
        for recipient in recipients:
            if found := known.get(recipient.value):
                recipient.handle = found
                recipient.wrote_first, recipient.wrote_last = found.wrote_first, found.wrote_last
        return recipients

    def recipient(self, text, country):
        try:
            value = normal_handle(text, country)
        except ValidationError as error:
            return Recipient(text, error=" ".join(error.messages))
        if any(line.phone_number == value for line in self.lines):
            return Recipient(text, error=f"{text} is a line of ours.")
        return Recipient(text, Handle(environment=self.environment, value=value))

    def known(self, values):
        """Those whom the person knows, with when they wrote; of strangers only what the carrier said of the number."""
        said = Message.objects.filter(
            sender=OuterRef("pk"), direction="inbound", chat__line__in=self.seen_lines
        )
        known = handles_known_to(self.user, self.environment).filter(value__in=values)
        known = known.annotate(
            wrote_first=Subquery(said.order_by("at").values("at")[:1]),
            wrote_last=Subquery(said.order_by("-at").values("at")[:1]),
        )
        known = {handle.value: handle for handle in known}
        strangers = Handle.objects.filter(environment=self.environment, value__in=set(values) - known.keys())
        for handle in strangers:
            handle.contact, handle.service, handle.service_at = None, "", None
            handle.wrote_first = handle.wrote_last = None
            known[handle.value] = handle
        return known

    @cached_property
    def seen_lines(self):
        lines = Line.objects.visible_to(self.user).filter(environment=self.environment)
        return list(lines.values_list("pk", flat=True))

    @cached_property
    def people(self):
        return [recipient for recipient in self.recipients if not recipient.error]

    @cached_property
    def handles(self):
        return [recipient.handle for recipient in self.people]

    @property
    def is_group(self):
        return len(self.people) > 1

    @cached_property
    def chats(self):
        """The newest conversations with any of them that this person sees."""
        handles = [handle.pk for handle in self.handles if not handle._state.adding]
        chats = Chat.objects.visible_to(self.user, self.environment)
        chats = chats.filter(participants__handle__in=handles, participants__left_at=None).distinct()
        newest = chats.newest_first().values_list("pk", flat=True)[:LOOKED_AT] if handles else []
        return list(Chat.objects.filter(pk__in=list(newest)).newest_first().for_rows())

    def alone_with(self, recipient):
        return [
            chat
            for chat in self.chats
            if not chat.is_group and chat.others and chat.others[0].value == recipient.value
        ]

    @cached_property
    def choices(self):
        """Every line on which they may answer, the best first; paused ones last."""
        choices = [self.choice(line) for line in self.lines]
        if len(choices) == 1 and not choices[0].why:
            choices[0].why = "only"
        fitness = fitness_of(self.environment, self.lines) if self.lines else {}
        for choice in choices:
            choice.fitness = fitness[choice.line.pk]
        return sorted(choices, key=lambda choice: choice.order)

    def choice(self, line):
        if exact := self.exact.get(line.pk):
            return self.because(line, exact, "there", THERE)
        for recipient in self.people:
            for chat in self.alone_with(recipient):
                if chat.line_id == line.pk:
                    wrote = chat.last_inbound_at is not None
                    return self.because(line, chat, "wrote" if wrote else "written", KNOWN, recipient)
        if newest := self.mine.get(line.pk):
            return self.because(line, newest, "mine", MINE)
        return Choice(line)

    @cached_property
    def exact(self):
        """The conversation of each line with exactly these people."""
        if not self.people:
            return {}
        return Chat.with_people(self.lines, [recipient.value for recipient in self.people])

    @cached_property
    def mine(self):
        """The newest conversation of this person on each line."""
        mine = Chat.objects.open().filter(assignee=self.user, line__in=self.lines).newest_first()[:LOOKED_AT]
        return {chat.line_id: chat for chat in reversed(mine)}

    def because(self, line, chat, why, weight, recipient=None):
        if why == "there" and not chat.is_group:
            recipient = self.people[0]
            why = "wrote" if chat.last_inbound_at else "written"
        since = chat.created_at if why == "wrote" else None
        return Choice(line, why, recipient, since, (weight, chat.last_activity_at.timestamp()))

    @cached_property
    def chosen(self):
        """What is sent from: the line that was chosen by hand, else the best."""
        if self.chosen_by_hand:
            found = next(choice for choice in self.choices if choice.line == self.chosen_by_hand)
            found.by_hand = True
            return found
        best = next(iter(self.choices), None)
        if best and best.fitness.can_send and not best.is_known:
            stranded = [choice for choice in self.choices if choice.is_known]
            best.instead_of = stranded[0].line if stranded else None
        return best

    @cached_property
    def existing(self):
        """The conversation to which it goes, where there is one."""
        if not self.people or not self.chosen:
            return None
        found = self.exact.get(self.chosen.line.pk)
        return found and Chat.objects.for_rows().get(pk=found.pk)

    @cached_property
    def others(self):
        """What else there is with each of them alone."""
        existing = self.existing
        alone = [chat for recipient in self.people for chat in self.alone_with(recipient)]
        return [chat for chat in alone if existing is None or chat.pk != existing.pk][:SHOWN]

    @property
    def kind(self):
        """What it will be: one, imessage, rcs, text; unknown where one of them is."""
        services = {handle.reached_by for handle in self.handles}
        if not self.is_group:
            return "one"
        if any(handle.can_get("iMessage") is False and handle.reached_by != "RCS" for handle in self.handles):
            return "text"
        if "" in services:
            return "unknown"
        return {frozenset({"iMessage"}): "imessage", frozenset({"RCS"}): "rcs"}.get(
            frozenset(services), "text"
        )

    @property
    def is_asking(self):
        return any(handle.asking == "asked" for handle in self.handles)

    @cached_property
    def verdict(self):
        """What the guard would say of it."""
        if not self.people or not self.chosen:
            return guard.Verdict()
        values = [recipient.value for recipient in self.people]
        line = self.chosen.line
        line.environment = self.environment
        facts = Facts.in_mind(line, values, self.text, chat=self.existing, is_group=self.is_group)
        return guard.check(facts)

    @property
    def doubts(self):
        """What the guard holds it for or warns of, as far as the advice does not say it anyway."""
        return [one for one in self.verdict.all if one.held or (one.allowed and one.rule not in ADVISED)]

    @property
    def has_link(self):
        is_first = self.existing is None and not self.environment.frees_first_messages
        return bool(is_first and URL.search(self.text))

    @property
    def strangers(self):
        return [recipient for recipient in self.people if recipient.wrote_last is None]

    @property
    def introduction(self):
        """The words of the text that say who writes; "" where there are none."""
        names = [self.user.first_name, self.environment.name, self.chosen and str(self.chosen.line)]
        for name in filter(None, names):
            pattern = rf"(?:[^\s.,!?;]+\s+){{0,3}}\b{re.escape(name)}\b(?:\s+[^\s.,!?;]+){{0,2}}"
            if found := re.search(pattern, self.text, re.IGNORECASE):
                return found.group().strip()
        return ""

    @cached_property
    def clocks(self):
        """What time it is for them: (names, time, place, whether that is a good hour), people of one clock together."""
        clocks = {}
        ours = zones.our_zone(self.chosen.line if self.chosen else Line(), self.environment)
        for recipient in self.people:
            zone = zones.zone_of(recipient.handle, ours)
            if zone.is_sure:
                there = timezone.now().astimezone(ZoneInfo(zone.name))
                clocks.setdefault((there.strftime("%H:%M"), zone.name), (there, []))[1].append(
                    recipient.handle.first_name
                )
        return [
            {
                "names": names,
                "time": f"{there.hour}:{there:%M}",
                "place": zones.city_of(zone),
                "is_calm": there.hour in CALM,
            }
            for (_, zone), (there, names) in list(clocks.items())[:SHOWN]
        ]
