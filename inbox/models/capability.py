"""On which services somebody can be reached: the carrier's word, else what past messages showed, else unknown."""

from django.core.cache import cache
from django.db import models
from django.utils import timezone

from inbox.models.refusing import Refused
from lines import gateways
from lines.gateways import PermanentFailure, TemporaryFailure
from partyline import limits

# Seconds. The carrier answers one question of an account in so long (contract §4.2).
CHECK_EVERY = 10
# Until then whoever asked is told that it is being asked, or that nobody answered.
SHOWN_FOR = 60
# An answer is remembered so long for whoever read the handle just before it came.
OVERLAP = 5
SERVICES = {"iMessage": "has_imessage", "RCS": "has_rcs"}


class Capable(models.Model):
    """The ability of a handle to say what it can get."""

    # The service of the last message with them alone, and when that was: what is known from past messages.
    service = models.CharField(max_length=10, blank=True, default="")
    service_at = models.DateTimeField(null=True)
    # What the carrier said when it was asked; None: it was not, or had no answer.
    has_imessage = models.BooleanField(null=True)
    has_rcs = models.BooleanField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def reached_by(self):
        """The best service that is known of them, by the carrier's word or by past messages; "" where nothing is."""
        if self.has_imessage:
            return "iMessage"
        if self.service and self.has_newer_messages:
            return self.service
        if self.has_rcs:
            return "RCS"
        if self.has_imessage is False and self.has_rcs is False:
            return "SMS"
        # The carrier knows better than an older message.
        return "" if self.has_imessage is False and self.service == "iMessage" else self.service

    @property
    def capability(self):
        """How well that is known: known, past or unknown."""
        if self.has_imessage is not None or self.has_rcs is not None:
            return "known"
        return "past" if self.service else "unknown"

    @property
    def has_newer_messages(self):
        """Whether a message went between us after the carrier was asked."""
        return bool(self.service_at and (self.checked_at is None or self.service_at > self.checked_at))

    def can_get(self, service):
        """Whether they can be in a conversation on this service; None where nobody knows."""
        said = getattr(self, SERVICES[service]) if service in SERVICES else None
        if said is not None and not self.has_newer_messages:
            return said
        return self.reached_by == service if self.reached_by else said

    @property
    def asking(self):
        """asked while the carrier is being asked, silent where it had no answer just now; else ""."""
        said = cache.get(self.asking_key, "") if self.pk else ""
        if said == "answered":
            return "" if self.capability == "known" else "asked"
        return said

    @property
    def asking_key(self):
        return f"asking-{self.pk}"

    def ask_capability(self, line, *, by):
        """Have the carrier of `line` asked what they can get. Refused where it was asked something just now."""
        from inbox import tasks

        if self.asking == "asked":
            return
        if self.wait_to_ask():
            raise Refused(
                1007,
                f"The carrier answers one such question in {CHECK_EVERY} seconds. Ask again in a moment.",
            )
        cache.set(self.asking_key, "asked", SHOWN_FOR)
        tasks.wake(tasks.learn_capability, str(self.pk), str(line.pk))

    def wait_to_ask(self):
        """After how many seconds the carrier may be asked; 0 where that is now, and then it counts as asked."""
        return limits.spend(f"capability-{self.environment_id}", within=CHECK_EVERY)

    def hear_capability(self, service, said):
        """Take over the carrier's word; of somebody whom we do not keep it is not kept."""
        setattr(self, SERVICES[service], said)
        self.checked_at = timezone.now()
        if not self._state.adding:
            self.save(update_fields=[SERVICES[service], "checked_at"])

    def learn_capability(self, line, service="iMessage"):
        """Ask the carrier about one service and keep its word; RCS is asked only of who has no iMessage.

        Returns what to ask next, and after how many seconds; None where nothing is left to ask.
        """
        gateway = gateways.for_environment(line.environment)
        check = gateway.check_imessage if service == "iMessage" else gateway.check_rcs
        try:
            said = check(self.value, line=line.phone_number)
        except TemporaryFailure as failure:
            # Somebody else asked the carrier first.
            if failure.code == 1007:
                return service, max(1, failure.retry_after.total_seconds())
            said = None
        except PermanentFailure:
            said = None
        if said is not None:
            self.hear_capability(service, said)
        if service == "iMessage" and not said and self.kind == "phone":
            return "RCS", CHECK_EVERY
        self.answered(said)

    def answered(self, said):
        if said is None:
            cache.set(self.asking_key, "silent", SHOWN_FOR)
        else:
            cache.set(self.asking_key, "answered", OVERLAP)
