"""The rules of the guard and the plan of a line, as admins see and set them."""

import math
import re
from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.db.models import Count, Q
from django.db.models.fields.json import KT
from django.utils import timezone

from inbox.models import Message
from inbox.replaying import WEEK, Effect
from lines import guard
from lines.guard.table import ACTIONS
from lines.models import Line
from lines.models.warming import check_ramp

# Of the chart: how wide and high a plan is drawn, and how high its lowest and highest day.
WIDTH, FLOOR, LOWEST, HIGHEST = 520, 128, 16, 90


class RuleForm(forms.Form):
    """What a rule is to do, and its limits."""

    def __init__(self, data, *, setting):
        super().__init__(data)
        self.setting, self.rule = setting, setting.rule
        choices = [(action, ACTIONS[action]) for action in self.rule.choices]
        wrong = {
            "invalid_choice": f"{self.rule.title} cannot do that.",
            "required": "Choose what it is to do.",
        }
        self.fields["action"] = forms.ChoiceField(choices=choices, error_messages=wrong)
        for limit in self.rule.limits:
            self.fields[limit.name] = field_of(limit, setting.limits[limit.name])

    @property
    def chosen(self):
        """A guard.Setting; only of a valid form."""
        limits = dict(self.cleaned_data)
        return guard.Setting(self.rule, limits.pop("action"), limits)

    @property
    def limit_fields(self):
        return [self[limit.name] for limit in self.rule.limits]


def field_of(limit, value):
    if limit.is_clock:
        wrong = dict.fromkeys(("required", "invalid"), f"{limit.label}: a time, such as 21:00.")
        widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
        return forms.TimeField(
            label=limit.label,
            initial=value,
            error_messages=wrong,
            widget=widget,
            input_formats=["%H:%M", "%H:%M:%S"],
        )
    said = f"{limit.label}: a whole number from {limit.least:,} to {limit.most:,}."
    names = ("required", "invalid", "min_value", "max_value")
    return forms.IntegerField(
        label=limit.label,
        initial=value,
        min_value=limit.least,
        max_value=limit.most,
        error_messages=dict.fromkeys(names, said),
    )


@dataclass
class Row:
    """A rule in the list. `met` counts the messages of the last week that it stopped or warned of, by action."""

    setting: guard.Setting
    met: dict
    line: Line | None = None
    form: RuleForm | None = None
    effect: Effect | None = None

    @property
    def rule(self):
        return self.setting.rule

    @property
    def choices(self):
        chosen = self.form["action"].value() if self.form else self.setting.action
        return [
            (action, ACTIONS[action], action == self.setting.action, self.form and action == chosen)
            for action in self.rule.choices
        ]

    @property
    def figure(self):
        """What its limits are, in short."""
        if self.rule.name == "volume":
            return f"{self.line.daily_limit:,} a day" if self.line else "as each line has it"
        if self.rule.name == "ramp":
            ceiling = self.line and self.line.ceiling_on(self.line.environment.day_of(timezone.now()))
            return f"{ceiling:,} today" if ceiling else "while it warms up"
        return self.setting.figure or ("always" if self.rule.is_fixed else "")

    @property
    def words(self):
        """What it did in the last week."""
        names = {"hold": "held", "warn": "warned", "refuse": "refused"}
        told = [
            f"{count:,} {names[action]}" for action, count in self.met.items() if action in names and count
        ]
        return ", ".join(told) or "never this week"

    @property
    def is_softer(self):
        """What is chosen does less than what it does now."""
        order = list(ACTIONS)
        return order.index(self.form["action"].value()) < order.index(self.setting.action)


def rows_of(environment, line=None):
    """{rule's name: Row}, in their order, for a line or for all lines of the environment."""
    lines = [line] if line else list(environment.lines.all())
    met = met_by_rule(lines)
    policy = guard.Policy.of(environment.pk, line and line.pk)
    return {setting.rule.name: Row(setting, met.get(setting.rule.name, {}), line) for setting in policy}


def met_by_rule(lines):
    """{rule: {action: messages}} of the last week. A message that was held counts so, also after it has left."""
    since = timezone.now() - WEEK
    said = Message.objects.filter(line__in=lines, at__gte=since, direction="outbound").exclude(verdict={})
    counted, met = Count("pk"), {}
    by_verdict = said.values_list(KT("verdict__action"), KT("verdict__rule")).order_by().annotate(counted)
    was_held = said.filter(verdict__has_key="was_held").values_list(KT("verdict__was_held__rule"))
    for action, rule, count in by_verdict:
        add(met, rule, action, count)
    for rule, count in was_held.order_by().annotate(counted):
        add(met, rule, guard.HOLD, count)
    return met


def add(met, rule, action, count):
    of_rule = met.setdefault(rule, {})
    of_rule[action] = of_rule.get(action, 0) + count


@dataclass
class Day:
    """A day of a plan, with its place in the chart."""

    number: int
    date: object
    ceiling: int
    sent: int
    is_today: bool
    is_past: bool
    x: float = 0
    width: float = 0
    height: float = 0
    sent_height: float = 0

    @property
    def middle(self):
        return round(self.x + self.width / 2, 1)

    @property
    def top(self):
        return round(FLOOR - self.height, 1)

    @property
    def sent_top(self):
        return round(FLOOR - self.sent_height, 1)

    @property
    def above(self):
        return round(self.top - 6, 1)


class Ramp:
    """The plan of a line, how far it is, and what waits for it."""

    def __init__(self, line, now=None):
        self.line, self.now = line, now or timezone.now()
        self.environment = line.environment
        self.date = self.environment.day_of(self.now)
        self.number = line.ramp_day(self.date)
        self.ceiling = line.ceiling_on(self.date)
        sent = self.sent_by_day() if line.warmed_from else {}
        self.days = self.drawn([self.day(number, sent) for number in range(1, len(line.ramp) + 1)])
        self.sent = sent.get(self.date, 0)

    def day(self, number, sent):
        date = (self.line.warmed_from or self.date) + timedelta(days=number - 1)
        is_past = bool(self.line.warmed_from) and date < self.date
        return Day(number, date, self.line.ramp[number - 1], sent.get(date, 0), date == self.date, is_past)

    def sent_by_day(self):
        """{date: what left on it}, of the days of the plan; counted by the day's own bounds, so that it is true where the
        clocks change."""
        dates = [self.line.warmed_from + timedelta(days=n) for n in range(len(self.line.ramp))]
        dates = [date for date in dates if date <= self.date]
        if not dates:
            return {}
        start = self.environment.start_of
        counts = {
            f"day_{n}": Count(
                "pk", filter=Q(cleared_at__gte=start(date), cleared_at__lt=start(date + timedelta(days=1)))
            )
            for n, date in enumerate(dates)
        }
        left = Message.objects.filter(line=self.line, cleared_at__gte=start(dates[0]))
        found = left.aggregate(**counts)
        return {date: found[f"day_{n}"] for n, date in enumerate(dates)}

    def drawn(self, days):
        """Each as high as its figure is on a scale that doubles, so that the first day can be seen beside the last."""
        least, most = days[0].ceiling, max(days[-1].ceiling, *(day.sent for day in days), days[0].ceiling + 1)
        step = WIDTH / len(days)
        for place, day in enumerate(days):
            day.x, day.width = round(place * step + step * 0.04, 1), round(step * 0.92, 1)
            day.height = height_of(day.ceiling, least, most)
            day.sent_height = height_of(day.sent, least, most)
        return days

    @property
    def waiting(self):
        return Message.held().filter(line=self.line, verdict__rule="ramp").count()

    @property
    def next_leaves_at(self):
        held = Message.held().filter(line=self.line, verdict__rule="ramp")
        return held.order_by("next_try_at").values_list("next_try_at", flat=True).first()

    @property
    def full_at(self):
        """When today's ceiling is reached at the pace of the day so far; None where that is not today, or not known."""
        if not self.ceiling or not self.sent or self.sent >= self.ceiling:
            return None
        begins = self.environment.start_of(self.date)
        at = begins + (self.now - begins) * (self.ceiling / self.sent)
        return at if self.environment.day_of(at) == self.date else None

    @property
    def said(self):
        """The plan in words, for whoever does not see the chart."""
        days = [f"{day.ceiling:,}" + (" today" if day.is_today else "") for day in self.days]
        return (
            f"Ramp: {', '.join(days[:-1])} and {days[-1]} messages a day"
            if len(days) > 1
            else f"Ramp: {days[0]}"
        )


def height_of(value, least, most):
    if value <= 0:
        return 0
    scale = math.log(max(value, 1) / least) / math.log(most / least) if most > least else 1
    return round(max(2.0, LOWEST + (HIGHEST - LOWEST) * scale), 1)


class RampForm(forms.Form):
    """A plan, as ceilings one after the other."""

    ramp = forms.CharField(
        max_length=400,
        error_messages={
            "required": "Write how many messages may leave on each day.",
            "max_length": "That is no plan.",
        },
    )

    def clean_ramp(self):
        numbers = [word for word in re.split(r"[,;\s]+", self.cleaned_data["ramp"]) if word]
        if not all(number.isascii() and number.isdecimal() and len(number) < 7 for number in numbers):
            raise forms.ValidationError("Write whole numbers, such as 20 40 80 120 300 900 3000.")
        ramp = [int(number) for number in numbers]
        check_ramp(ramp)
        return ramp
