from django.conf import settings
from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7

NOTE_LENGTH = 10_000


class NoteQuerySet(models.QuerySet):
    def for_thread(self):
        """With all that a note in the thread shows."""
        return self.select_related("author")


class Note(models.Model):
    """What colleagues say among themselves in a conversation. No road leads from here to a carrier."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="notes")
    text = models.TextField()
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="mentioned_in")
    key = models.UUIDField(null=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["chat", "-created_at"], name="note_of_chat")]

    def __str__(self):
        return self.text
