from django.db import models


class LocationShare(models.Model):
    """Somebody lets us see where they are, for a while. Where that is, only the carrier's API says, when asked."""

    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="locations")
    handle = models.ForeignKey("inbox.Handle", models.PROTECT, related_name="+")
    began_at = models.DateTimeField()
    # None: until they stop it.
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chat", "handle", "began_at"], name="one_share_per_beginning"),
        ]

    def __str__(self):
        return f"{self.handle} since {self.began_at}"
