"""In which time zone a person lives, and what a time on their clock is on everybody's."""

from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from phonenumbers.timezone import time_zones_for_number


@dataclass(frozen=True)
class Zone:
    """`name` is IANA's. `source` says how we know: from their `contact`, by their `number`, or it is `ours`.
    `among` counts the zones that their number may be in; 1 where there is no doubt."""

    name: str
    source: str
    among: int = 1

    @property
    def city(self):
        return city_of(self.name)


def city_of(name):
    return name.rpartition("/")[2].replace("_", " ")


def zone_of_chat(chat):
    """Theirs, if all of them have the same; else ours."""
    ours = our_zone(chat.line)
    zones = {zone.name: zone for zone in (zone_of(handle, ours) for handle in chat.others)}
    return next(iter(zones.values())) if len(zones) == 1 else ours


def zone_of(handle, ours):
    if handle.contact and is_zone(handle.contact.time_zone):
        return Zone(handle.contact.time_zone, "contact")
    zones = zones_of_number(handle.value)
    if not zones:
        return ours
    # A number may fit many zones. Most write to somebody near.
    return Zone(ours.name if ours.name in zones else zones[0], "number", len(zones))


def our_zone(line):
    """The one that was set; while nobody has set any, that of the line's number."""
    zones = zones_of_number(line.phone_number)
    if settings.TIME_ZONE == "UTC" and len(zones) == 1:
        return Zone(zones[0], "ours")
    return Zone(settings.TIME_ZONE, "ours")


@lru_cache(maxsize=4096)
def zones_of_number(number):
    """Those that exist on this machine, in the order of the numbering plan; empty for what is no phone number."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    return tuple(name for name in time_zones_for_number(parsed) if is_zone(name))


def is_zone(name):
    try:
        return bool(name) and bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def moment(local, name):
    """The instant at which the clocks of the zone `name` show `local`, a naive time; of two such instants the
    first. ValidationError where there is none, or no such zone."""
    if not is_zone(name):
        raise ValidationError(f"There is no time zone “{name}”.")
    at = local.replace(tzinfo=ZoneInfo(name), fold=0)
    try:
        shown = at.astimezone(UTC).astimezone(ZoneInfo(name))
    except OverflowError as error:
        raise ValidationError("No calendar goes as far as that.") from error
    if shown.replace(tzinfo=None, fold=0) != local:
        day = f"{local.day} {local:%B}"
        raise ValidationError(
            f"There is no {clock(local)} on {day} in {city_of(name)}: the clocks go forward then. "
            f"Choose {clock(shown)}, or another time."
        )
    return at.astimezone(UTC)


def said(at, name):
    """The instant as people of the zone say it: the weekday within a week, else the date."""
    there, today = at.astimezone(ZoneInfo(name)), timezone.now().astimezone(ZoneInfo(name)).date()
    if 0 <= (there.date() - today).days < 7:
        day = f"{there:%a}"
    else:
        day = f"{there.day} {there:%b}" + (f" {there.year}" if there.year != today.year else "")
    twice = there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()
    return f"{day} {clock(there)}" + (f" {there.tzname()}" if twice else "")


def clock(at):
    return f"{at.hour}:{at:%M}"
