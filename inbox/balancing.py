"""Which line a new conversation uses: the one that the people know, else the healthiest with room; never one that is
flagged or paused, and one that has long been silent only where there is no other."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Max
from django.utils import timezone

from inbox.line_figures import Today, today_of
from inbox.models import Chat
from lines import health
from lines.models import Line

# From the best to the worst.
REPUTATIONS = ("HEALTHY", "AT_RISK", "CRITICAL")
LEVELS = (health.LOW, health.RAISED, health.HIGH)
# A line without traffic for so long is not woken by strangers, unless it is new.
DORMANT_AFTER = timedelta(days=14)

USED = """
SELECT line.id,
    (SELECT max(at) FROM inbox_message WHERE line_id = line.id),
    greatest(line.suggested_at, (
        SELECT max(last_outbound_at) FROM inbox_chat
        WHERE line_id = line.id AND last_outbound_at IS NOT NULL
    ))
FROM lines_line line WHERE line.id = ANY(%s)
"""


@dataclass
class Fitness:
    """How well a line would take a new conversation. `used_at` is when it was last chosen or written from."""

    line: Line
    today: Today
    spoken_at: datetime | None
    used_at: datetime | None

    @property
    def can_send(self):
        return self.line.status in Line.WORKING

    @property
    def is_dormant(self):
        since = timezone.now() - DORMANT_AFTER
        is_new = self.line.created_at > since or self.line.status == Line.Status.WARMING
        return not is_new and (self.spoken_at is None or self.spoken_at < since)

    @property
    def is_full(self):
        return self.today.room == 0

    @property
    def rank(self):
        """The smaller the better; equal for lines that are as good as each other."""
        level = LEVELS.index(health.level_of(self.line.risk))
        return (not self.can_send, self.is_dormant, rank_of(self.line), level, self.is_full, self.tenth)

    @property
    def tenth(self):
        """Of its day, so that lines take turns as long as none has had much more than another."""
        return min(10, int(10 * self.today.share))

    @property
    def turn(self):
        """Of equals the one whose turn it is comes first: that was used longest ago."""
        return self.used_at is not None, self.used_at, self.line.created_at, self.line.pk


def rank_of(line):
    return REPUTATIONS.index(line.reputation) if line.reputation in REPUTATIONS else len(REPUTATIONS)


def fitness_of(environment, lines):
    """{line's id: Fitness}, in a constant number of queries."""
    today = today_of(environment, lines)
    with connection.cursor() as cursor:
        cursor.execute(USED, [[line.pk for line in lines]])
        used = {pk: times for pk, *times in cursor.fetchall()}
    return {line.pk: Fitness(line, today[line.pk], *used[line.pk]) for line in lines}


def healthiest(environment, lines):
    """Of these (one at least) the healthiest with room; of equals the one that was used longest ago."""
    fits = fitness_of(environment, lines).values()
    best = min(fit.rank for fit in fits)
    return min((fit for fit in fits if fit.rank == best), key=lambda fit: fit.turn).line


def known_to(lines, addresses):
    """Of these lines the one that most of the people know from a conversation of their own; None where nobody does."""
    alone = Chat.objects.filter(line__in=lines, participants_key__in=addresses, is_group=False)
    known = alone.values("line").annotate(
        people=Count("participants_key", distinct=True), at=Max("last_activity_at")
    )
    best = known.order_by("-people", "-at").first()
    return best and next(line for line in lines if line.pk == best["line"])
