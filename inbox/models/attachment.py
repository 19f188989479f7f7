from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7


def stored_as(attachment, filename):
    """Named by its id alone: what a stranger called it never becomes a path."""
    return f"{attachment.environment_id}/{attachment.pk.hex[-2:]}/{attachment.pk}"


class Attachment(models.Model):
    """A file, ours once `stored`. `source_url` is where the carrier had it; nobody is ever sent there."""

    class State(models.TextChoices):
        PENDING = "pending"
        STORED = "stored"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="attachments")
    external_id = models.CharField(max_length=100, null=True)
    file = models.FileField(upload_to=stored_as, max_length=200, blank=True)
    filename = models.CharField(max_length=255)
    mime_type = models.CharField(max_length=120, default="application/octet-stream")
    size = models.PositiveBigIntegerField(default=0)
    checksum = models.CharField(max_length=64, blank=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    source_url = models.TextField(blank=True, default="")
    error = models.CharField(max_length=300, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "external_id"], name="one_attachment_per_external_id"
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], name="attachment_due", condition=models.Q(state="pending")),
        ]

    def __str__(self):
        return self.filename

    @property
    def is_image(self):
        return self.mime_type in ("image/jpeg", "image/png", "image/gif", "image/webp")

    @property
    def is_video(self):
        return self.mime_type.startswith("video/")

    @property
    def is_audio(self):
        return self.mime_type.startswith("audio/")

    @property
    def kind_label(self):
        """Three or four letters for the file card."""
        suffix = self.filename.rpartition(".")[2]
        return (suffix if 0 < len(suffix) <= 4 and suffix != self.filename else "file").upper()
