"""A month of traffic over ten lines, with the guard and without it.

Nothing of the guard is asked afterwards: what left is read from the rows and counted again, by rules written here.
"""

import heapq
import itertools
import random
from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from inbox import mirror, tasks
from inbox.models import Message, Refused
from lines import guard
from lines.models import ApiToken, Environment, GuardRule, Line
from tests.webhooks import payloads
from webhooks.handlers import HANDLERS

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("gateway", "no_workers")]

ZONE = ZoneInfo("America/Los_Angeles")
BEGIN = datetime(2026, 11, 20, tzinfo=ZONE)
DAYS = 30
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# As they are set for the month: {rule: (what it does, its limits)}
RULES = {
    "volume": ("hold", {}),
    "ramp": ("hold", {}),
    "pair_rate": ("hold", {"most": 5}),
    "new_per_hour": ("hold", {"most": 8}),
    "new_per_day": ("hold", {"most": 20}),
    "spike": ("hold", {"times": 5, "least": 10}),
    "same_text": ("hold", {"most": 5}),
    "inbound_first": ("warn", {}),
    "follow_ups": ("hold", {"people": 3, "schedules": 2, "keys": 2, "hours": 48}),
    "link_in_first": ("refuse", {}),
    "quiet_hours": ("hold", {}),
}
DAILY = 30
RAMP = [3, 5, 8, 12, 20, 30, 45]
BLAST = "Our spring sale begins today: every helmet and every lock for half of what it cost"
WORDS = "spoke brake saddle pedal chain fork wheel bell lamp lock tyre valve cable grip hub rim"


def at(day, hour, minute=0):
    """On the clock of the shop, the first day being 0."""
    return (BEGIN + timedelta(days=day)).replace(hour=0) + timedelta(hours=hour, minutes=minute)


class Month:
    """Everything that is meant to happen, in its time; `refused` is what programs were told instead."""

    def __init__(self, environment, admin, make_chat):
        self.environment, self.make_chat = environment, make_chat
        self.lines = [
            Line.objects.create(
                environment=environment, name=f"Line {n}", phone_number=f"+1202555010{n}", daily_limit=DAILY
            )
            for n in range(10)
        ]
        self.lines[9].warm(by=admin, ramp=RAMP)
        for name, (action, limits) in RULES.items():
            rule = guard.RULES[name]
            GuardRule.choose(environment, rule, action, rule.limits_in({}) | limits, by=admin)
        self.agent = admin
        self.program = ApiToken.make(environment, "Marketing", by=admin)[0].actor
        self.pick, self.numbers = random.Random(20), itertools.count(1000)
        self.plans, self.count = [], itertools.count()
        self.refused, self.asked = [], 0

    # Who there is, and what they mean to do.

    def somebody(self, line):
        number = f"+1415555{next(self.numbers)}"
        return self.make_chat(self.lines[line], number, external_id=str(uuid4()))

    def plan(self, when, what, *args):
        heapq.heappush(self.plans, (when.astimezone(UTC), next(self.count), what, args))

    def some_words(self):
        return " ".join(self.pick.choice(WORDS.split()) for _ in range(9))

    def everybody(self):
        self.customers = {line: [self.somebody(line) for _ in range(6)] for line in range(10)}
        self.daily_talk()
        self.blast()
        self.chasing()
        self.in_a_hurry()
        self.busy_day()
        self.rush_hour()
        self.greeting_from_the_new_line()
        self.links_to_strangers()
        self.opt_outs()

    def daily_talk(self):
        """They ask, and are answered, also in the night; now and then we come back to it late in the evening."""
        for line, day in itertools.product(range(9), range(0, DAYS, 2)):
            chat = self.pick.choice(self.customers[line])
            asked = at(day, self.pick.randrange(7, 21), self.pick.randrange(60))
            self.plan(asked, self.receive, chat, self.some_words())
            self.plan(asked + self.pick.randrange(2, 50) * MINUTE, self.send, chat, self.some_words())
            if day % 6 == 0:
                self.plan(at(day + 1, 22, 40), self.send, chat, self.some_words())

    def blast(self):
        for _ in range(60):
            self.plan(at(10, 10), self.send, self.somebody(2), BLAST, self.program)

    def chasing(self):
        """A program that reminds people who do not answer, three times a day."""
        self.chased = [self.somebody(3) for _ in range(8)]
        for chat, number in itertools.product(self.chased, range(12)):
            self.plan(
                at(4, 9) + number * 8 * HOUR, self.send, chat, f"Reminder {self.some_words()}", self.program
            )

    def in_a_hurry(self):
        chat = self.customers[4][0]
        self.plan(at(6, 12), self.receive, chat, "Are you there?")
        for _ in range(14):
            self.plan(at(6, 12, 1), self.send, chat, self.some_words())

    def busy_day(self):
        """Many write, and then we write to people who were last heard of long ago."""
        for number in range(26):
            self.plan(at(12, 9, number), self.receive, self.customers[5][number % 3], self.some_words())
        known = self.customers[5][3:]
        for chat in known:
            self.plan(at(2, 11), self.receive, chat, "Thanks, bye")
        for number in range(12):
            self.plan(at(12, 11 + number % 4), self.send, known[number % 3], self.some_words())

    def rush_hour(self):
        known = [self.somebody(6) for _ in range(25)]
        for number, chat in enumerate(known):
            self.plan(at(1 + number % 3, 9 + number % 8), self.receive, chat, "Hello")
            self.plan(at(20, 14, 1), self.send, chat, self.some_words())

    def greeting_from_the_new_line(self):
        for day, number in itertools.product(range(8), range(10)):
            self.plan(at(day, 10, 5 * number), self.send, self.somebody(9), f"Welcome {self.some_words()}")

    def links_to_strangers(self):
        for number in range(5):
            chat = self.somebody(7)
            self.plan(at(8, 11, number), self.send, chat, f"Look at https://fairwheel.example/{number}")

    def opt_outs(self):
        """Of customers, who say nothing afterwards, and of some who are being chased, for whom something waits then."""
        customers = [self.somebody(line) for line in (0, 1)]
        for chat in customers:
            self.plan(at(3, 15), self.receive, chat, "Do you repair hubs?")
        for number, chat in enumerate([*customers, *self.chased[:2]]):
            self.plan(at(5, 10, number), self.receive, chat, "STOP")
            for day in (5, 9, 15):
                self.plan(at(day, 12), self.send, chat, self.some_words())
                self.plan(at(day, 13), self.send, chat, self.some_words(), self.program)

    # What happens.

    def receive(self, chat, text):
        event = payloads.message(
            "message.received",
            str(uuid4()),
            chat.external_id,
            at=(timezone.now() - payloads.START).total_seconds(),
            parts=[payloads.text(text)],
            sender=chat.others[0].value,
            line=chat.line.phone_number,
        )
        news = HANDLERS["message.received"](event)
        mirror.learn(self.environment, news if isinstance(news, list) else [news])

    def send(self, chat, text, by=None):
        self.asked += 1
        chat.refresh_from_db()
        chat.line.refresh_from_db()
        try:
            chat.send(by=by or self.agent, text=text)
        except Refused as refusal:
            self.refused.append(refusal)

    def go(self, clock):
        """Until nothing is planned and nothing waits; the sweep alone lets out what waits."""
        self.everybody()
        until = BEGIN + 2 * DAYS * DAY
        while (now := self.next_time()) and now < until:
            clock.move_to(max(now, timezone.now()), tick=True)
            while self.plans and self.plans[0][0] <= timezone.now():
                _, _, what, args = heapq.heappop(self.plans)
                what(*args)
            tasks.send_due()
        return self

    def next_time(self):
        planned = self.plans[0][0] if self.plans else None
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT min(next_try_at) FROM (SELECT DISTINCT ON (chat_id) next_try_at FROM inbox_message
                WHERE direction = 'outbound' AND accepted_at IS NULL AND failed_at IS NULL
                ORDER BY chat_id, at, id) firsts"""
            )
            (waits,) = cursor.fetchone()
        return min(filter(None, [planned, waits]), default=None)


@pytest.fixture
def month(db, person, make_chat, time_machine, monkeypatch):
    time_machine.move_to(BEGIN, tick=True)
    monkeypatch.setattr(tasks.send_chat, "delay", tasks.send_chat)
    environment = Environment.objects.create(name="Month", slug="month", time_zone=str(ZONE))
    admin = person("Mo", environment, role="admin")
    return lambda: Month(environment, admin, make_chat).go(time_machine)


# What left, counted again.


class Told:
    """One line of the story: a message that came or left."""

    def __init__(self, row):
        self.at, self.line, self.chat, self.direction, self.text, self.is_program = row
        self.is_in = self.direction == "inbound"


def story():
    """All that came and left, in its order."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(cleared_at, message.at) AS moment, message.line_id, message.chat_id, direction, part.text,
                coalesce(author.is_program, false)
            FROM inbox_message message JOIN inbox_part part ON part.message_id = message.id
            LEFT JOIN lines_user author ON author.id = author_id
            WHERE direction = 'inbound' OR (cleared_at IS NOT NULL AND failed_at IS NULL)
            ORDER BY moment"""
        )
        return [Told(row) for row in cursor.fetchall()]


class Book:
    """Goes through the story and writes down in `broken` how often each limit was passed."""

    def __init__(self, warming):
        self.warming, self.broken = warming, Counter()
        self.came, self.left = defaultdict(list), defaultdict(list)
        self.total, self.out = Counter(), Counter()
        self.begun, self.begun_on = defaultdict(list), Counter()
        self.said, self.out_of_line = defaultdict(list), defaultdict(list)
        self.stopped = set()

    def read(self, story):
        for told in story:
            if told.is_in:
                self.came[told.chat].append(told.at)
                self.stopped |= {told.chat} if told.text == "STOP" else set()
            else:
                self.look_at(told)
                self.left[told.chat].append(told.at)
            self.total[told.line, day_of(told)] += 1
        return self.broken

    def look_at(self, told):
        came, left, day = self.came[told.chat], self.left[told.chat], day_of(told)
        wrote = came[-1] if came else None
        is_first = not came and not left
        is_answer = bool(wrote) and (not left or wrote > left[-1] or wrote > told.at - DAY)
        there = told.at.astimezone(ZONE)
        same = {
            chat
            for moment, chat in self.said[told.line, told.text]
            if moment > told.at - HOUR and chat != told.chat
        }
        hour = told.at.replace(minute=0, second=0, microsecond=0)
        in_hour = sum(1 for moment in self.out_of_line[told.line] if moment >= hour)
        number = (there.date() - BEGIN.date()).days
        ceiling = RAMP[number] if told.line == self.warming and number < len(RAMP) else None
        broken = {
            "opted_out": told.chat in self.stopped,
            "volume": not is_answer and self.total[told.line, day] >= DAILY,
            "ramp": ceiling is not None and not is_answer and self.out[told.line, day] >= ceiling,
            "pair_rate": len([moment for moment in left if moment > told.at - MINUTE]) >= 5,
            "new_per_hour": is_first
            and len([moment for moment in self.begun[told.line] if moment > told.at - HOUR]) >= 8,
            "new_per_day": is_first and self.begun_on[told.line, day] >= 20,
            "spike": not is_answer and in_hour >= max(10, 5 * self.usual(told.line, hour)),
            "same_text": not is_answer and len(told.text) > 40 and len(same) >= 5,
            "follow_ups": self.unanswered(told, left, wrote) >= (2 if told.is_program else 3),
            "link_in_first": is_first and "https:" in told.text,
            "quiet_hours": not 8 <= there.hour < 21 and not (wrote and wrote > told.at - 10 * MINUTE),
        }
        self.broken.update(name for name, is_broken in broken.items() if is_broken)
        self.out[told.line, day] += 1
        self.out_of_line[told.line].append(told.at)
        self.said[told.line, told.text].append((told.at, told.chat))
        if is_first:
            self.begun[told.line].append(told.at)
            self.begun_on[told.line, day] += 1

    def usual(self, line, hour):
        """Messages that left in this hour of the day, or in any hour, whichever is more; much while nobody knows."""
        left = self.out_of_line[line][bisect_left(self.out_of_line[line], hour - 28 * DAY) :]
        left = [moment for moment in left if moment < hour]
        if not left or (hour - left[0]) < 7 * DAY:
            return 10**6
        days = (hour - left[0]) / DAY
        then = sum(1 for moment in left if moment.hour == hour.hour and hour - moment <= 28 * DAY)
        return max(then / min(days, 28), len(left) / (days * 24))

    @staticmethod
    def unanswered(told, left, wrote):
        """How often within 48 hours we had spoken to them without an answer, before this; ten minutes are one time."""
        times = []
        for moment in left:
            if (not wrote or moment > wrote) and (not times or moment - times[-1] > 10 * MINUTE):
                times.append(moment)
        if times and told.at - times[-1] <= 10 * MINUTE:
            return 0
        return sum(1 for moment in times if moment > told.at - 48 * HOUR)


def day_of(told):
    return told.at.astimezone(ZONE).date()


def test_with_the_guard_no_line_goes_over_its_limits(month):
    month = month()
    assert Book(month.lines[9].pk).read(story()) == {}

    # What was held has left, when it was allowed to and no later.
    assert not Message.waiting_to_leave().exists()
    held = [message for message in Message.objects.all() if message.verdict.get("was_held")]
    assert {message.verdict["was_held"]["rule"] for message in held} >= {
        name for name, (action, _) in RULES.items() if action == "hold"
    }
    for message in held:
        others = message.chat.messages.filter(at__lt=message.cleared_at)
        earlier = others.filter(direction="outbound", at__lt=message.at, cleared_at__isnull=False)
        wrote = others.filter(direction="inbound", at__gt=message.at).order_by("at").first()
        # Whoever writes is answered at once, and in a conversation nothing overtakes.
        until = wrote.at if wrote else datetime.fromisoformat(message.verdict["was_held"]["until"])
        free = max([until, *(one.cleared_at for one in earlier)])
        assert until <= message.cleared_at < free + 15 * MINUTE, message.verdict

    # Nothing is refused without a reason, and nothing is lost.
    failed = Message.objects.filter(failed_at__isnull=False)
    assert all(message.error and message.error_code and message.verdict["rule"] for message in failed)
    assert {message.verdict["rule"] for message in failed} == {"opted_out", "link_in_first"}
    assert month.refused
    assert all(refusal.sentence and refusal.number for refusal in month.refused)
    sent = Message.objects.filter(direction="outbound", accepted_at__isnull=False).count()
    assert sent + failed.count() + len(month.refused) == month.asked


def test_without_it_the_same_month_breaks_every_limit(month, monkeypatch):
    monkeypatch.setattr(guard, "check", lambda facts: guard.Verdict())
    month = month()

    assert set(Book(month.lines[9].pk).read(story())) == {*RULES, "opted_out"} - {"inbound_first"}
    assert Message.objects.filter(direction="outbound", accepted_at__isnull=False).count() == month.asked
