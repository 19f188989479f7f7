"""The world of the simulated carrier: its customers' phones and what it knows of their chats with our lines.

It has ids of its own and shares no table with the inbox. Our side hears of it only by the gateway's answers
and by the webhooks that it posts.
"""

from uuid import uuid4

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


class SandboxChat(models.Model):
    """A thread at the carrier, between one line and one or several phones."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    line_number = models.CharField(max_length=20)
    handles_key = models.TextField()
    handsets = models.ManyToManyField(Handset, related_name="chats")
    is_group = models.BooleanField(default=False)
    display_name = models.CharField(max_length=255, blank=True)
    service = models.CharField(max_length=10, default="iMessage")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "line_number", "handles_key"], name="one_sandbox_chat_per_people"
            )
        ]

    def __str__(self):
        return self.display_name or f"{self.line_number} with {self.handles_key}"


class SandboxMessage(models.Model):
    """A message at the carrier. `handset` is who sent it, None where our side did.

    `arrived_at` is when it reached the phones, also where there is no receipt for that. A time may lie in the
    future: what is to happen by itself is written down with the time at which it will have happened.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    chat = models.ForeignKey(SandboxChat, models.CASCADE, related_name="messages")
    handset = models.ForeignKey(Handset, models.CASCADE, null=True, related_name="messages")
    parts = models.JSONField(default=list)
    service = models.CharField(max_length=10)
    preferred_service = models.CharField(max_length=10, blank=True)
    idempotency_key = models.CharField(max_length=255, null=True)
    trace_id = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    # Read on the phone; `read_at` is what the carrier was allowed to tell of it.
    opened_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error_code = models.PositiveIntegerField(null=True)
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


def stored_as(media, filename):
    return f"sandbox/{media.environment_id}/{media.pk}"


class SandboxMedia(models.Model):
    """A file at the carrier. Whoever knows its id may fetch it, as with a real carrier's links."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    file = models.FileField(upload_to=stored_as, max_length=200)
    filename = models.CharField(max_length=255)
    mime_type = models.CharField(max_length=120, default="application/octet-stream")
    size = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return self.filename


class SandboxWebhook(models.Model):
    """A webhook that the carrier is to post, or has posted. This table is its queue.

    Two rows may hold the same event: that is how a carrier repeats itself.
    """

    id = models.BigAutoField(primary_key=True)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    event_id = models.UUIDField(default=uuid4)
    event_type = models.CharField(max_length=60)
    body = models.TextField()
    # While a poster has it, the time at which another may take it over.
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    abandoned_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="sandbox_webhook_due",
                condition=models.Q(delivered_at=None, abandoned_at=None),
            ),
            models.Index(fields=["environment", "-id"], name="sandbox_webhook_newest"),
        ]

    def __str__(self):
        return f"{self.event_type} {self.event_id}"


class SandboxFaults(models.Model):
    """What goes wrong at this carrier, on purpose."""

    environment = models.OneToOneField("lines.Environment", models.CASCADE, related_name="faults")
    repeat_percent = models.PositiveSmallIntegerField(default=0)
    reorder = models.BooleanField(default=False)
    delay_seconds = models.PositiveIntegerField(default=0)
    # How many of the next sends are answered with 500, or accepted without an answer.
    fail_sends = models.PositiveIntegerField(default=0)
    lose_answers = models.PositiveIntegerField(default=0)

    def __str__(self):
        return self.summary

    @property
    def summary(self):
        words = []
        if self.repeat_percent:
            words.append(f"{self.repeat_percent} % repeated")
        if self.reorder:
            words.append("out of order")
        if self.delay_seconds:
            words.append(f"{self.delay_seconds} s late")
        if self.fail_sends:
            words.append(f"{self.fail_sends} × 500")
        if self.lose_answers:
            words.append(f"{self.lose_answers} × no answer")
        return ", ".join(words) or "none"
