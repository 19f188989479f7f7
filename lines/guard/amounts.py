"""How much leaves a line. What answers somebody counts, but never waits."""

from datetime import datetime, time, timedelta

from django.conf import settings

from lines.guard.table import HOLD, WARN, Finding, Limit, rule

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# What is too much for a day leaves from then on the next day, on the environment's clock.
MORNING = time(8)
# So far ahead a place is looked for.
DAYS = 60


@rule(
    "ramp",
    "Ramp",
    "What goes above the plan of a line that is warming up waits for the next day.",
    action=HOLD,
)
def ramp(outgoing, limits):
    line = outgoing.line
    ceiling = line.ceiling_on(outgoing.today)
    if ceiling is None or outgoing.is_answer or not is_full(outgoing, outgoing.sent_today, ceiling):
        return None
    room = max(0, ceiling - outgoing.sent_today)
    return Finding(
        f"{line} is warming up and has sent enough for today",
        until=morning_with_room(outgoing, line.ceiling_on, room),
        remedy="Answers to people who wrote first never wait.",
    )


@rule(
    "volume",
    "Volume",
    "More than this in and out on one day is more than is recommended. Answers never wait.",
    action=WARN,
)
def volume(outgoing, limits):
    line, limit = outgoing.line, outgoing.line.daily_limit
    if outgoing.is_answer:
        return None
    had = outgoing.sent_today + outgoing.received_today
    if not is_full(outgoing, had, limit):
        return None
    return Finding(
        f"{line} has had its {limit:,} messages for today",
        until=morning_with_room(outgoing, lambda day: limit, max(0, limit - had)),
        remedy="Another line may have room.",
    )


@rule(
    "pair_rate",
    "Same person, fast",
    "Many messages to one person within a minute read like a machine; 30 is the carrier’s limit.",
    action=HOLD,
    limits=(Limit("most", "Messages a minute", lambda: settings.PAIR_LIMIT, most=30),),
    figure="{most} a minute",
    is_releasable=False,
)
def pair_rate(outgoing, limits):
    most = limits["most"]
    recent = sorted(at for at in outgoing.ours if at > outgoing.now - MINUTE)
    if most and len(recent) >= most:
        return Finding(
            f"{most} message{'s' if most > 1 else ''} to one person within a minute is the limit",
            until=recent[-most] + MINUTE,
        )


@rule(
    "new_per_hour",
    "New conversations an hour",
    "First messages to people who have not written.",
    action=WARN,
    limits=(Limit("most", "In an hour", 30, most=1000),),
    figure="{most} an hour",
)
def new_per_hour(outgoing, limits):
    most = limits["most"]
    recent = (
        sorted(at for at in outgoing.begun_lately if at > outgoing.now - HOUR) if outgoing.is_first else []
    )
    if len(recent) >= most:
        return Finding(
            f"{outgoing.line} has begun {most:,} conversation{'s' if most > 1 else ''} within an hour",
            until=recent[-most] + HOUR,
        )


@rule(
    "new_per_day",
    "New conversations a day",
    "First messages to people who have not written, on one day.",
    action=WARN,
    limits=(Limit("most", "In a day", 150, most=10_000),),
    figure="{most} a day",
)
def new_per_day(outgoing, limits):
    most = limits["most"]
    if outgoing.is_first and outgoing.begun_today >= most:
        return Finding(
            f"{outgoing.line} has begun {most:,} conversation{'s' if most > 1 else ''} today",
            until=morning_of(outgoing, outgoing.today + timedelta(days=1)),
        )


@rule(
    "spike",
    "Spike",
    "Many times what this line usually sends in this hour, judged by its last four weeks.",
    action=WARN,
    limits=(
        Limit("times", "Times the usual", 5, least=2, most=100),
        Limit("least", "And at least, in an hour", 60, most=10_000),
    ),
    figure="{times} times the usual",
)
def spike(outgoing, limits):
    if outgoing.is_answer or outgoing.sent_this_hour < limits["least"] or outgoing.usual_for_hour is None:
        return None
    most = max(limits["least"], limits["times"] * outgoing.usual_for_hour)
    if outgoing.sent_this_hour >= most:
        return Finding(
            f"{outgoing.line} has sent {outgoing.sent_this_hour:,} messages in this hour, "
            f"and usually sends {outgoing.usual_for_hour:,.0f}",
            until=outgoing.now.replace(minute=0, second=0, microsecond=0) + HOUR,
        )


@rule(
    "same_text",
    "Same words, many people",
    "The same text to several people within an hour, unless it answers them.",
    action=WARN,
    limits=(Limit("most", "People an hour", 10, most=1000),),
    figure="{most} an hour",
)
def same_text(outgoing, limits):
    most = limits["most"]
    if outgoing.is_answer:
        return None
    recent = sorted(at for at in outgoing.same_words if at > outgoing.now - HOUR)
    waiting = 0 if outgoing.is_leaving else outgoing.same_words_waiting
    if len(recent) + waiting < most:
        return None
    # Those that wait leave before it, as many in an hour as may.
    first = recent[-most] if len(recent) >= most else recent[0] if recent else outgoing.now
    return Finding(
        f"the same words went to {most:,} {'people' if most > 1 else 'person'} within an hour",
        until=first + HOUR * (1 + waiting // most),
        remedy="Say it in other words, or to fewer people.",
    )


def is_full(outgoing, had, limit):
    """Right before the wire only what left counts; before that also what will leave first."""
    return had + (0 if outgoing.is_leaving else outgoing.waiting_today) >= limit


def morning_with_room(outgoing, ceiling_of, room):
    """The morning on which its turn comes, after `room` more that leave today."""
    before, day = outgoing.waiting - room, outgoing.today
    for _ in range(DAYS):
        day += timedelta(days=1)
        ceiling = ceiling_of(day)
        if ceiling is None or before < ceiling:
            break
        before -= ceiling
    return morning_of(outgoing, day)


def morning_of(outgoing, day):
    return datetime.combine(day, MORNING, tzinfo=outgoing.environment.zone)
