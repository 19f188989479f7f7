from django.conf import settings
from django.db import models
from django.utils import timezone

STOP_WORDS = frozenset(
    ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "OPT OUT", "OPT-OUT", "REVOKE"]
)
START_WORDS = frozenset(["START", "UNSTOP", "YES"])


def consent_in(text):
    """ "stop", "start" or "": what a whole message says about wanting messages, in any case."""
    words = " ".join(text.upper().split())
    return "stop" if words in STOP_WORDS else "start" if words in START_WORDS else ""


class OptOutQuerySet(models.QuerySet):
    def active(self):
        return self.filter(lifted_at=None)


class OptOut(models.Model):
    """A person told us to stop; it holds for every line of the environment."""

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="opt_outs")
    handle = models.CharField(max_length=255)
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)
    keyword = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=20, default="message")

    objects = OptOutQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "handle"], name="one_opt_out_per_handle")
        ]

    def __str__(self):
        return f"{self.handle} since {self.since}"


class BlockedHandle(models.Model):
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="blocked_handles")
    handle = models.CharField(max_length=255)
    reason = models.CharField(max_length=200, blank=True)
    blocked_at = models.DateTimeField(default=timezone.now)
    blocked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "handle"], name="one_block_per_handle")]

    def __str__(self):
        return self.handle
