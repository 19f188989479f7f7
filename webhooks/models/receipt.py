import json

from django.db import models, transaction
from django.db.models import functions
from django.utils import timezone

from partyline.wake import wake
from webhooks import tasks


class ReceiptQuerySet(models.QuerySet):
    def pending(self):
        return self.filter(state=Receipt.State.PENDING)


class Receipt(models.Model):
    """One webhook that a carrier sent us, kept before it was answered, and what became of it."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting to be applied"
        APPLIED = "applied", "Applied"
        AWAITING = "awaiting", "Waits for what is not known yet"
        KEPT = "kept", "Kept, not understood yet"
        PARKED = "parked", "Failed too often"

    id = models.BigAutoField(primary_key=True)
    environment = models.ForeignKey(
        "lines.Environment", models.CASCADE, related_name="receipts", db_index=False
    )
    event_id = models.CharField(max_length=100)
    event_type = models.CharField(max_length=100)
    # The carrier's chat id: what is of one chat is applied in order, and only waits for its own.
    chat_key = models.CharField(max_length=100, blank=True, default="")
    headers = models.JSONField(default=dict)
    body = models.TextField()
    trace_id = models.CharField(max_length=32)
    received_at = models.DateTimeField(default=timezone.now, db_default=functions.Now())
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.PENDING, db_default="pending"
    )
    # The carrier's id of the message that it waits for, or "chat" and that of a chat, or "direct" and two numbers.
    awaits = models.CharField(max_length=100, blank=True, default="", db_default="")
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_try_at = models.DateTimeField(default=timezone.now, db_default=functions.Now())
    applied_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True, default="", db_default="")

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "event_id"], name="one_receipt_per_event")
        ]
        indexes = [
            models.Index(fields=["id"], name="receipt_pending", condition=models.Q(state="pending")),
            models.Index(
                fields=["environment", "chat_key", "id"],
                name="receipt_pending_of_chat",
                condition=models.Q(state="pending"),
            ),
            models.Index(
                fields=["environment", "awaits"],
                name="receipt_awaiting",
                condition=models.Q(state="awaiting"),
            ),
            # The few that an admin looks for among very many.
            models.Index(
                fields=["environment", "state", "-id"],
                name="receipt_unapplied",
                condition=models.Q(state__in=["awaiting", "kept", "parked"]),
            ),
            models.Index(fields=["trace_id"], name="receipt_by_trace"),
        ]

    def __str__(self):
        return f"{self.event_type} {self.event_id}"

    @property
    def summary(self):
        """The sentence that the carrier gives with what happens to an account; "" where there is none."""
        try:
            summary = json.loads(self.body)["data"]["summary"]
        except (ValueError, RecursionError, KeyError, TypeError):
            return ""
        return summary if isinstance(summary, str) else ""

    @property
    def awaited(self):
        """("message" or "chat", the carrier's id) of what it waits for, or ("direct", our number and theirs)."""
        kind, _, wanted = self.awaits.partition(" ")
        return (kind, wanted) if wanted else ("message", kind)

    @property
    def wants(self):
        kind, wanted = self.awaited
        return (
            f"a conversation between {' and '.join(wanted.split())}"
            if kind == "direct"
            else f"{kind} {wanted}"
        )

    @transaction.atomic
    def apply_again(self, *, by=None):
        """Put an already judged receipt back into the queue; applying twice changes nothing."""
        again = Receipt.objects.exclude(state=self.State.PENDING).filter(pk=self.pk)
        if again.update(state=self.State.PENDING, tries=0, next_try_at=timezone.now(), awaits="", error=""):
            self.refresh_from_db()
            self.environment.record("inbox.receipt_applied_again", by=by, data={"event_id": self.event_id})
            wake(tasks.apply_receipts)
