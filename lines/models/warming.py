from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

# Messages a day, from the first to the last day of the plan.
USUAL_RAMP = [20, 40, 80, 120, 300, 900, 3000]
LONGEST, MOST = 30, 100_000


def usual_ramp():
    return list(USUAL_RAMP)


def check_ramp(ceilings):
    """Raises ValidationError for what is no plan."""
    if not 1 <= len(ceilings) <= LONGEST:
        raise ValidationError(f"A plan has 1 to {LONGEST} days.")
    if not all(type(ceiling) is int and 1 <= ceiling <= MOST for ceiling in ceilings):
        raise ValidationError(f"Each day has 1 to {MOST:,} messages.")
    if ceilings != sorted(ceilings):
        raise ValidationError("A day of the plan has as many messages as the one before it, or more.")


class Warming(models.Model):
    """The ability of a line to begin slowly: so many messages on the first day, more on each that follows. Days are
    those of its environment's clock."""

    warmed_from = models.DateField(null=True, blank=True)
    # How much may leave on each day of the plan.
    ramp = models.JSONField(default=usual_ramp)

    class Meta:
        abstract = True

    def ceiling_on(self, day):
        """How many messages may leave on the date `day`; None where there is no plan for it."""
        number = self.ramp_day(day)
        return self.ramp[number - 1] if number else None

    def ramp_day(self, day):
        """Which day of the plan the date is, from 1; None before and after it."""
        if self.warmed_from is None:
            return None
        number = (day - self.warmed_from).days + 1
        return number if 1 <= number <= len(self.ramp) else None

    @property
    def is_in_ramp(self):
        if self.warmed_from is None:
            return False
        return self.ramp_day(self.environment.day_of(timezone.now())) is not None

    @property
    def warmed_until(self):
        """The last date of the plan."""
        return self.warmed_from and self.warmed_from + timedelta(days=len(self.ramp) - 1)

    @transaction.atomic
    def warm(self, *, by, ramp=None, since=None):
        """Begin slowly, from the date `since` (today) on, by `ramp` or as it was planned; or change the plan of a line
        that has begun. Raises ValidationError for what is no plan."""
        line = self.hold_line()
        today = line.environment.day_of(timezone.now())
        plan = {
            "ramp": list(line.ramp if ramp is None else ramp),
            "warmed_from": since or (line.warmed_from if line.is_in_ramp else today),
        }
        check_ramp(plan["ramp"])
        if plan["warmed_from"] > today + timedelta(days=LONGEST):
            raise ValidationError(f"Begin within {LONGEST} days.")
        begins = not line.is_in_ramp
        if not begins and plan == {"ramp": line.ramp, "warmed_from": line.warmed_from}:
            return
        line.ramp, line.warmed_from = plan["ramp"], plan["warmed_from"]
        if line.status in line.WORKING:
            line.status = line.Status.WARMING if line.is_in_ramp else line.Status.ACTIVE
        line.keep_warming(self)
        data = {"ramp": line.ramp, "from": line.warmed_from.isoformat()}
        line.environment.record(
            "inbox.line_warms" if begins else "inbox.line_ramp_changed", line=line, by=by, data=data
        )

    @transaction.atomic
    def end_warming(self, *, by=None):
        """The plan is done, or an admin ends it before; `by` is None where it ends by itself. Safe to repeat."""
        line = self.hold_line()
        is_over = not line.is_in_ramp
        if line.warmed_from is None or (is_over and line.status != line.Status.WARMING):
            return
        if not is_over:
            line.warmed_from = None
        if line.status == line.Status.WARMING:
            line.status = line.Status.ACTIVE
        line.keep_warming(self)
        line.environment.record("inbox.line_warmed", line=line, by=by)

    def hold_line(self):
        lines = type(self).objects.select_for_update(of=("self",), no_key=True).select_related("environment")
        return lines.get(pk=self.pk)

    def keep_warming(self, other):
        self.save(update_fields=["ramp", "warmed_from", "status"])
        other.ramp, other.warmed_from, other.status = self.ramp, self.warmed_from, self.status

    @classmethod
    def end_warming_due(cls):
        """Each line of which the plan is over is active from then on."""
        for line in cls.objects.filter(status=cls.Status.WARMING, warmed_from__isnull=False).select_related(
            "environment"
        ):
            if not line.is_in_ramp and line.warmed_until < line.environment.day_of(timezone.now()):
                line.end_warming()
