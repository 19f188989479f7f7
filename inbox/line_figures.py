"""What lines have done today and lately, for their pages; a constant number of queries for any number of lines."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import F, Q, Sum
from django.utils import timezone

from inbox.models import Message, ScheduledSend
from inbox.models.figures import Figures, Grain

# Of how many days the reply rate is.
REPLY_DAYS = 7
# As the guard counts them: ours from when they were let go, theirs from when they came.
TODAY = """
SELECT line.id,
    (SELECT count(*) FROM inbox_message WHERE line_id = line.id AND cleared_at >= %(day)s),
    (SELECT count(*) FROM inbox_message WHERE line_id = line.id AND at >= %(day)s AND direction = 'inbound'),
    (SELECT count(*) FROM inbox_message WHERE line_id = line.id AND begins AND cleared_at >= %(day)s)
FROM unnest(%(lines)s::uuid[]) AS line (id)
"""


@dataclass
class Today:
    """`limit` is what is recommended in and out, or, while it warms up, what may be sent; `used` counts towards it.
    `replied` is the share of the conversations that we began within a week in which they answered, None without any."""

    sent: int = 0
    received: int = 0
    begun: int = 0
    new_people: int = 0
    limit: int = 0
    is_ramp: bool = False
    begun_lately: int = 0
    replied: float | None = None

    @property
    def used(self):
        return self.sent if self.is_ramp else self.sent + self.received

    @property
    def share(self):
        return self.used / self.limit if self.limit else 1.0

    @property
    def room(self):
        return max(0, self.limit - self.used)

    @property
    def percent(self):
        return round(100 * self.share)

    @property
    def bar(self):
        """As wide as a meter can be."""
        return min(100, self.percent)

    @property
    def reply_percent(self):
        return None if self.replied is None else round(100 * self.replied)

    @property
    def state(self):
        return "danger" if self.share >= 1 else "warning" if self.share >= 0.9 else ""


def today_of(environment, lines):
    """{line's id: Today}"""
    if not lines:
        return {}
    day = environment.day_of(timezone.now())
    start = environment.start_of(day)
    with connection.cursor() as cursor:
        cursor.execute(TODAY, {"lines": [line.pk for line in lines], "day": start})
        counted = {pk: counts for pk, *counts in cursor.fetchall()}
    week = environment.start_of(day - timedelta(days=REPLY_DAYS - 1))
    kept = Figures.objects.under(None).filter(grain=Grain.DAY, line__in=lines, since__gte=week).values("line")
    kept = kept.annotate(
        begun=Sum("begun_by_us"),
        answered=Sum("begun_answered"),
        new=Sum("new_people", filter=Q(since__gte=start)),
    )
    kept = {row["line"]: row for row in kept}
    found = {}
    for line in lines:
        sent, received, begun = counted[line.pk]
        ceiling, row = line.ceiling_on(day), kept.get(line.pk, {})
        found[line.pk] = Today(
            sent=sent,
            received=received,
            begun=begun,
            new_people=row.get("new") or 0,
            limit=ceiling or line.daily_limit,
            is_ramp=ceiling is not None,
            begun_lately=row.get("begun") or 0,
            replied=row["answered"] / row["begun"] if row.get("begun") else None,
        )
    return found


def hours_of(environment, line):
    """How many messages in and out each hour of today had, from the first to the one that runs."""
    day = environment.day_of(timezone.now())
    start = environment.start_of(day)
    kept = Figures.objects.under(None).filter(grain=Grain.HOUR, line=line, since__gte=start).values("since")
    kept = kept.annotate(count=Sum(F("inbound") + F("outbound")))
    hours = [0] * 24
    for row in kept:
        hours[row["since"].astimezone(environment.zone).hour] += row["count"]
    return hours[: timezone.now().astimezone(environment.zone).hour + 1]


def delivered_of(line, environment):
    """(iMessages sent within a week, of these delivered, messages that failed)."""
    week = environment.start_of(environment.day_of(timezone.now()) - timedelta(days=REPLY_DAYS - 1))
    kept = Figures.objects.under(None).filter(grain=Grain.DAY, line=line, since__gte=week)
    found = kept.aggregate(
        sent=Sum("sent", filter=Q(service="iMessage"), default=0),
        delivered=Sum("delivered", filter=Q(service="iMessage"), default=0),
        failed=Sum("failed", default=0),
    )
    return found["sent"], found["delivered"], found["failed"]


def waiting_on(line):
    """What stands still while a line sends nothing: (messages that the guard holds, scheduled ones)."""
    held = Message.held().filter(line=line).count()
    scheduled = ScheduledSend.objects.filter(chat__line=line, state=ScheduledSend.State.WAITING).count()
    return held, scheduled


def new_people_of(environment, lines, *, days=30):
    """[(line, people who wrote with it for the first time within `days`)], the most first."""
    since = environment.start_of(environment.day_of(timezone.now()) - timedelta(days=days - 1))
    kept = Figures.objects.under(None).filter(grain=Grain.DAY, line__in=lines, since__gte=since)
    counted = dict(kept.values_list("line").annotate(Sum("new_people")))
    spread = [(line, counted.get(line.pk) or 0) for line in lines]
    return sorted(spread, key=lambda row: (-row[1], str(row[0]), row[0].pk))
