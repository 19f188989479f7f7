"""The carrier's queue of webhooks, and what is to go wrong on purpose."""

from uuid import uuid4

from django.db import models
from django.utils import timezone


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
    # How many of the next reactions and edits, or changes of a group, are refused for good.
    refuse_actions = models.PositiveIntegerField(default=0)
    refuse_group_changes = models.PositiveIntegerField(default=0)

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
        if self.refuse_actions:
            words.append(f"{self.refuse_actions} × no reaction or edit")
        if self.refuse_group_changes:
            words.append(f"{self.refuse_group_changes} × no group change")
        return ", ".join(words) or "none"
