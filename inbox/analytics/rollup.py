"""Keeps the figures: recomputed from the messages themselves for each hour that the log says was touched.

Nothing is added up from events, so it does not matter in which order or how often they are told, or how late a message
comes: an hour is counted anew from what stands in it. A cursor per environment says up to which event that was done; it
moves in the transaction of the figures.
"""

from datetime import timedelta

import structlog
from django.db import connection, transaction
from django.utils import timezone

from inbox.models.figures import COUNTS, AnswerTimes, FailureFigures, Figures, FiguresCursor, TeamTimes
from lines.models import Environment, Event

log = structlog.get_logger()

# Events that are looked at in one transaction; line-hours that a check counts anew.
BATCH, SAMPLE = 2000, 200
# Silence after which the next message begins a conversation.
SILENCE = timedelta(hours=24)

# Events after which a whole conversation counts elsewhere.
MOVES_CHAT = ("inbox.label_added", "inbox.label_removed")
# Events after which nothing stands where it stood: days begin and offices open at other times.
MOVES_ALL = ("inbox.hours_changed", "inbox.history_imported")

# Every message of the chats that were touched, with what it means: it begins a conversation, it ends a waiting.
MESSAGES = """
WITH chats AS ({chats}),
said AS (
    SELECT
        message.id, message.chat_id, message.at, message.author_id, message.service, message.error_code,
        message.consent = 'stop' AS asks_to_stop, chat.is_group,
        message.direction = 'inbound' AS is_in,
        message.direction = 'outbound' AND (message.accepted_at IS NOT NULL OR message.sent_at IS NOT NULL) AS is_out,
        message.sent_at IS NOT NULL AS is_sent, message.delivered_at IS NOT NULL AS is_delivered,
        message.read_at IS NOT NULL AS is_read,
        message.failed_at IS NOT NULL AND message.delivered_at IS NULL AS has_failed
    FROM inbox_message message JOIN inbox_chat chat ON chat.id = message.chat_id
    WHERE message.chat_id IN (SELECT chat_id FROM chats)
),
turns AS (
    SELECT said.*,
        lag(at) OVER thread AS before,
        count(*) FILTER (WHERE is_out) OVER (thread ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS turn
    FROM said WHERE is_in OR is_out
    WINDOW thread AS (PARTITION BY chat_id ORDER BY at, id)
),
waits AS (
    SELECT turns.*, min(at) FILTER (WHERE is_in) OVER (PARTITION BY chat_id, turn) AS waited_since FROM turns
),
starts AS (
    SELECT waits.*,
        (before IS NULL OR at - before >= %(silence)s) AND NOT (is_out AND waited_since IS NOT NULL) AS begins
    FROM waits
),
talks AS (
    SELECT starts.*,
        count(*) FILTER (WHERE begins) OVER (PARTITION BY chat_id ORDER BY at, id ROWS UNBOUNDED PRECEDING) AS talk
    FROM starts
),
meant AS (
    SELECT talks.*,
        bool_or(is_in) OVER (PARTITION BY chat_id, talk) AS is_answered_by_them,
        bool_or(begins AND is_in) OVER (PARTITION BY chat_id, talk) AS is_begun_by_them,
        count(*) FILTER (WHERE is_out) OVER (
            PARTITION BY chat_id, talk ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS answers_before,
        CASE WHEN is_out AND waited_since < at THEN extract(epoch FROM at - waited_since) END AS took
    FROM talks
),
counted AS (
    SELECT meant.*, date_trunc('hour', at AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s AS since,
        took IS NOT NULL AND answers_before = 0 AND is_begun_by_them AS is_first_answer
    FROM meant
    UNION ALL
    SELECT said.*, NULL, NULL, NULL, false, NULL, false, false, NULL, NULL,
        date_trunc('hour', at AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s, false
    FROM said WHERE has_failed AND NOT is_in AND NOT is_out
),
wanted AS MATERIALIZED (
    SELECT counted.*, label_id FROM counted CROSS JOIN LATERAL (
        SELECT NULL::uuid AS label_id
        UNION ALL SELECT label_id FROM inbox_chatlabel WHERE chat_id = counted.chat_id
    ) labels WHERE {wanted}
)
"""

ALL_CHATS = "SELECT id AS chat_id FROM inbox_chat WHERE line_id = %(line)s"
CHATS_OF_HOURS = """
    SELECT DISTINCT message.chat_id FROM unnest(%(hours)s::timestamptz[]) AS hours (since)
    JOIN inbox_message message
        ON message.line_id = %(line)s AND message.at >= hours.since AND message.at < hours.since + interval '1 hour'
"""

FIGURES = """
INSERT INTO inbox_figures (grain, line_id, since, label_id, author_id, service, NAMES)
SELECT 'h', %(line)s, since, label_id, author_id, service,
    count(*) FILTER (WHERE is_in),
    count(*) FILTER (WHERE is_out),
    count(*) FILTER (WHERE is_out AND is_sent),
    count(*) FILTER (WHERE is_out AND is_delivered),
    count(*) FILTER (WHERE is_out AND is_read),
    count(*) FILTER (WHERE has_failed),
    count(*) FILTER (WHERE is_in AND asks_to_stop),
    count(*) FILTER (WHERE begins),
    count(*) FILTER (WHERE begins AND is_out),
    count(*) FILTER (WHERE begins AND is_out AND is_answered_by_them),
    count(*) FILTER (WHERE (is_in OR is_out) AND before IS NULL AND NOT is_group),
    count(*) FILTER (WHERE took IS NOT NULL),
    count(*) FILTER (WHERE took <= 3600),
    count(*) FILTER (WHERE is_first_answer),
    count(*) FILTER (WHERE is_first_answer AND took <= 3600)
FROM wanted GROUP BY since, label_id, author_id, service
""".replace("NAMES", ", ".join(COUNTS))


def open_until(moment):
    """SQL of the seconds in which it was open from the Monday 5 January 1970 until `moment`, by the clock on the wall."""
    local = f"({moment} AT TIME ZONE %(zone)s)"
    day = f"({local}::date - date '1970-01-05')"
    of_day = f"extract(epoch FROM {local}::time)"
    is_open = f"({day} %% 7 + 1) = ANY(%(days)s)"
    return (
        f"((({day} / 7) * cardinality(%(days)s::int[])"
        f" + (SELECT count(*) FROM unnest(%(days)s::int[]) AS day WHERE day <= {day} %% 7)) * %(length)s"
        f" + CASE WHEN {is_open} THEN least(greatest({of_day} - %(opens)s, 0), %(length)s) ELSE 0 END)"
    )


OPEN_SECONDS = f"{open_until('at')} - {open_until('waited_since')}"


TIMES = f"""
INSERT INTO inbox_answertimes (grain, line_id, since, label_id, author_id, is_first, in_hours, bucket, count)
SELECT 'h', %(line)s, since, label_id, author_id, kind.is_first, kind.in_hours,
    floor(8 * ln(greatest(1, CASE WHEN kind.in_hours THEN open_seconds ELSE took END)::float8) / ln(2::float8)), count(*)
FROM (SELECT wanted.*, {OPEN_SECONDS} AS open_seconds FROM wanted WHERE took IS NOT NULL) answers
JOIN (VALUES (false, false), (false, true), (true, false), (true, true)) AS kind (is_first, in_hours)
    ON NOT kind.is_first OR answers.is_first_answer
GROUP BY 3, 4, 5, 6, 7, 8
"""

FAILURES = """
INSERT INTO inbox_failurefigures (grain, line_id, since, label_id, author_id, code, count)
SELECT 'h', %(line)s, since, label_id, author_id, error_code, count(*)
FROM wanted WHERE has_failed GROUP BY since, label_id, author_id, error_code
"""

# The larger grains are sums of the smaller ones.
SUMS = {
    Figures: (
        "label_id, author_id, service",
        ", ".join(f"sum({name})" for name in COUNTS),
        ", ".join(COUNTS),
    ),
    AnswerTimes: ("label_id, author_id, is_first, in_hours, bucket", "sum(count)", "count"),
    FailureFigures: ("label_id, author_id, code", "sum(count)", "count"),
}
SUM = """
INSERT INTO {table} (grain, line_id, since, {keys}, {names})
SELECT %(grain)s, line_id, date_trunc(%(unit)s, since AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s AS larger, {keys}, {sums}
FROM {table} WHERE grain = %(smaller)s AND line_id = %(line)s AND {wanted}
GROUP BY line_id, larger, {keys}
"""
WEEK_HOURS = """
INSERT INTO inbox_weekhours (line_id, label_id, since, weekday, hour, inbound, outbound)
SELECT line_id, label_id, date_trunc('month', since AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s AS month,
    extract(isodow FROM since AT TIME ZONE %(zone)s), extract(hour FROM since AT TIME ZONE %(zone)s),
    sum(inbound), sum(outbound)
FROM inbox_figures WHERE grain = 'h' AND line_id = %(line)s AND {wanted}
GROUP BY line_id, label_id, month, 4, 5
"""

TEAM_TIMES = """
INSERT INTO inbox_teamtimes (environment_id, grain, since, label_id, is_first, in_hours, bucket, count)
SELECT %(environment)s, grain, since, label_id, is_first, in_hours, bucket, sum(count)
FROM inbox_answertimes
WHERE grain = %(grain)s AND line_id IN (SELECT id FROM lines_line WHERE environment_id = %(environment)s) AND {wanted}
GROUP BY grain, since, label_id, is_first, in_hours, bucket
"""

# The hours that messages of these ids and of these chats stand in, and those that what they say may change: of what comes next in the
# chat, of our next message, and of the message that began the conversation.
COUNTED = "(message.direction = 'inbound' OR message.accepted_at IS NOT NULL OR message.sent_at IS NOT NULL)"
TOUCHED = f"""
WITH told AS (SELECT id, chat_id, line_id, at FROM inbox_message WHERE id = ANY(%(messages)s)),
near AS (
    SELECT line_id, at FROM told
    UNION
    SELECT line_id, at FROM inbox_message WHERE chat_id = ANY(%(chats)s)
    UNION
    SELECT told.line_id, following.at FROM told, LATERAL (
        SELECT at FROM inbox_message message
        WHERE message.chat_id = told.chat_id AND (message.at, message.id) > (told.at, told.id) AND {COUNTED}
        ORDER BY message.at, message.id LIMIT 1
    ) following
    UNION
    SELECT told.line_id, ours.at FROM told, LATERAL (
        SELECT at FROM inbox_message message
        WHERE message.chat_id = told.chat_id AND (message.at, message.id) > (told.at, told.id)
            AND message.direction = 'outbound' AND {COUNTED}
        ORDER BY message.at, message.id LIMIT 1
    ) ours
    UNION
    SELECT told.line_id, earlier.at FROM told, LATERAL (
        SELECT message.at FROM inbox_message message
        WHERE message.chat_id = told.chat_id AND message.at <= told.at AND {COUNTED} AND NOT EXISTS (
            SELECT FROM inbox_message sooner
            WHERE sooner.chat_id = told.chat_id AND sooner.at < message.at AND sooner.at > message.at - %(silence)s
                AND {COUNTED.replace("message.", "sooner.")}
        )
        ORDER BY message.at DESC LIMIT 1
    ) earlier
)
SELECT line_id, date_trunc('hour', at AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s FROM near GROUP BY 1, 2
"""


def follow(environment):
    """Count anew what was touched since the cursor; True where there is more. Whoever finds somebody else at it leaves."""
    with transaction.atomic():
        cursor = hold(environment)
        if cursor is None:
            return False
        events = list(
            Event.objects.filter(environment=environment)
            .since(cursor.sequence)
            .values_list("sequence", "type", "message_id", "chat_id")[:BATCH]
        )
        if not events:
            return False
        if any(type in MOVES_ALL for _, type, *_ in events):
            environment.refresh_from_db()
            rebuild(environment)
        else:
            messages = {message for *_, message, _ in events} - {None}
            chats = {chat for _, type, _, chat in events if type in MOVES_CHAT} - {None}
            count_anew(environment, touched(environment, messages, chats))
        cursor.sequence = events[-1][0]
        cursor.save(update_fields=["sequence"])
    return len(events) == BATCH


def hold(environment):
    """The cursor of the environment, locked; None where somebody else has it. One that is new begins by counting all."""
    held = FiguresCursor.objects.select_for_update(skip_locked=True)
    if cursor := held.filter(environment=environment).first():
        return cursor
    _, is_new = FiguresCursor.objects.get_or_create(
        environment=environment, defaults={"sequence": environment.last_sequence}
    )
    if is_new:
        rebuild(environment)
    return held.filter(environment=environment).first()


def touched(environment, messages, chats):
    """{line's id: the hours to be counted anew}: of what these messages may change, and all those of the chats"""
    if not messages and not chats:
        return {}
    with connection.cursor() as cursor:
        told = {
            "messages": list(messages),
            "chats": list(chats),
            "zone": environment.time_zone,
            "silence": SILENCE,
        }
        cursor.execute(TOUCHED, told)
        hours = {}
        for line, since in cursor.fetchall():
            hours.setdefault(line, set()).add(since)
    return hours


def count_anew(environment, hours):
    for line, since in sorted(hours.items()):
        count_line(environment, line, sorted(since))
    if hours:
        sum_team(environment, set().union(*hours.values()))


def count_line(environment, line, hours=None):
    """Count these hours of a line, or all of them, and what they are part of; in the caller's transaction."""
    told = parameters(environment, line)
    chats, wanted = ALL_CHATS, "true"
    if hours is not None:
        chats, wanted = CHATS_OF_HOURS, "since = ANY(%(hours)s::timestamptz[])"
        told["hours"] = hours
    with connection.cursor() as cursor:
        for model in SUMS:
            cursor.execute(
                f"DELETE FROM {model._meta.db_table} WHERE grain = 'h' AND line_id = %(line)s AND {wanted}",
                told,
            )
        # The messages are read once for the three of them.
        cursor.execute(
            f"{MESSAGES.format(chats=chats, wanted=wanted)}, figures AS ({FIGURES}), times AS ({TIMES}) {FAILURES}",
            told,
        )
    sum_up(environment, line, hours)


def parameters(environment, line):
    opens, closes = (seconds_of(at) for at in (environment.opens_at, environment.closes_at))
    return {
        "line": line,
        "zone": environment.time_zone,
        "silence": SILENCE,
        "days": environment.open_days,
        "opens": opens,
        "length": closes - opens,
    }


def seconds_of(time):
    return time.hour * 3600 + time.minute * 60 + time.second


def sum_up(environment, line, hours):
    """The days and months that these hours are in."""
    for grain, smaller, unit in (("d", "h", "day"), ("m", "d", "month")):
        since = None if hours is None else sorted({larger(environment, hour, unit) for hour in hours})
        told = {
            "line": line,
            "zone": environment.time_zone,
            "grain": grain,
            "smaller": smaller,
            "unit": unit,
            "since": since,
        }
        within = f"date_trunc('{unit}', since AT TIME ZONE %(zone)s) AT TIME ZONE %(zone)s = ANY(%(since)s)"
        # So that the index narrows it down first.
        near = "since >= (%(since)s::timestamptz[])[1] AND since < %(until)s"
        told["until"] = since and since[-1] + timedelta(days=33)
        wanted = "true" if since is None else f"{near} AND {within}"
        exactly = "true" if since is None else "since = ANY(%(since)s)"
        with connection.cursor() as cursor:
            for model, (keys, sums, names) in SUMS.items():
                table = model._meta.db_table
                cursor.execute(
                    f"DELETE FROM {table} WHERE grain = %(grain)s AND line_id = %(line)s AND {exactly}", told
                )
                cursor.execute(
                    SUM.format(table=table, keys=keys, names=names, sums=sums, wanted=wanted), told
                )
            if grain == "m":
                cursor.execute(f"DELETE FROM inbox_weekhours WHERE line_id = %(line)s AND {exactly}", told)
                cursor.execute(WEEK_HOURS.format(wanted=wanted), told)


def sum_team(environment, hours=None):
    """The days and months that these hours are in, or all of them, over all lines."""
    for grain, unit in (("d", "day"), ("m", "month")):
        told = {"environment": environment.pk, "grain": grain}
        rows, wanted = TeamTimes.objects.filter(environment=environment, grain=grain), "true"
        if hours is not None:
            told["since"] = sorted({larger(environment, hour, unit) for hour in hours})
            rows, wanted = rows.filter(since__in=told["since"]), "since = ANY(%(since)s::timestamptz[])"
        rows.delete()
        with connection.cursor() as cursor:
            cursor.execute(TEAM_TIMES.format(wanted=wanted), told)


def larger(environment, hour, unit):
    day = environment.day_of(hour)
    return environment.start_of(day if unit == "day" else day.replace(day=1))


def rebuild(environment):
    """Count everything of an environment, line by line; what is committed meanwhile is counted by the next follow."""
    for line in environment.lines.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            count_line(environment, line)
    with transaction.atomic():
        sum_team(environment)
    log.debug("figures_rebuilt", environment=environment.slug)


def check(environment):
    """Count a sample of line-hours anew and mend those that were wrong; returns how many were. Meant for every night."""
    with transaction.atomic():
        cursor = hold(environment)
        if cursor is None:
            return 0
        rows = Figures.objects.filter(grain="h", line__environment=environment)
        sample = list(rows.order_by("?").values_list("line_id", "since").distinct()[:SAMPLE])
        wrong = 0
        for line, since in sample:
            before = counted(line, since)
            count_line(environment, line, [since])
            if counted(line, since) != before:
                wrong += 1
        sum_team(environment)
        cursor.checked_at = timezone.now()
        cursor.save(update_fields=["checked_at"])
    if wrong:
        log.warning("figures_were_wrong", environment=environment.slug, hours=wrong, of=len(sample))
        rebuild(environment)
    return wrong


def counted(line, since):
    names = ("label_id", "author_id", "service", *COUNTS)
    rows = Figures.objects.filter(grain="h", line=line, since=since)
    return sorted(map(str, rows.values_list(*names)))


def follow_all():
    """Bring all environments up to date."""
    for environment in Environment.objects.order_by("pk"):
        while follow(environment):
            pass
