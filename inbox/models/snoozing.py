from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from inbox.models.refusing import Refused

LATEST = timedelta(days=366)
# Conversations that one look brings back; the next look takes the rest.
AT_ONCE = 200


class Snoozable(models.Model):
    """The ability of a conversation to be put off, for the whole team: it comes back at a time, or when they write."""

    # None also where it comes back only when they write.
    snoozed_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def is_snoozed(self):
        return self.status == self.Status.SNOOZED

    @transaction.atomic
    def snooze(self, until, *, by):
        """Put it off until an instant (None: until they write); safe to repeat. Raises Refused for a time that is
        past or more than a year away. False where it is closed, or put off until then already."""
        if until is not None and not timezone.now() < until < timezone.now() + LATEST:
            raise Refused(1005, "Choose a time that is still to come, within a year.")
        chats = type(self).objects.exclude(status="closed").exclude(status="snoozed", snoozed_until=until)
        data = {"until": until and until.isoformat()}
        fields = {"status": "snoozed", "snoozed_until": until}
        return self.change("inbox.chat_snoozed", by=by, where=chats, data=data, **fields)

    @transaction.atomic
    def wake(self, *, by):
        """Bring it back; `by` is None where its time has come."""
        chats = type(self).objects.snoozed()
        if by is None:
            chats = chats.filter(snoozed_until__lte=timezone.now())
        return self.change("inbox.chat_woken", by=by, where=chats, status="open", snoozed_until=None)

    @classmethod
    def wake_due(cls):
        due = cls.objects.snoozed().filter(snoozed_until__lte=timezone.now()).order_by("snoozed_until")
        for chat in due.select_related("environment")[:AT_ONCE]:
            chat.wake(by=None)
