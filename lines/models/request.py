from django.db import models
from django.utils import timezone


class ApiRequest(models.Model):
    """One request of a program, as it was answered; nothing of what it said. Written down a moment later, many at once,
    so that who looks for the newest may have to look again in a second."""

    environment = models.ForeignKey(
        "lines.Environment", models.CASCADE, related_name="requests", db_constraint=False
    )
    token = models.ForeignKey("lines.ApiToken", models.CASCADE, related_name="requests", db_constraint=False)
    method = models.CharField(max_length=7)
    path = models.CharField(max_length=300)
    status = models.PositiveSmallIntegerField()
    # The V3 code, where it was refused.
    code = models.PositiveIntegerField(null=True)
    milliseconds = models.PositiveIntegerField()
    trace_id = models.CharField(max_length=32)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["environment", "-id"], name="requests_newest"),
            models.Index(fields=["token", "-id"], name="requests_of_token"),
            models.Index(fields=["trace_id"], name="request_by_trace"),
        ]

    def __str__(self):
        return f"{self.method} {self.path} {self.status}"
