from uuid import uuid4

from django.db import models
from django.utils import timezone


def stored_as(media, filename):
    return f"sandbox/{media.environment_id}/{media.pk}"


class SandboxMedia(models.Model):
    """A file at the carrier. Whoever knows its id may fetch it, as with a real carrier's links.

    `deleted_at` is when our side had it deleted: then its bytes are gone.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    file = models.FileField(upload_to=stored_as, max_length=200)
    filename = models.CharField(max_length=255)
    mime_type = models.CharField(max_length=120, default="application/octet-stream")
    size = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)

    def __str__(self):
        return self.filename
