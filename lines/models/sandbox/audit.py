from uuid import uuid4

from django.db import models
from django.utils import timezone


class SandboxAudit(models.Model):
    """A look at the reputation of one of our numbers; `report` once it is done."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    line_number = models.CharField(max_length=20)
    started_at = models.DateTimeField(default=timezone.now)
    generated_at = models.DateTimeField(null=True)
    report = models.JSONField(null=True)

    class Meta:
        indexes = [models.Index(fields=["environment", "line_number", "-started_at"], name="sandbox_audits")]

    def __str__(self):
        return f"{self.line_number} at {self.started_at}"
