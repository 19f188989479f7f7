from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from lines.models.line import Line

# A claim older than this belonged to a worker that died.
CLAIM_LASTS = timedelta(minutes=2)
MAX_TRIES = 5


class AlertQuerySet(models.QuerySet):
    def open(self):
        return self.filter(until=None)

    def visible_to(self, user, environment):
        lines = Line.objects.visible_to(user).filter(environment=environment)
        return self.filter(line__in=lines)

    def to_mail(self):
        """Those of which nobody was told by e-mail yet, and that nobody is telling of now."""
        stale = timezone.now() - CLAIM_LASTS
        unclaimed = models.Q(claimed_at=None) | models.Q(claimed_at__lt=stale)
        return self.open().filter(unclaimed, mailed_at=None, tries__lt=MAX_TRIES)


class LineAlert(models.Model):
    """Something is wrong with a line: the carrier says so, or what happens on it does. It ends by itself when that is
    over; of each kind one is open at a time."""

    class Kind(models.TextChoices):
        FLAGGED = "flagged", "Flagged"
        FAILING = "failing", "iMessages fail"
        SILENT = "silent", "Silent"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    line = models.ForeignKey(Line, models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    since = models.DateTimeField()
    # None while it is open.
    until = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True, default="")
    # Its people were told by e-mail: once, by whom a worker had claimed it.
    mailed_at = models.DateTimeField(null=True)
    mailed_to = models.JSONField(default=list)
    claimed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    # Somebody has asked the carrier to lift it.
    appealed_at = models.DateTimeField(null=True)
    appealed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = AlertQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line", "kind"], condition=models.Q(until=None), name="one_open_alert_per_kind"
            )
        ]
        indexes = [models.Index(fields=["line", "-since"], name="alerts_of_line")]

    def __str__(self):
        return f"{self.line}: {self.get_kind_display()}"

    @property
    def is_flag(self):
        return self.kind == self.Kind.FLAGGED

    @property
    def sentence(self):
        """What is wrong, for people."""
        if self.is_flag:
            return f"{self.line} is flagged"
        return f"{self.line}: iMessages fail" if self.kind == self.Kind.FAILING else f"{self.line} is silent"

    @classmethod
    @transaction.atomic
    def follow(cls, line):
        """Open or end the alert of a flag, as the carrier has it now; safe to repeat."""
        if line.carrier_status == "FLAGGED":
            cls.begin(line, cls.Kind.FLAGGED, since=line.carrier_status_at, reason=line.status_reason)
        else:
            cls.cease(line, cls.Kind.FLAGGED)

    @classmethod
    @transaction.atomic
    def begin(cls, line, kind, *, reason="", since=None):
        """Open one, unless it is; returns the open one."""
        alert, is_new = cls.objects.get_or_create(
            line=line,
            kind=kind,
            until=None,
            defaults={"since": since or timezone.now(), "reason": reason[:200]},
        )
        if is_new:
            alert.record("inbox.line_alerted", by=None)
            alert.mail_later()
        return alert

    @classmethod
    @transaction.atomic
    def cease(cls, line, kind, *, by=None):
        """End the open one; False where there is none. `by` is None where it ended by itself."""
        alert = cls.objects.select_for_update().open().filter(line=line, kind=kind).first()
        if alert is None:
            return False
        alert.until, alert.ended_by = timezone.now(), by
        alert.save(update_fields=["until", "ended_by"])
        alert.record("inbox.line_alert_ended", by=by)
        return True

    @transaction.atomic
    def appeal(self, *, by):
        """Write down that the carrier was asked to lift it; safe to repeat."""
        changed = type(self).objects.open().filter(pk=self.pk, appealed_at=None)
        if changed.update(appealed_at=timezone.now(), appealed_by=by):
            self.refresh_from_db()
            self.record("inbox.line_appealed", by=by)

    def record(self, type, *, by):
        data = {"alert": str(self.pk), "kind": self.kind, "reason": self.reason}
        self.line.environment.record(type, line=self.line, by=by, data=data)

    @classmethod
    @transaction.atomic
    def claim(cls, pk):
        """This alert, if its people are still to be told and nobody else is doing it."""
        alert = (
            cls.objects.to_mail()
            .select_for_update(of=("self",), skip_locked=True)
            .select_related("line__environment", "line__owner")
            .filter(pk=pk)
            .first()
        )
        if alert:
            alert.claimed_at, alert.tries = timezone.now(), alert.tries + 1
            alert.save(update_fields=["claimed_at", "tries"])
        return alert

    @property
    def addressees(self):
        """Who is told by e-mail: the line's owner, and the admins."""
        return self.line.looked_after_by()

    def mailed(self, people):
        self.mailed_at, self.mailed_to = timezone.now(), [str(person) for person in people]
        self.save(update_fields=["mailed_at", "mailed_to"])

    def mail_later(self):
        """Wake a worker after the commit; the sweep finds what a lost wake-up left."""
        from lines import tasks

        tasks.wake(tasks.mail_line_alert, str(self.pk))
