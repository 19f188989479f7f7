from django.conf import settings
from django.db import models
from django.utils import timezone


class ChatRead(models.Model):
    """How many of a chat's inbound messages a person has seen. Unread = chat.inbound_count - seen, everywhere."""

    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="reads")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_reads")
    seen = models.PositiveIntegerField(default=0)
    is_unread = models.BooleanField(default=False)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat", "user"], name="one_read_per_chat")]
        indexes = [
            models.Index(fields=["user", "chat"], name="unread_of_user", condition=models.Q(is_unread=True)),
        ]

    def __str__(self):
        return f"{self.user} has seen {self.seen}"


class Draft(models.Model):
    """What a person was writing, per chat and mode."""

    class Mode(models.TextChoices):
        REPLY = "reply"
        NOTE = "note"

    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.REPLY)
    text = models.TextField(blank=True)
    saved_at = models.DateTimeField(default=timezone.now)
    # Of a note, which may be empty then: they wrote notes here last, and not replies.
    is_current = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat", "user", "mode"], name="one_draft_per_mode")]

    def __str__(self):
        return self.text
