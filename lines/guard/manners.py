"""How somebody is written to."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from lines.guard.table import OFF, REFUSE, WARN, Finding, Limit, rule

# What we say in one breath is one message to whoever gets it.
BREATH = timedelta(minutes=10)
# Whoever has just written is awake.
AWAKE = timedelta(minutes=10)


@rule(
    "inbound_first",
    "They write first",
    "A first message to somebody who has never written to this line.",
    action=WARN,
    # They cannot know that there is something to wait for.
    choices=(OFF, WARN, REFUSE),
    code=2015,
)
def inbound_first(outgoing, limits):
    if outgoing.is_first and not outgoing.has_written:
        return Finding("they have never written to this line", remedy="Let them write first, if you can.")


@rule(
    "follow_ups",
    "Unanswered follow-ups",
    "Messages in a row to somebody who has not answered. What is said within ten minutes is one.",
    action=WARN,
    limits=(
        Limit("people", "In a row, by people", 3, most=100),
        Limit("schedules", "Of them scheduled", 2, most=100),
        Limit("keys", "By programs", 2, most=100),
        Limit("hours", "Within hours", 48, most=24 * 30),
    ),
    figure="{people} in {hours} h",
)
def follow_ups(outgoing, limits):
    most, window = limits[outgoing.author], timedelta(hours=limits["hours"])
    told = unanswered(outgoing, window)
    if len(told) < most:
        return None
    count = "once" if len(told) == 1 else "twice" if len(told) == 2 else f"{len(told)} times"
    hours = "an hour" if limits["hours"] == 1 else f"{limits['hours']} hours"
    return Finding(
        f"they were written to {count} in {hours} and have not answered",
        # Until so many are left that one more may come.
        until=told[most - 1] + window,
        remedy="Wait until they answer.",
    )


def unanswered(outgoing, window):
    """When we began to write, of all that they have not answered, newest first; nothing while this goes on what we
    were saying, since that was judged with its beginning."""
    began = []
    for at in sorted(at for at in outgoing.ours if outgoing.wrote_at is None or at > outgoing.wrote_at):
        if not began or at - began[-1] > BREATH:
            began.append(at)
    if began and outgoing.now - began[-1] <= BREATH:
        return []
    return [at for at in reversed(began) if at > outgoing.now - window]


@rule(
    "link_in_first",
    "Link in a first message",
    "Often reported as spam; better once they have answered.",
    action=WARN,
    choices=(OFF, WARN, REFUSE),
    figure="any link",
    code=1005,
)
def link_in_first(outgoing, limits):
    if outgoing.is_first and outgoing.has_link:
        return Finding(
            "a link in a first message is often taken for spam", remedy="Send it once they have answered."
        )


@rule(
    "quiet_hours",
    "Night",
    "Between these hours, in their time. Answers within ten minutes are fine.",
    action=WARN,
    limits=(Limit("begins", "From", time(21)), Limit("ends", "To", time(8))),
    figure="{begins} – {ends}",
)
def quiet_hours(outgoing, limits):
    if outgoing.wrote_at is not None and outgoing.wrote_at > outgoing.now - AWAKE:
        return None
    nights = [night_in(zone, outgoing.now, limits["begins"], limits["ends"]) for zone in outgoing.zones]
    nights = [night for night in nights if night]
    if nights:
        there, ends = max(nights, key=lambda night: night[1])
        return Finding(f"it is {there.hour}:{there:%M} where they are", until=ends)


def night_in(zone, now, begins, ends):
    """(what their clock shows, when their night is over), None by day."""
    there = now.astimezone(ZoneInfo(zone))
    clock = there.time().replace(tzinfo=None)
    is_night = begins <= clock < ends if begins <= ends else clock >= begins or clock < ends
    if not is_night:
        return None
    day = there.date() + timedelta(days=1 if clock >= ends else 0)
    return there, datetime.combine(day, ends, tzinfo=ZoneInfo(zone)).astimezone(now.tzinfo)
