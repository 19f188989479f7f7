"""The numbers of a period, from the figures; a constant number of queries for any period and any number of lines."""

from functools import cached_property
from math import exp2

from django.db.models import Count, Min, Sum
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, Trunc

from inbox.models import AnswerTimes, Chat, FailureFigures, Figures, WeekHours
from inbox.models.figures import COUNTS
from lines.models import User

# Rows of a table that has a row per line or person.
MOST = 100


class Counts(dict):
    """What was counted, by name, and what follows from it."""

    @property
    def messages(self):
        return self["inbound"] + self["outbound"]

    @property
    def tried(self):
        """Messages of ours of which it is to be said whether they arrived."""
        return self["outbound"] + self["failed"]

    @property
    def failed_share(self):
        return share(self["failed"], self.tried)

    @property
    def delivered_share(self):
        return share(self["delivered"], self["outbound"])

    @property
    def read_share(self):
        return share(self["read"], self["outbound"])

    @property
    def in_hour_share(self):
        return share(self["first_in_hour"], self["first_answers"])

    @property
    def reply_share(self):
        """Of the conversations that we began, those in which they wrote."""
        return share(self["begun_answered"], self["begun_by_us"])

    @property
    def for_each_received(self):
        """Messages sent for each that came in; None where none came."""
        return self["outbound"] / self["inbound"] if self["inbound"] else None


def share(part, whole):
    return part / whole if whole else None


class Times:
    """How long answers took, in seconds, from their buckets."""

    def __init__(self, buckets):
        self.buckets = sorted(buckets)
        self.count = sum(count for _, count in self.buckets)

    def within(self, part):
        """In so many seconds were so many (0.5: half) of them there; None where there were none."""
        if not self.count:
            return None
        wanted, passed = part * self.count, 0
        for bucket, count in self.buckets:
            if passed + count >= wanted:
                return exp2((bucket + (wanted - passed) / count) / 8)
            passed += count

    @property
    def median(self):
        return self.within(0.5)

    @property
    def p90(self):
        return self.within(0.9)


class Numbers:
    """Of an Asking. `before` are the counts of as long a time before."""

    def __init__(self, asking):
        self.asking, self.period = asking, asking.period
        self.lines = [line.pk for line in asking.asked_lines]

    def rows(self, model, period=None):
        rows = model.objects.filter((period or self.period).rows, line__in=self.lines)
        return rows.filter(author=self.asking.person) if self.asking.person else rows

    def figures(self, period=None):
        rows = self.rows(Figures, period)
        return rows.filter(service=self.asking.service) if self.asking.service else rows

    @cached_property
    def series(self):
        """Counts for each bar of a chart: [(when it begins, Counts)]"""
        unit = Trunc("since", self.period.unit, tzinfo=self.asking.environment.zone)
        found = self.figures().annotate(bar=unit).values("bar").annotate(**SUMS)
        found = {row.pop("bar"): Counts(row) for row in found}
        return [(bar, found.get(bar, NOTHING)) for bar in self.period.bars]

    @cached_property
    def total(self):
        return Counts({name: sum(counts[name] for _, counts in self.series) for name in COUNTS})

    @cached_property
    def before(self):
        found = self.figures(self.period.before).aggregate(**SUMS)
        return Counts({name: found[name] or 0 for name in COUNTS})

    @cached_property
    def by_line(self):
        lines = {line.pk: line for line in self.asking.asked_lines}
        found = self.figures().values("line").annotate(**SUMS)
        rows = [(lines[row["line"]], Counts(row)) for row in found]
        return sorted(rows, key=lambda row: -row[1].messages)[:MOST]

    @property
    def most_of_a_line(self):
        return max((counts.messages for _, counts in self.by_line), default=0) or 1

    @cached_property
    def by_service(self):
        found = self.figures().values("service").annotate(**SUMS)
        return sorted(((row["service"], Counts(row)) for row in found), key=lambda row: -row[1].messages)

    @cached_property
    def by_person(self):
        """[(person, Counts, Times of first answers)]; programs stand among people, since they answer like these."""
        found = self.figures().exclude(author=None)
        if not self.asking.membership.sees_every_line:
            found = found.filter(author=self.asking.user)
        found = {row["author"]: Counts(row) for row in found.values("author").annotate(**SUMS)}
        people = User.objects.in_bulk(found.keys())
        times = self.first_times_by("author")
        rows = [
            (people[pk], counts, Times(times.get(pk, []))) for pk, counts in found.items() if pk in people
        ]
        return sorted(rows, key=lambda row: (-row[1]["outbound"], str(row[0])))[:MOST]

    def times(self, period=None):
        return self.rows(AnswerTimes, period).filter(in_hours=self.asking.in_hours)

    def first_times_by(self, name, **annotations):
        rows = self.times().filter(is_first=True).annotate(**annotations)
        found = {}
        for key, bucket, count in (
            rows.values(name, "bucket").annotate(n=Sum("count")).values_list(name, "bucket", "n")
        ):
            found.setdefault(key, []).append((bucket, count))
        return found

    @cached_property
    def first_series(self):
        """[(when the bar begins, Times of first answers)]"""
        found = self.first_times_by(
            "bar", bar=Trunc("since", self.period.unit, tzinfo=self.asking.environment.zone)
        )
        return [(bar, Times(found.get(bar, []))) for bar in self.period.bars]

    @cached_property
    def first_times(self):
        return Times(merged(times.buckets for _, times in self.first_series))

    @cached_property
    def first_times_before(self):
        rows = self.times(self.period.before).filter(is_first=True)
        return Times(rows.values("bucket").annotate(n=Sum("count")).values_list("bucket", "n"))

    @cached_property
    def answer_times(self):
        rows = self.times().filter(is_first=False)
        return Times(rows.values("bucket").annotate(n=Sum("count")).values_list("bucket", "n"))

    @cached_property
    def failures(self):
        """[(code, count)], the most frequent first."""
        found = self.rows(FailureFigures).values("code").annotate(n=Sum("count"))
        return sorted(found.values_list("code", "n"), key=lambda row: (-row[1], row[0] or 0))

    @cached_property
    def week(self):
        """{(weekday from 1, hour): messages that came in}; of nobody in particular, whoever was asked for."""
        found = {}
        first, last = self.period.whole_months
        rows = []
        if first:
            whole = WeekHours.objects.filter(line__in=self.lines, since__gte=first, since__lt=last)
            rows += (
                whole.values("weekday", "hour").annotate(n=Sum("inbound")).values_list("weekday", "hour", "n")
            )
        edges = [(self.period.start, first), (last, self.period.end)] if first else []
        zone = self.asking.environment.zone
        for start, end in edges or [(self.period.start, self.period.end)]:
            if start < end:
                hours = Figures.objects.filter(
                    grain="h", line__in=self.lines, since__gte=start, since__lt=end
                )
                hours = hours.annotate(
                    weekday=ExtractIsoWeekDay("since", tzinfo=zone), hour=ExtractHour("since", tzinfo=zone)
                )
                rows += (
                    hours.values("weekday", "hour")
                    .annotate(n=Sum("inbound"))
                    .values_list("weekday", "hour", "n")
                )
        for weekday, hour, count in rows:
            found[weekday, hour] = found.get((weekday, hour), 0) + count
        return found

    @cached_property
    def waiting(self):
        """(how many wait for us now, since when the longest of them does)"""
        waiting = Chat.objects.open().filter(line__in=self.lines, waiting_since__isnull=False)
        waiting = waiting.filter(assignee=self.asking.person) if self.asking.person else waiting
        found = waiting.aggregate(n=Count("pk"), since=Min("waiting_since"))
        return found["n"], found["since"]


def merged(lists):
    found = {}
    for buckets in lists:
        for bucket, count in buckets:
            found[bucket] = found.get(bucket, 0) + count
    return found.items()


SUMS = {name: Sum(name) for name in COUNTS}
NOTHING = Counts(dict.fromkeys(COUNTS, 0))
