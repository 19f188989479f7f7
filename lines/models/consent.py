from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from lines import gateways

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
    """Somebody who is not heard: what they do towards one of our lines alone is dropped, and nothing is sent to them.
    Groups that they are in go on."""

    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="blocked_handles")
    handle = models.CharField(max_length=255)
    reason = models.CharField(max_length=200, blank=True)
    blocked_at = models.DateTimeField(default=timezone.now)
    blocked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["environment", "handle"], name="one_block_per_handle")]

    def __str__(self):
        return self.handle

    @classmethod
    def block(cls, environment, handle, *, by, reason=""):
        """The block of this normal handle, which may be there already; then it stays as it is. The carrier is told
        first: its failures rise, and then nothing has changed."""
        if known := environment.blocked_handles.filter(handle=handle).first():
            return known
        gateways.for_environment(environment).block(handle)
        said = {"reason": reason[:200], "blocked_by": by}
        with transaction.atomic():
            block, is_new = environment.blocked_handles.get_or_create(handle=handle, defaults=said)
            if is_new:
                data = {"handle": handle, "reason": block.reason}
                environment.record("inbox.handle_blocked", by=by, data=data)
        return block

    def lift(self, *, by):
        """They are heard again; safe to repeat. The carrier is told first, and its failures rise."""
        gateways.for_environment(self.environment).unblock(self.handle)
        with transaction.atomic():
            if not BlockedHandle.objects.filter(pk=self.pk).delete()[0]:
                return
            self.environment.record("inbox.handle_unblocked", by=by, data={"handle": self.handle})
