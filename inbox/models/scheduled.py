from django.conf import settings
from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7


class ScheduledQuerySet(models.QuerySet):
    def for_thread(self):
        """With all that a scheduled message in the thread shows."""
        return self.select_related("author", "chat__line").prefetch_related("files")

    def pending(self):
        """Those that somebody still has to see."""
        return self.filter(state__in=["waiting", "asking", "refused"])


class ScheduledSend(models.Model):
    """A message that is to be written later. It becomes one when it is due, and then passes the guard as any other."""

    class State(models.TextChoices):
        WAITING = "waiting", "Scheduled"
        ASKING = "asking", "They wrote first"
        SENT = "sent", "Sent"
        CANCELLED = "cancelled", "Cancelled"
        REFUSED = "refused", "Not sent"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="scheduled")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="scheduled")
    text = models.TextField(blank=True)
    files = models.ManyToManyField("inbox.Attachment", related_name="scheduled")
    effect = models.JSONField(null=True)
    preferred_service = models.CharField(max_length=10, blank=True, default="")
    reply_to = models.ForeignKey("inbox.Message", models.SET_NULL, null=True, related_name="+")
    reply_part_index = models.PositiveSmallIntegerField(default=0)
    send_at = models.DateTimeField()
    # The zone in which the time was chosen: it is shown in it.
    time_zone = models.CharField(max_length=64, default="UTC")
    # Not without asking, if they write before it is due.
    asks_first = models.BooleanField(default=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    error = models.CharField(max_length=300, blank=True, default="")
    message = models.OneToOneField("inbox.Message", models.SET_NULL, null=True, related_name="scheduled_as")
    key = models.UUIDField(null=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = ScheduledQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["send_at"], name="scheduled_due", condition=models.Q(state="waiting")),
            models.Index(
                fields=["chat", "send_at"],
                name="scheduled_of_chat",
                condition=models.Q(state__in=["waiting", "asking", "refused"]),
            ),
        ]

    def __str__(self):
        return f"{self.state} for {self.send_at}"
