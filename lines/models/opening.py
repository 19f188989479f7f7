"""An environment's clock: its time zone, and the hours in which somebody is there to answer."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models, transaction

# Monday is 1, as in ISO 8601.
WORKING_DAYS = [1, 2, 3, 4, 5]


def working_days():
    return list(WORKING_DAYS)


class Opening(models.Model):
    # IANA's name. A line's day, and so its limits, begin at midnight there.
    time_zone = models.CharField(max_length=64, default="UTC", db_default="UTC")
    opens_at = models.TimeField(default=time(9))
    closes_at = models.TimeField(default=time(17))
    open_days = ArrayField(models.PositiveSmallIntegerField(), default=working_days)

    class Meta:
        abstract = True

    @property
    def zone(self):
        return ZoneInfo(self.time_zone)

    def day_of(self, at):
        """The date that it is here at the instant `at`."""
        return at.astimezone(self.zone).date()

    def start_of(self, day):
        """The instant at which the date `day` begins here."""
        return datetime.combine(day, time(), tzinfo=self.zone)

    def hours_of(self, day):
        """(opens, closes) of the date `day` as instants; None where it is closed then."""
        if day.isoweekday() not in self.open_days:
            return None
        opens, closes = (
            datetime.combine(day, at, tzinfo=self.zone) for at in (self.opens_at, self.closes_at)
        )
        return opens, closes

    def open_seconds(self, start, end):
        """The seconds from the instant `start` to `end` in which it was open, at most a year of them."""
        day, last, seconds = self.day_of(start), self.day_of(min(end, start + timedelta(days=366))), 0.0
        while day <= last:
            if hours := self.hours_of(day):
                # Across a change of the clocks only differences of UTC are true.
                begins, ends = max(hours[0], start).timestamp(), min(hours[1], end).timestamp()
                seconds += max(0.0, ends - begins)
            day += timedelta(days=1)
        return seconds

    @transaction.atomic
    def keep_hours(self, *, time_zone, opens_at, closes_at, open_days, by):
        """Set the clock; safe to repeat. Raises ValidationError where it would never be open."""
        if closes_at <= opens_at:
            raise ValidationError("Closing comes after opening, on the same day.")
        if not open_days:
            raise ValidationError("Choose at least one day.")
        hours = {
            "time_zone": time_zone,
            "opens_at": opens_at,
            "closes_at": closes_at,
            "open_days": sorted(open_days),
        }
        if type(self).objects.exclude(**hours).filter(pk=self.pk).update(**hours):
            self.refresh_from_db()
            told = {name: str(value) for name, value in hours.items()}
            self.record("inbox.hours_changed", by=by, data=told)
