from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from lines import gateways


class ReputationAudit(models.Model):
    """What the carrier was asked to find out about the reputation of a line, and its report.

    The report has V3's shape, with the carrier's ids of chats.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        COMPLETE = "complete"
        ERROR = "error"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    line = models.ForeignKey("lines.Line", models.CASCADE, related_name="audits")
    external_id = models.CharField(max_length=100)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    report = models.JSONField(null=True)
    error = models.CharField(max_length=300, blank=True, default="")
    generated_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    # The carrier keeps a report for so long, and so an audit that is not done by then never will be.
    READABLE_FOR = timedelta(hours=24)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line"], condition=models.Q(status="pending"), name="one_pending_audit_per_line"
            )
        ]
        indexes = [models.Index(fields=["line", "-started_at"], name="audit_newest_of_line")]

    def __str__(self):
        return f"{self.status} since {self.started_at}"

    @classmethod
    def start(cls, line, *, by):
        """The audit of `line` that runs, or a new one. Failures of the carrier rise; 1007 where one was made just now."""
        running = cls.running(line)
        if running is not None:
            return running
        external_id = gateways.for_environment(line.environment).start_audit(line.phone_number)
        with transaction.atomic():
            audit, is_new = cls.objects.get_or_create(
                line=line, status=cls.Status.PENDING, defaults={"external_id": external_id, "started_by": by}
            )
            if is_new:
                line.environment.record(
                    "inbox.audit_started", line=line, by=by, data={"audit": str(audit.pk)}
                )
        return audit

    @classmethod
    def running(cls, line):
        audit = cls.objects.filter(line=line, status=cls.Status.PENDING).first()
        if audit is not None:
            audit.line = line
            audit.learn()
        return audit if audit and audit.status == cls.Status.PENDING else None

    def learn(self):
        """Ask the carrier how far it is, unless it is over. Its temporary failures rise."""
        if self.status != self.Status.PENDING:
            return
        try:
            found = gateways.for_environment(self.line.environment).fetch_audit(
                self.line.phone_number, self.external_id
            )
        except gateways.PermanentFailure as failure:
            found = {"status": self.Status.ERROR, "error": f"{failure.reason}."}
        if found["status"] == self.Status.PENDING and timezone.now() < self.started_at + self.READABLE_FOR:
            return
        self.finish(found)

    @transaction.atomic
    def finish(self, found):
        """Take over the carrier's report, or that there will be none; whoever comes second finds it done."""
        status = found["status"] if found["status"] == self.Status.COMPLETE else self.Status.ERROR
        ended = {
            "status": status,
            "report": found.get("report"),
            "error": "" if status == self.Status.COMPLETE else found.get("error") or "It was not finished.",
            "generated_at": found.get("generated_at"),
        }
        if ReputationAudit.objects.filter(pk=self.pk, status=self.Status.PENDING).update(**ended):
            self.line.environment.record(
                "inbox.audit_finished", line=self.line, data={"audit": str(self.pk), "status": status}
            )
        self.refresh_from_db(fields=list(ended))
