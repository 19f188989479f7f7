from django.db import models
from django.utils import timezone

from lines.models.people import initials_of


class Handset(models.Model):
    """A customer's phone."""

    class Kind(models.TextChoices):
        IMESSAGE = "imessage", "iPhone, iMessage"
        RCS = "rcs", "Android, RCS"
        SMS = "sms", "Android, SMS only"
        UNREACHABLE = "unreachable", "Cannot be reached"

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="handsets")
    handle = models.CharField(max_length=255)
    name = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.IMESSAGE)
    # What is told of it in the list where the kind alone does not say it.
    remark = models.CharField(max_length=60, blank=True)
    sends_read_receipts = models.BooleanField(default=True)
    in_coverage = models.BooleanField(default=True)
    reads_at_once = models.BooleanField(default=False)
    persona = models.CharField(max_length=20, blank=True)
    tone = models.PositiveSmallIntegerField(default=1)
    reported_spam_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "handle"], name="one_handset_per_handle")
        ]
        ordering = ["id"]

    def __str__(self):
        return self.name or self.handle

    @property
    def first_name(self):
        return self.name.split(" ")[0] or self.handle

    @property
    def initials(self):
        return initials_of(self.name)

    @property
    def service(self):
        """The best service that it can receive on."""
        return {"rcs": "RCS", "sms": "SMS"}.get(self.kind, "iMessage")

    @property
    def is_reachable(self):
        return self.kind != self.Kind.UNREACHABLE
