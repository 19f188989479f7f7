"""In which time zone a person lives, and what a time on their clock is on everybody's."""

from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from phonenumbers.timezone import time_zones_for_number

# What the numbering plan says where it says nothing.
UNKNOWN = "Etc/Unknown"


@dataclass(frozen=True)
class Zone:
    """`name` is IANA's. `source` says how we know: from their `contact`, by their `number`, or it is `ours`.
    `among` counts the zones that their number may be in; 1 where there is no doubt. `is_sure`: it is the time there
    now, in whichever of them they are."""

    name: str
    source: str
    among: int = 1
    is_sure: bool = field(default=True, compare=False)

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
    return zone_of_value(handle.value, handle.contact.time_zone if handle.contact else "", ours)


def zone_of_value(value, known, ours):
    """Of who has the handle `value` and, as their contact says, lives in the zone `known`, which may be empty."""
    if is_zone(known):
        return Zone(known, "contact")
    zones = zones_of_number(value)
    if not zones:
        return replace(ours, is_sure=False)
    # A number may fit many zones. Most write to somebody near; a number of a whole country says the time only where all
    # of it has one clock.
    now = timezone.now()
    is_sure = len(zones) == 1 or len({now.astimezone(ZoneInfo(zone)).utcoffset() for zone in zones}) == 1
    return Zone(ours.name if ours.name in zones else zones[0], "number", len(zones), is_sure)


def our_zone(line, environment=None):
    """The one that was set; while nobody has set any, that of the line's number."""
    if environment is not None and environment.time_zone != "UTC":
        return Zone(environment.time_zone, "ours")
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
    return tuple(name for name in time_zones_for_number(parsed) if name != UNKNOWN and is_zone(name))


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
