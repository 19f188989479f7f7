"""The numbers of a period, from the figures; a constant number of queries for any period and any number of lines."""

from functools import cached_property
from math import exp2

from django.db import connection
from django.db.models import Count, Min, Sum
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay
from django.urls import reverse

from inbox.models import AnswerTimes, Chat, FailureFigures, Figures, TeamTimes, WeekHours
from inbox.models.figures import COUNTS, Grain
from inbox.team import EVERYONE
from lines.models import User

# Rows of a table that has a row per line or person; the others are had by choosing one.
MOST = 25


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

    most = MOST

    def __init__(self, asking):
        self.asking, self.period = asking, asking.period
        self.lines = [line.pk for line in asking.asked_lines]

    def rows(self, model, period=None):
        return self.narrowed(model.objects.under(self.asking.label), period)

    @property
    def times_model(self):
        """Where the times of answers are read: of all lines together where nothing less was asked for."""
        asking = self.asking
        is_all = asking.membership.sees_every_line and not asking.line and not asking.person
        return TeamTimes if is_all and self.period.grain != Grain.HOUR else AnswerTimes

    def narrowed(self, rows, period=None):
        rows = rows.filter((period or self.period).rows)
        if rows.model is TeamTimes:
            rows = rows.filter(environment=self.asking.environment)
        else:
            rows = rows.filter(line__in=self.lines)
        return rows.filter(author=self.asking.person) if self.asking.person else rows

    def of_labels(self, model):
        """Rows of each label, or of the one that was asked for."""
        labels = [self.asking.label] if self.asking.label else self.asking.labels
        return self.narrowed(model.objects.filter(label__in=[label.pk for label in labels]))

    def figures(self, period=None):
        return self.by_asked_service(self.rows(Figures, period))

    def by_asked_service(self, rows):
        return rows.filter(service=self.asking.service) if self.asking.service else rows

    def grouped(self, rows, keys, names, *within):
        """One reading of `rows` for several tables: {key: {its value: [(values of `within`, sums of `names`)]}}. The key
        `bar` is when the bar of a chart begins."""
        found = {key: {} for key in keys}
        if not self.lines:
            return found
        columns = ["since", *(key for key in keys if key != "bar"), *within, *names]
        read, parameters = rows.values_list(*columns).query.sql_with_params()
        zone, unit = self.asking.environment.time_zone, self.period.unit
        grouping = ", ".join(f"({', '.join([key, *within])})" for key in keys)
        sums = ", ".join(f"sum({name})::bigint" for name in names)
        sql = (
            f"SELECT grouping({', '.join(keys)}), {', '.join([*keys, *within])}, {sums} FROM (SELECT *,"
            f" date_trunc(%s, since AT TIME ZONE %s) AT TIME ZONE %s AS bar FROM ({read}) AS counted) AS placed"
            f" GROUP BY GROUPING SETS ({grouping})"
        )
        # Of each set the one key that is grouped by has a bit of 0.
        key_of = {(1 << len(keys)) - 1 - (1 << (len(keys) - 1 - at)): key for at, key in enumerate(keys)}
        with connection.cursor() as cursor:
            cursor.execute(sql, [unit, zone, zone, *parameters])
            for bits, *values in cursor.fetchall():
                key = key_of[bits]
                value, rest = values[keys.index(key)], values[len(keys) :]
                found[key].setdefault(value, []).append((rest[: len(within)], rest[len(within) :]))
        return found

    @cached_property
    def counts(self):
        """{"bar" | "line_id" | "service" | "author_id": {its value: Counts}}"""
        found = self.grouped(self.figures(), ("bar", "line_id", "service", "author_id"), tuple(COUNTS))
        return {
            key: {value: Counts(zip(COUNTS, rows[0][1], strict=True)) for value, rows in values.items()}
            for key, values in found.items()
        }

    @cached_property
    def series(self):
        """Counts for each bar of a chart: [(when it begins, Counts)]"""
        return [(bar, self.counts["bar"].get(bar, NOTHING)) for bar in self.period.bars]

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
        rows = [(lines[pk], counts) for pk, counts in self.counts["line_id"].items()]
        return sorted(rows, key=lambda row: -row[1].messages)[:MOST]

    @property
    def most_of_a_line(self):
        return max((counts.messages for _, counts in self.by_line), default=0) or 1

    @cached_property
    def by_service(self):
        return sorted(self.counts["service"].items(), key=lambda row: -row[1].messages)

    @cached_property
    def by_label(self):
        """[(label, Counts, Times of first answers)] of labels that conversations have now."""
        if not self.asking.labels:
            return []
        figures = self.by_asked_service(self.of_labels(Figures))
        times = self.of_labels(self.times_model).filter(in_hours=self.asking.in_hours, is_first=True)
        counts = self.grouped(figures, ("label_id",), tuple(COUNTS))["label_id"]
        times = self.grouped(times, ("label_id",), ("count",), "is_first", "bucket")["label_id"]
        rows = [
            (
                label,
                Counts(zip(COUNTS, counts[label.pk][0][1], strict=True)),
                Times(buckets_of(times.get(label.pk, []), is_first=True)),
            )
            for label in self.asking.labels
            if label.pk in counts
        ]
        return sorted(rows, key=lambda row: -row[1].messages)[:MOST]

    @cached_property
    def by_person(self):
        """[(person, Counts, Times of first answers)]; programs stand among people, since they answer like these."""
        found, people = self.counts["author_id"], User.objects.in_bulk(self.busiest)
        times = self.times_of_people
        return [
            (people[pk], found[pk], Times(buckets_of(times.get(pk, []), is_first=True)))
            for pk in self.busiest
            if pk in people
        ]

    @cached_property
    def busiest(self):
        """Ids of those who sent most, of whom this person may see numbers."""
        found = {pk: counts for pk, counts in self.counts["author_id"].items() if pk}
        if not self.asking.membership.sees_every_line:
            found = {pk: counts for pk, counts in found.items() if pk == self.asking.user.pk}
        return sorted(found, key=lambda pk: (-found[pk]["outbound"], str(pk)))[:MOST]

    def times(self, period=None):
        return self.rows(self.times_model, period).filter(in_hours=self.asking.in_hours)

    @cached_property
    def times_of_bars(self):
        return self.grouped(self.times(), ("bar",), ("count",), "is_first", "bucket")["bar"]

    @cached_property
    def times_of_people(self):
        """First answers of the busiest."""
        if not self.busiest:
            return {}
        # Few of the lines are theirs, and the others' rows are many.
        wrote = self.grouped(self.figures(), ("line_id",), ("outbound",), "author_id")["line_id"]
        theirs = [
            line for line, rows in wrote.items() if any(author in self.busiest for (author,), _ in rows)
        ]
        rows = self.rows(AnswerTimes).filter(in_hours=self.asking.in_hours, is_first=True)
        rows = rows.filter(line__in=theirs, author__in=self.busiest)
        return self.grouped(rows, ("author_id",), ("count",), "is_first", "bucket")["author_id"]

    @cached_property
    def first_series(self):
        """[(when the bar begins, Times of first answers)]"""
        found = self.times_of_bars
        return [(bar, Times(buckets_of(found.get(bar, []), is_first=True))) for bar in self.period.bars]

    @cached_property
    def first_times(self):
        return Times(merged(times.buckets for _, times in self.first_series))

    @cached_property
    def first_times_before(self):
        rows = self.times(self.period.before).filter(is_first=True)
        return Times(rows.values("bucket").annotate(n=Sum("count")).values_list("bucket", "n"))

    @cached_property
    def answer_times(self):
        rows = [row for rows in self.times_of_bars.values() for row in rows]
        return Times(merged([buckets_of(rows, is_first=False)]))

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
            whole = WeekHours.objects.under(self.asking.label).filter(
                line__in=self.lines, since__gte=first, since__lt=last
            )
            rows += (
                whole.values("weekday", "hour").annotate(n=Sum("inbound")).values_list("weekday", "hour", "n")
            )
        edges = [(self.period.start, first), (last, self.period.end)] if first else []
        zone = self.asking.environment.zone
        for start, end in edges or [(self.period.start, self.period.end)]:
            if start < end:
                hours = Figures.objects.under(self.asking.label).filter(
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

    @property
    def waiting_path(self):
        """Where those stand who wait; "" where a line and a person were asked for, of which there is no list."""
        asking = self.asking
        if asking.line and asking.person:
            return ""
        whose = f"line/{asking.line.pk}" if asking.line else asking.person.pk if asking.person else EVERYONE
        path = reverse("team-inbox", args=[whose, "waiting"])
        return f"{path}?label={asking.label.pk}" if asking.label else path

    @cached_property
    def waiting(self):
        """(how many wait for us now, since when the longest of them does)"""
        waiting = Chat.objects.open().filter(line__in=self.lines, waiting_since__isnull=False)
        waiting = waiting.filter(assignee=self.asking.person) if self.asking.person else waiting
        waiting = waiting.filter(labels=self.asking.label) if self.asking.label else waiting
        found = waiting.aggregate(n=Count("pk"), since=Min("waiting_since"))
        return found["n"], found["since"]


def buckets_of(rows, *, is_first):
    return [(bucket, count) for (first, bucket), (count,) in rows if first == is_first]


def merged(lists):
    found = {}
    for buckets in lists:
        for bucket, count in buckets:
            found[bucket] = found.get(bucket, 0) + count
    return found.items()


SUMS = {name: Sum(name) for name in COUNTS}
NOTHING = Counts(dict.fromkeys(COUNTS, 0))
