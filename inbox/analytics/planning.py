"""How many people a line carries, how many lines so many people need, and when the limit is reached."""

from datetime import timedelta
from functools import cached_property
from math import ceil

from django import forms
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from inbox.models import Figures, Message

# Days of traffic that are measured, and days after which no forecast is worth its words.
MEASURED, FORESEEN = 14, 730
# Days with traffic from which on a trend is believed.
FEWEST = 5
# Of the limit, so much is used on a calm day.
CALM = 0.8


class PlanForm(forms.Form):
    """What somebody plans with; empty where it is to be what was measured."""

    line = forms.UUIDField(required=False)
    people = forms.IntegerField(required=False, min_value=0, max_value=10_000_000)
    inbound = forms.FloatField(required=False, min_value=0, max_value=1000)
    outbound = forms.FloatField(required=False, min_value=0, max_value=1000)
    limit = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)

    @property
    def said(self):
        return {
            name: value for name, value in self.cleaned_data.items() if value is not None and name != "line"
        }


class Plan:
    """Of the pilot line, which is that of `asking` or else the busiest one; with its numbers, or with what is given."""

    def __init__(self, asking, **given):
        self.asking, self.environment, self.given = asking, asking.environment, given

    @cached_property
    def period(self):
        """The last whole days."""
        today = self.environment.day_of(timezone.now())
        return self.environment.start_of(today - timedelta(days=MEASURED)), self.environment.start_of(today)

    def figures(self, lines):
        start, end = self.period
        return Figures.objects.under(None).filter(grain="d", line__in=lines, since__gte=start, since__lt=end)

    @cached_property
    def pilot(self):
        """None where there is no line at all."""
        if self.asking.line or not self.asking.lines:
            return self.asking.line
        found = self.figures([line.pk for line in self.asking.lines]).values("line")
        busiest = found.annotate(n=Sum("inbound") + Sum("outbound")).order_by("-n").first()
        lines = {line.pk: line for line in self.asking.lines}
        return lines[busiest["line"]] if busiest else self.asking.lines[0]

    @cached_property
    def days(self):
        """[{since, inbound, outbound}] of each day of the pilot on which anything was said."""
        if self.pilot is None:
            return []
        rows = self.figures([self.pilot.pk]).values("since")
        days = rows.annotate(inbound=Sum("inbound"), outbound=Sum("outbound")).order_by("since")
        return [day for day in days if day["inbound"] or day["outbound"]]

    @cached_property
    def people_days(self):
        """{the date: the conversations of the pilot in which something was said}"""
        if self.pilot is None:
            return {}
        start, end = self.period
        said = Message.objects.filter(line=self.pilot, at__gte=start, at__lt=end)
        said = said.filter(Q(direction="inbound") | Q(accepted_at__isnull=False))
        day = TruncDate("at", tzinfo=self.environment.zone)
        days = said.annotate(day=day).values("day").annotate(n=Count("chat", distinct=True))
        return {day["day"]: day["n"] for day in days.order_by("day")}

    @property
    def rows(self):
        """The numbers behind it: (date, people, messages in, messages out)."""
        for day in self.days:
            date = self.environment.day_of(day["since"])
            yield date, self.people_days.get(date, 0), day["inbound"], day["outbound"]

    @property
    def is_measured(self):
        return bool(self.people_days)

    @property
    def people(self):
        """People who write with us on a day."""
        measured = sum(self.people_days.values()) / len(self.people_days) if self.people_days else 0
        return self.given.get("people", round(measured))

    def each(self, name):
        if name in self.given:
            return self.given[name]
        people = sum(self.people_days.values())
        return round(sum(day[name] for day in self.days) / people, 1) if people else 0

    @property
    def inbound(self):
        return self.each("inbound")

    @property
    def outbound(self):
        return self.each("outbound")

    @property
    def limit(self):
        """Messages in and out that are advised for a line and day."""
        return self.given.get("limit", self.pilot.daily_limit if self.pilot else 3000)

    @property
    def messages(self):
        return round(self.people * (self.inbound + self.outbound))

    @property
    def people_per_line(self):
        """None where nobody writes anything."""
        each = self.inbound + self.outbound
        return int(self.limit / each) if each else None

    @property
    def lines_needed(self):
        return max(1, ceil(self.messages / self.limit))

    @property
    def load(self):
        """How much of the limits of all of them is used."""
        return self.messages / (self.lines_needed * self.limit)

    @property
    def spare(self):
        return 1 - self.load

    @property
    def most_people(self):
        """Where a slider of people ends."""
        return max(1000, 4 * self.people)

    @property
    def with_one_less(self):
        """The load on one line less; None where that is none."""
        fewer = self.lines_needed - 1
        return self.messages / (fewer * self.limit) if fewer else None

    @property
    def is_tight(self):
        return self.load > CALM

    @cached_property
    def growth(self):
        """Messages by which a day of the pilot is more than the day before, along a straight line through the measured
        days; None where they are too few for one."""
        if len(self.days) < FEWEST:
            return None
        points = [
            ((self.environment.day_of(day["since"]) - self.environment.day_of(self.period[0])).days, day)
            for day in self.days
        ]
        points = [(x, day["inbound"] + day["outbound"]) for x, day in points]
        mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
        return slope, mean_y - slope * mean_x

    @property
    def crossed_on(self):
        """The day on which the pilot reaches its limit if it goes on growing like this; None where it does not within two
        years."""
        if self.growth is None or self.growth[0] <= 0:
            return None
        slope, base = self.growth
        days = ceil((self.limit - base) / slope)
        day = self.environment.day_of(self.period[0]) + timedelta(days=days)
        today = self.environment.day_of(timezone.now())
        return max(day, today) if days < MEASURED + FORESEEN else None
