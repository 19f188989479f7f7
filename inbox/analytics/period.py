"""From when to when numbers are asked for, on the environment's clock, and how they lie in time."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from inbox.models.figures import Grain

RANGES = {"24h": "24h", "7d": "7d", "30d": "30d", "1y": "1y"}
# Up to so many days a chart has a bar for each.
DAYS_DRAWN = 92
LONGEST = timedelta(days=366 * 5)
UNITS = {Grain.HOUR: "hour", Grain.DAY: "day", Grain.MONTH: "month"}


@dataclass(frozen=True)
class Period:
    """From `start` until before `end`, both where an hour begins; longer than a day, where a day does."""

    environment: object
    start: datetime
    end: datetime
    name: str

    @classmethod
    def of(cls, environment, name, *, since=None, until=None, now=None):
        """One of RANGES, which end with the present hour or day, or all days from `since` to `until`."""
        now = now or timezone.now()
        today = environment.day_of(now)
        tomorrow = environment.start_of(today + timedelta(days=1))
        if since and until:
            return cls(
                environment,
                environment.start_of(since),
                environment.start_of(until + timedelta(days=1)),
                "custom",
            )
        if name == "24h":
            local = now.astimezone(environment.zone).replace(minute=0, second=0, microsecond=0)
            end = (local + timedelta(hours=1)).astimezone(now.tzinfo)
            return cls(environment, end - timedelta(hours=24), end, name)
        if name == "1y":
            first = today.replace(day=1)
            first = date(first.year - 1, first.month, 1) + timedelta(days=32)
            return cls(environment, environment.start_of(first.replace(day=1)), tomorrow, name)
        days = {"7d": 7, "30d": 30}[name]
        return cls(environment, environment.start_of(today - timedelta(days=days - 1)), tomorrow, name)

    @property
    def days(self):
        return (self.environment.day_of(self.end - timedelta(seconds=1)) - self.first_day).days + 1

    @property
    def first_day(self):
        return self.environment.day_of(self.start)

    @property
    def last_day(self):
        return self.environment.day_of(self.end - timedelta(seconds=1))

    @property
    def before(self):
        """As long a time right before it."""
        if self.name == "24h":
            return Period(self.environment, self.start - timedelta(hours=24), self.start, self.name)
        start = self.environment.start_of(self.first_day - timedelta(days=self.days))
        return Period(self.environment, start, self.start, self.name)

    @property
    def grain(self):
        """Of the bars of a chart."""
        if self.name == "24h":
            return Grain.HOUR
        return Grain.DAY if self.days <= DAYS_DRAWN else Grain.MONTH

    @property
    def unit(self):
        return UNITS[self.grain]

    @property
    def bars(self):
        """When each bar of a chart begins."""
        if self.grain == Grain.HOUR:
            return [self.start + timedelta(hours=hour) for hour in range(24)]
        days = [self.first_day + timedelta(days=day) for day in range(self.days)]
        if self.grain == Grain.MONTH:
            days = [day for at, day in enumerate(days) if day.day == 1 or at == 0]
            return [self.environment.start_of(day.replace(day=1)) for day in days]
        return [self.environment.start_of(day) for day in days]

    @property
    def rows(self):
        """The rows of figures that make it up: those of its bars, and days at the edges of whole months."""
        if self.grain == Grain.HOUR:
            return Q(grain=Grain.HOUR, since__gte=self.start, since__lt=self.end)
        first, last = self.whole_months
        if self.grain == Grain.DAY or first is None:
            return Q(grain=Grain.DAY, since__gte=self.start, since__lt=self.end)
        rows = Q(grain=Grain.MONTH, since__gte=first, since__lt=last)
        if self.start < first:
            rows |= Q(grain=Grain.DAY, since__gte=self.start, since__lt=first)
        if last < self.end:
            rows |= Q(grain=Grain.DAY, since__gte=last, since__lt=self.end)
        return rows

    @property
    def whole_months(self):
        """From when to when it consists of whole months; (None, None) where it has none. The present month is whole, for
        what is still to come of it counts nothing."""
        first = self.first_day if self.first_day.day == 1 else next_month(self.first_day)
        after = self.environment.day_of(self.end)
        last = next_month(after) if self.end > timezone.now() else after.replace(day=1)
        if self.grain == Grain.HOUR or first >= last:
            return None, None
        return self.environment.start_of(first), self.environment.start_of(last)


def next_month(day):
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
