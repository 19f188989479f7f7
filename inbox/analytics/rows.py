"""The messages behind a figure: by the same meaning as inbox.analytics.rollup counts them, each asked of the message alone."""

from datetime import UTC, datetime, timedelta

from django.db.models import DateTimeField, Exists, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Now

from inbox.analytics.rollup import SILENCE
from inbox.models import Figures, Message

OUT = Q(direction="outbound") & (Q(accepted_at__isnull=False) | Q(sent_at__isnull=False))
IN = Q(direction="inbound")
FAILED = Q(direction="outbound", failed_at__isnull=False, delivered_at=None)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEVER = datetime(1900, 1, 1, tzinfo=UTC)
EARLIER = Q(at__lt=OuterRef("at")) | Q(at=OuterRef("at"), pk__lt=OuterRef("pk"))


def earlier():
    """What was said in the same chat before the message."""
    return Message.objects.filter(EARLIER, chat=OuterRef("chat"))


def with_waiting(messages):
    """Each with `previous_at`, when we wrote before it, and `waited_since`, since when they waited; None where nobody did."""
    previous = earlier().filter(OUT).order_by("-at", "-pk").values("at")[:1]
    previous = Coalesce(Subquery(previous), Value(NEVER), output_field=DateTimeField())
    messages = messages.annotate(previous_at=previous)
    theirs = earlier().filter(IN, at__gt=OuterRef("previous_at"))
    return messages.annotate(waited_since=Subquery(theirs.order_by("at").values("at")[:1]))


def is_after_silence():
    """Nothing was said in its chat for a day before it."""
    recent = earlier().filter(IN | OUT, at__gt=OuterRef("at") - SILENCE)
    return ~Exists(recent)


def begin(messages):
    """First messages after a day of silence, that nobody waited for."""
    return with_waiting(messages).filter(IN | OUT).filter(is_after_silence(), IN | Q(waited_since=None))


def answer(messages):
    return with_waiting(messages).filter(OUT, waited_since__lt=F("at"))


def answer_first(messages):
    """Answers to what began a conversation: since our last message they wrote after a day of silence."""
    theirs = earlier().filter(IN, at__gt=OuterRef("previous_at"))
    return answer(messages).filter(Exists(theirs.filter(is_after_silence())))


def in_hour(messages):
    return messages.filter(at__lte=F("waited_since") + timedelta(hours=1))


def are_new_people(messages):
    said = earlier().filter(IN | OUT)
    return messages.filter(IN | OUT, ~Exists(said), chat__is_group=False)


def are_answered(messages):
    """Of what we began: they wrote before the conversation ended with a day of silence."""
    replies = Message.objects.filter(IN, chat=OuterRef("chat"), at__gte=OuterRef("at"))
    return begin(messages).filter(OUT).filter(Exists(replies.filter(at__lt=Coalesce(ends_of_talk(), Now()))))


def ends_of_talk():
    """When the next conversation of the chat begins."""
    later = Message.objects.filter(IN | OUT, chat=OuterRef(OuterRef("chat")), at__gt=OuterRef(OuterRef("at")))
    return Subquery(later.filter(is_after_silence()).order_by("at").values("at")[:1])


KINDS = {
    "inbound": ("Messages that came in", lambda messages: messages.filter(IN)),
    "outbound": ("Messages that we sent", lambda messages: messages.filter(OUT)),
    "delivered": ("Delivered", lambda messages: messages.filter(OUT, delivered_at__isnull=False)),
    "read": ("Read", lambda messages: messages.filter(OUT, read_at__isnull=False)),
    "failed": ("Not delivered", lambda messages: messages.filter(FAILED)),
    "opt_outs": ("Asked us to stop", lambda messages: messages.filter(IN, consent="stop")),
    "conversations": ("Conversations", begin),
    "begun_by_us": ("Conversations that we began", lambda messages: begin(messages).filter(OUT)),
    "begun_answered": ("Conversations that we began and they answered", are_answered),
    "new_people": ("New people", are_new_people),
    "answers": ("Answers", answer),
    "answers_in_hour": ("Answers within an hour", lambda messages: in_hour(answer(messages))),
    "first_answers": ("First answers", answer_first),
    "first_in_hour": ("First answers within an hour", lambda messages: in_hour(answer_first(messages))),
}


def rows_of(asking, kind):
    """The messages that the figure `kind` (of KINDS) counts in what was asked, in no order."""
    messages = Message.objects.filter(
        line__in=[line.pk for line in asking.asked_lines],
        at__gte=asking.period.start,
        at__lt=asking.period.end,
    )
    messages = messages.filter(chat__labels=asking.label) if asking.label else messages
    return KINDS[kind][1](of(asking, messages))


def of(asking, rows):
    """Those of the person and the service that were asked for."""
    rows = rows.filter(author=asking.person) if asking.person else rows
    return rows.filter(service=asking.service) if asking.service else rows


def newest_of(asking, kind, count, *, until=None):
    """`rows_of`, but only in the hours that hold the newest `count` of them (before or at `until`), which the figures know:
    among millions of messages that are few to look at."""
    hours = hours_holding(asking, kind, count, until or asking.period.end)
    rows = rows_of(asking, kind)
    if not hours:
        return rows.none()
    near = Q()
    for line, since in hours:
        near |= Q(line=line, at__gte=since, at__lt=since + HOUR)
    return rows.filter(near, at__gte=hours[-1][1])


def hours_holding(asking, kind, count, until):
    """[(line, when the hour begins)], newest first. First the days that have any, then the hours of these."""
    counted = Figures.objects.under(asking.label)
    figures = of(asking, counted.filter(line__in=[line.pk for line in asking.asked_lines]))
    figures = figures.filter(**{f"{kind}__gt": 0}, since__lte=until)
    days = figures.filter(grain="d", since__gte=asking.period.start - DAY, since__lt=asking.period.end)
    days = days.values("since").annotate(n=Sum(kind)).order_by("-since")
    day = enough(((day["since"], day["n"]) for day in days.iterator(chunk_size=500)), count, spare=until)
    if day is None:
        return []
    since = max(day, asking.period.start)
    hours = figures.filter(grain="h", since__gte=since, since__lt=asking.period.end)
    hours = hours.values("line", "since").annotate(n=Sum(kind)).order_by("-since")
    found, held = [], 0
    for hour in hours.iterator(chunk_size=500):
        found.append((hour["line"], hour["since"]))
        # What is in the hour of `until` may be after it.
        held += hour["n"] if hour["since"] + HOUR <= until else 0
        if held >= count:
            break
    return found


def enough(days, count, *, spare):
    """The day at which so many are reached; the last there is where they are fewer. What is in the day of `spare` may be
    after it, so it does not count."""
    since, held = None, 0
    for since, n in days:
        held += n if since + 2 * DAY <= spare else 0
        if held >= count:
            break
    return since
