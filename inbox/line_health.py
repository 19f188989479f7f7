"""The figures behind the risk of a line, gathered from the figures and the messages, and what they come to, by the hour."""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q, Sum
from django.utils import timezone

from inbox.models.figures import Figures as Kept
from inbox.models.figures import Grain
from lines import health
from lines.models import Line, LineHealth

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK, MONTH, FOUR_WEEKS = 7 * DAY, 30 * DAY, 28 * DAY
# What we say in one breath is one message to whoever gets it; how many unanswered ones are a chase.
BREATH, CHASE = timedelta(minutes=10), 3
KEPT_FOR = 90 * DAY

# What is counted of the messages themselves, as {name: SQL of (line, count)}.
COUNTED = {
    "chased": """
        SELECT chat.line_id, count(*) FROM inbox_chat chat
        WHERE chat.line_id = ANY(%(lines)s) AND chat.last_outbound_at > %(week)s AND NOT chat.is_group
            AND (chat.last_inbound_at IS NULL OR chat.last_inbound_at < chat.last_outbound_at)
            AND (
                SELECT count(*) FROM (
                    SELECT at - lag(at) OVER (ORDER BY at) AS pause FROM (
                        SELECT at FROM inbox_message
                        WHERE chat_id = chat.id AND direction = 'outbound' AND cleared_at IS NOT NULL
                            AND at > coalesce(chat.last_inbound_at, '-infinity')
                        ORDER BY at DESC LIMIT 40
                    ) ours
                ) said WHERE pause IS NULL OR pause > %(breath)s
            ) >= %(chase)s
        GROUP BY 1""",
    "people": """
        SELECT line_id, count(*) FROM inbox_chat
        WHERE line_id = ANY(%(lines)s) AND status = ANY(%(statuses)s) AND last_activity_at > %(month)s
        GROUP BY 1""",
    "after_stop": """
        SELECT message.line_id, count(*) FROM lines_optout stopped
        JOIN inbox_chat chat ON chat.line_id = ANY(%(lines)s) AND chat.participants_key = stopped.handle
        JOIN inbox_message message ON message.chat_id = chat.id AND message.direction = 'outbound'
            AND message.cleared_at > stopped.since + interval '5 seconds'
        WHERE stopped.environment_id = %(environment)s AND stopped.lifted_at IS NULL AND stopped.since > %(month)s
        GROUP BY 1""",
    "same_words": """
        SELECT line_id, max(people) FROM (
            SELECT line_id, count(DISTINCT chat_id) AS people FROM inbox_message
            WHERE line_id = ANY(%(lines)s) AND wording IS NOT NULL AND cleared_at > %(week)s
            GROUP BY line_id, wording, date_trunc('hour', cleared_at)
        ) hours GROUP BY 1""",
    "links": """
        SELECT message.line_id, count(*) FROM inbox_message message
        WHERE message.line_id = ANY(%(lines)s) AND message.begins AND message.cleared_at > %(week)s AND EXISTS (
            SELECT FROM inbox_part part WHERE part.message_id = message.id
                AND (part.kind = 'link' OR part.text ~* 'https?://')
        )
        GROUP BY 1""",
}


def figures_of(environment, lines, *, now=None):
    """{line's id: health.Figures}; how much is asked does not depend on how many lines there are, but for their usual
    hours."""
    now = now or timezone.now()
    counted = {name: counted_of(statement, environment, lines, now) for name, statement in COUNTED.items()}
    weeks, months, days, hours = kept_of(environment, lines, now)
    sent_by_all = sum(row["outbound"] for row in weeks.values())
    working = sum(line.status in Line.WORKING for line in lines)
    found = {}
    for line in lines:
        week, lately = weeks.get(line.pk, {}), hours.get(line.pk, [])
        hour, busiest = max(((row["outbound"], row["since"]) for row in lately), default=(0, None))
        sent = week.get("outbound", 0)
        imessages = sum(row["imessages"] or 0 for row in lately)
        failed = sum(row["imessages_failed"] or 0 for row in lately)
        found[line.pk] = health.Figures(
            conversations=week.get("conversations", 0),
            begun=week.get("begun_by_us", 0),
            answered=week.get("begun_answered", 0),
            sent=sent,
            received=week.get("inbound", 0),
            day=days.get(line.pk, 0),
            limit=line.ceiling_on(environment.day_of(now)) or line.daily_limit,
            hour=hour,
            usual=usual_of(line, busiest) if busiest else None,
            opt_outs=months.get(line.pk, 0),
            imessages=imessages + failed,
            failed=failed,
            share=round(sent / sent_by_all, 3) if sent_by_all else 0.0,
            lines=working,
            reputation=line.reputation,
            is_flagged=line.carrier_status == "FLAGGED",
            **{name: counts.get(line.pk, 0) for name, counts in counted.items()},
        )
    return found


def counted_of(statement, environment, lines, now):
    asked = {
        "lines": [line.pk for line in lines],
        "environment": environment.pk,
        "statuses": ["open", "snoozed", "closed"],
        "week": now - WEEK,
        "month": now - MONTH,
        "breath": BREATH,
        "chase": CHASE,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return dict(cursor.fetchall())


def kept_of(environment, lines, now):
    """What the figures say: of seven days, the opt-outs of thirty, the fuller one of the last two days, and each of the
    last 24 hours."""
    today = environment.day_of(now)
    kept = Kept.objects.filter(line__in=lines)
    of_days = kept.filter(grain=Grain.DAY)
    names = ("conversations", "begun_by_us", "begun_answered", "outbound", "inbound")
    week = of_days.filter(since__gte=environment.start_of(today - 6 * DAY)).values("line")
    weeks = {row["line"]: row for row in week.annotate(**{name: Sum(name) for name in names})}
    month = of_days.filter(since__gte=environment.start_of(today - 29 * DAY)).values_list("line")
    months = dict(month.annotate(Sum("opt_outs")))
    days = {}
    both = of_days.filter(since__gte=environment.start_of(today - DAY)).values("line", "since")
    for row in both.annotate(both=Sum("inbound") + Sum("outbound")):
        days[row["line"]] = max(days.get(row["line"], 0), row["both"])
    hours = {}
    for row in hourly(kept.filter(grain=Grain.HOUR, since__gt=now - DAY)):
        hours.setdefault(row["line"], []).append(row)
    return weeks, months, days, hours


def hourly(kept):
    imessage = Q(service="iMessage")
    return kept.values("line", "since").annotate(
        outbound=Sum("outbound"),
        imessages=Sum("sent", filter=imessage),
        imessages_failed=Sum("failed", filter=imessage),
    )


def usual_of(line, hour):
    """How many of ours that hour of the day usually has, by the four weeks before; None for a line of which less than a
    week is known."""
    kept = Kept.objects.filter(grain=Grain.HOUR, line=line, since__lt=hour, since__gte=hour - FOUR_WEEKS)
    first = kept.order_by("since").values_list("since", flat=True).first()
    if first is None or hour - first < WEEK:
        return None
    before = [hour - number * DAY for number in range(1, 29)]
    sent = kept.filter(since__in=before).aggregate(sent=Sum("outbound", default=0))["sent"]
    return round(sent / min(28, (hour - first) / DAY), 1)


def keep(environment, *, now=None):
    """Find out how near each line is to being flagged, write it down for this hour, and tell of what changes by it."""
    now = now or timezone.now()
    lines = list(environment.lines.order_by("pk"))
    figures = figures_of(environment, lines, now=now) if lines else {}
    for line in lines:
        keep_one(line, figures[line.pk], now)
    LineHealth.objects.filter(line__in=lines, hour__lt=now - KEPT_FOR).delete()


@transaction.atomic
def keep_one(line, figures, now):
    score = health.risk_of(figures).score
    LineHealth.objects.update_or_create(
        line=line,
        hour=now.replace(minute=0, second=0, microsecond=0),
        defaults={"score": score, "figures": figures.as_json(), "checked_at": now},
    )
    before = health.level_of(line.risk)
    Line.objects.filter(pk=line.pk).update(risk=score, risk_at=now)
    if health.level_of(score) != before:
        data = {"from": before, "to": health.level_of(score), "score": score}
        line.environment.record("inbox.line_risk_changed", line=line, data=data)
