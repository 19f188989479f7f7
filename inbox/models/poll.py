from datetime import timedelta

from django.db import models
from django.utils import timezone


class PollVote(models.Model):
    """A vote of a person (None: our line) for an option of the poll in a message, with its last times: any order."""

    message = models.ForeignKey("inbox.Message", models.CASCADE, related_name="votes")
    option_id = models.CharField(max_length=100)
    handle = models.ForeignKey("inbox.Handle", models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "option_id", "handle"], name="one_vote_per_option", nulls_distinct=False
            ),
        ]

    def __str__(self):
        return f"{self.option_id} in {self.message_id}"

    def after_ours(self):
        """Now; but after all that was done with this vote before, whose times may be of a faster clock."""
        times = [at + timedelta(milliseconds=1) for at in (self.added_at, self.removed_at) if at]
        return max([timezone.now(), *times])

    @property
    def is_live(self):
        return self.added_at is not None and (self.removed_at is None or self.removed_at < self.added_at)
