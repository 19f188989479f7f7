from django.db import models


class LineHealth(models.Model):
    """How near a line was to being flagged in one hour: `score` of 100, and the `figures` (lines.health.Figures) that it
    was worked out from."""

    line = models.ForeignKey("lines.Line", models.CASCADE, related_name="health", db_index=False)
    # The hour begins then; found anew within it, the row is written over.
    hour = models.DateTimeField()
    score = models.PositiveSmallIntegerField()
    figures = models.JSONField()
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["line", "hour"], name="one_health_per_hour")]
        get_latest_by = "hour"

    def __str__(self):
        return f"{self.score} at {self.hour}"
