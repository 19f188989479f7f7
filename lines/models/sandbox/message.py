from uuid import uuid4

from django.db import models
from django.utils import timezone

from lines.models.sandbox.handset import Handset


class SandboxMessage(models.Model):
    """A message at the carrier. `handset` is who sent it, None where our side did.

    A time may lie in the future: what is to happen by itself is written down with the time at which it will have
    happened. `deleted_at` is when our side had it taken out of the carrier's records; no phone loses it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    chat = models.ForeignKey("lines.SandboxChat", models.CASCADE, related_name="messages")
    handset = models.ForeignKey(Handset, models.CASCADE, null=True, related_name="messages")
    parts = models.JSONField(default=list)
    service = models.CharField(max_length=10)
    preferred_service = models.CharField(max_length=10, blank=True)
    effect = models.JSONField(null=True)
    original = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replies")
    original_part = models.PositiveSmallIntegerField(default=0)
    is_voice_memo = models.BooleanField(default=False)
    # {"options": [{"option_id", "text", "creator", "voters": [{"handle", "voted_at"}]}]}, for a poll.
    poll = models.JSONField(null=True)
    idempotency_key = models.CharField(max_length=255, null=True)
    trace_id = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    # What the carrier was allowed to tell of the copy on the phone.
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error_code = models.PositiveIntegerField(null=True)
    deleted_at = models.DateTimeField(null=True)
    is_scripted = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "idempotency_key"], name="one_sandbox_message_per_key"
            )
        ]
        indexes = [models.Index(fields=["chat", "created_at"], name="sandbox_thread")]
        ordering = ["created_at", "id"]

    def __str__(self):
        return f"{self.service} {self.pk}"

    @property
    def is_from_line(self):
        return self.handset_id is None

    @property
    def reply_to(self):
        """As V3 has it."""
        return self.original_id and {"message_id": str(self.original_id), "part_index": self.original_part}


class SandboxCopy(models.Model):
    """A message on one of the phones that it was meant for. It waits there (`arrived_at` None) for coverage."""

    message = models.ForeignKey(SandboxMessage, models.CASCADE, related_name="copies")
    handset = models.ForeignKey(Handset, models.CASCADE, related_name="copies")
    arrived_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "handset"], name="one_sandbox_copy_per_phone")
        ]
        indexes = [models.Index(fields=["handset", "arrived_at"], name="sandbox_copy_of_phone")]

    def __str__(self):
        return f"{self.message_id} for {self.handset}"


class SandboxEdit(models.Model):
    """What a part of a message said from `edited_at` on."""

    message = models.ForeignKey(SandboxMessage, models.CASCADE, related_name="edits")
    part_index = models.PositiveSmallIntegerField(default=0)
    text = models.TextField()
    edited_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["edited_at", "id"]

    def __str__(self):
        return f"{self.message_id} at {self.edited_at}"


class SandboxReaction(models.Model):
    """A tapback or a sticker that `handset`, or our line (None), has put on a part of a message."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    message = models.ForeignKey(SandboxMessage, models.CASCADE, related_name="reactions")
    part_index = models.PositiveSmallIntegerField(default=0)
    handset = models.ForeignKey(Handset, models.CASCADE, null=True, related_name="reactions")
    type = models.CharField(max_length=20)
    emoji = models.CharField(max_length=64, blank=True, default="")
    sticker = models.ForeignKey("lines.SandboxMedia", models.SET_NULL, null=True, related_name="+")
    # Of a sticker of ours: x, y, scale, rotation.
    placement = models.JSONField(default=dict)
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            # A tapback takes the place of the last one; stickers pile up.
            models.UniqueConstraint(
                fields=["message", "part_index", "handset"],
                condition=~models.Q(type="sticker"),
                nulls_distinct=False,
                name="one_sandbox_tapback_per_person",
            )
        ]
        ordering = ["added_at", "id"]

    def __str__(self):
        return f"{self.type} on {self.message_id}"
