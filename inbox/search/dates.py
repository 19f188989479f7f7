"""Days as people write them: 2026-11-24, 24 Nov, November 24 2025, 2026-11, today, yesterday, Monday."""

import re
from datetime import datetime, time, timedelta

MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
ISO = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?")
EUROPEAN = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})?")
NAMED = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?\.?)?[ -]?([a-z]{3,9})\.?[ -]?(?:(\d{1,2})(?:st|nd|rd|th)?)?,?(?: ?(\d{4}))?"
)


class NotADate(ValueError):
    """What was typed names no day or month."""


def span_of(text, *, now):
    """(the first moment of the day or month that `text` means, the first one after it), in the zone of `now`.

    Without a year it is the last such day that is not in the future; raises NotADate.
    """
    text = " ".join(text.lower().split())
    try:
        return relative(text, now) or absolute(text, now)
    except (ValueError, OverflowError) as error:
        raise NotADate(text) from error


def relative(text, now):
    if text in ("today", "yesterday"):
        return day(now.date() - timedelta(days=text == "yesterday"), now)
    weekday = next((n for n, name in enumerate(DAYS) if len(text) >= 3 and name.startswith(text)), None)
    if weekday is None:
        return None
    return day(now.date() - timedelta(days=(now.weekday() - weekday) % 7), now)


def absolute(text, now):
    if match := ISO.fullmatch(text):
        year, month, date = match.groups()
        return spanning(int(year), int(month), date and int(date), now)
    if match := EUROPEAN.fullmatch(text):
        date, month, year = match.groups()
        return recent(year, int(month), int(date), now)
    if match := NAMED.fullmatch(text):
        before, name, behind, year = match.groups()
        if before and behind:
            raise NotADate(text)
        date = before or behind
        return recent(year, month_of(name), date and int(date), now)
    raise NotADate(text)


def month_of(name):
    months = [n for n, full in enumerate(MONTHS, 1) if full.startswith(name)]
    if len(months) != 1:
        raise NotADate(name)
    return months[0]


def recent(year, month, date, now):
    if year:
        return spanning(int(year), month, date, now)
    # A 29 February may be up to eight years ago.
    for year in range(now.year, now.year - 9, -1):
        try:
            span = spanning(year, month, date, now)
        except ValueError:
            continue
        if span[0] <= now:
            return span
    raise NotADate(f"{date} {month}")


def spanning(year, month, date, now):
    if date is None:
        first = datetime(year, month, 1).date()
        following = datetime(year + month // 12, month % 12 + 1, 1).date()
        return midnight(first, now), midnight(following, now)
    return day(datetime(year, month, date).date(), now)


def day(date, now):
    return midnight(date, now), midnight(date + timedelta(days=1), now)


def midnight(date, now):
    return datetime.combine(date, time.min, tzinfo=now.tzinfo)
