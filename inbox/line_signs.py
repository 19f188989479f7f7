"""What we notice ourselves before the carrier says anything: iMessages that fail, and a line that falls silent."""

from datetime import timedelta

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from inbox.models.figures import Figures, Grain
from lines.models import Line, LineAlert

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# iMessages that fail within an hour: how many of them, to how many people, as a share, and times the usual share.
FAILS, FAILS_FOR, FAILS_SHARE, FAILS_TIMES = 5, 3, 0.3, 3
# It is over when fewer than this share fail.
FAILS_END = 0.1
# A line is silent when nothing came for so long in which so many usually come.
SILENCE, USUALLY = timedelta(hours=3), 10

# Of the last hour: (line, iMessages that left or should have, those that failed, to how many people).
FAILING = """
SELECT line_id, count(*), count(*) FILTER (WHERE failed), count(DISTINCT chat_id) FILTER (WHERE failed)
FROM (
    SELECT line_id, chat_id, failed_at IS NOT NULL AND delivered_at IS NULL AS failed FROM inbox_message
    WHERE line_id = ANY(%(lines)s) AND at > %(since)s AND direction = 'outbound' AND service IN ('iMessage', '')
        AND (accepted_at IS NOT NULL OR failed_at IS NOT NULL) AND coalesce(verdict->>'action', '') <> 'refuse'
) ours GROUP BY 1
"""
# Who was heard from lately: theirs came, or ours arrived.
HEARD = """
SELECT DISTINCT line_id FROM inbox_message
WHERE line_id = ANY(%(lines)s) AND at > %(since)s AND (direction = 'inbound' OR delivered_at IS NOT NULL)
"""


def look(environment, *, now=None):
    """Open and end the alerts of the signs that we see on the working lines of an environment."""
    now = now or timezone.now()
    lines = list(environment.lines.filter(status__in=Line.WORKING).order_by("pk"))
    if not lines:
        return
    failing, heard = ask(FAILING, lines, now - HOUR), {row[0] for row in ask(HEARD, lines, now - SILENCE)}
    failing = {line: counts for line, *counts in failing}
    usual = usual_of(lines, now)
    for line in lines:
        line.environment = environment
        look_for_failures(line, *failing.get(line.pk, (0, 0, 0)), *usual.get(line.pk, (0, 0)))
    silent = [line for line in lines if line.pk not in heard]
    expected = expected_of(silent, now)
    for line in lines:
        look_for_silence(line, line.pk in heard, expected.get(line.pk, 0))


def ask(statement, lines, since):
    with connection.cursor() as cursor:
        cursor.execute(statement, {"lines": [line.pk for line in lines], "since": since})
        return cursor.fetchall()


def usual_of(lines, now):
    """{line's id: (iMessages that left, those that failed)} of four weeks before today."""
    kept = Figures.objects.under(None).filter(grain=Grain.DAY, line__in=lines, service="iMessage")
    kept = kept.filter(since__lt=now - DAY, since__gte=now - 29 * DAY).values_list("line")
    return {line: counts for line, *counts in kept.annotate(Sum("sent"), Sum("failed"))}


def look_for_failures(line, tried, failed, people, usually_sent, usually_failed):
    share = failed / tried if tried else 0
    usual = usually_failed / (usually_sent + usually_failed) if usually_sent + usually_failed else 0
    if failed >= FAILS and people >= FAILS_FOR and share >= max(FAILS_SHARE, FAILS_TIMES * usual):
        reason = f"{failed} of {tried} iMessages failed within an hour, usually {usual:.0%}"
        LineAlert.begin(line, LineAlert.Kind.FAILING, reason=reason)
    elif share < FAILS_END:
        LineAlert.cease(line, LineAlert.Kind.FAILING)


def expected_of(lines, now):
    """{line's id: how many messages usually come in the hours in which none came now}"""
    begin = now - SILENCE
    spans = [(begin - number * DAY, now - number * DAY) for number in range(1, 29)]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT line_id, count(*) / 28.0 FROM unnest(%s::timestamptz[], %s::timestamptz[]) AS span (since, until)
            JOIN inbox_message ON line_id = ANY(%s) AND at > span.since AND at <= span.until AND direction = 'inbound'
            GROUP BY 1""",
            [[span[0] for span in spans], [span[1] for span in spans], [line.pk for line in lines]],
        )
        return dict(cursor.fetchall())


def look_for_silence(line, is_heard, expected):
    if is_heard:
        LineAlert.cease(line, LineAlert.Kind.SILENT)
    elif expected >= USUALLY:
        hours = SILENCE // HOUR
        reason = f"nothing came for {hours} hours, in which usually {expected:.0f} messages do"
        LineAlert.begin(line, LineAlert.Kind.SILENT, reason=reason)
