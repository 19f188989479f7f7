from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from inbox.live import THREAD_LINES
from inbox.models import FiguresCursor
from inbox.models.refusing import Refused
from lines.models import ApiRequest, Event, EventCounter
from webhooks.models.delivery import Delivery
from webhooks.models.receipt import Receipt
from webhooks.models.subscription import Subscription

# Rows that go in one transaction.
BATCH = 500
LONGEST = 3650
# What is kept for so many days, and what people call it.
KINDS = {
    "receipts": "received webhooks",
    "deliveries": "deliveries and their attempts",
    "requests": "requests of programs",
    "events": "events",
}


def refusal(kind):
    return f"Keep {KINDS[kind]} for 1 to {LONGEST} days, or for ever."


class Retention(models.Model):
    """For how many days an environment keeps what was written down of its traffic; 0 is for ever.

    Conversations lose nothing by it: messages are no traffic, and events that are a line of a conversation stay.
    """

    environment = models.OneToOneField(
        "lines.Environment", models.CASCADE, primary_key=True, related_name="retention"
    )
    receipts = models.PositiveSmallIntegerField(default=0)
    deliveries = models.PositiveSmallIntegerField(default=0)
    requests = models.PositiveSmallIntegerField(default=0)
    events = models.PositiveSmallIntegerField(default=0)
    # The last receipt that was looked at: their order has no index by environment.
    receipts_up_to = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(null=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    def __str__(self):
        return f"of {self.environment_id}"

    @classmethod
    def of(cls, environment):
        """That of an environment, or one that keeps everything."""
        found = cls.objects.filter(environment=environment).select_related("changed_by")
        return found.first() or cls(environment=environment)

    @classmethod
    @transaction.atomic
    def change(cls, environment, *, by, **days):
        """Keep each kind of KINDS that is named for so many days, 0 for ever. Safe to repeat. Raises Refused."""
        for kind, count in days.items():
            if not 0 <= count <= LONGEST:
                raise Refused(1005, refusal(kind))
        cls.objects.get_or_create(environment=environment)
        retention = cls.objects.select_for_update().get(environment=environment)
        changed = {kind: count for kind, count in days.items() if getattr(retention, kind) != count}
        if changed:
            found = cls.objects.filter(environment=environment)
            found.update(**changed, changed_at=timezone.now(), changed_by=by)
            environment.record("inbox.retention_changed", by=by, data=changed)
        return cls.of(environment)

    @classmethod
    def apply_all(cls, *, until):
        """Remove what is too old in all environments, in turn and in small batches; not after `until`."""
        waiting = list(cls.objects.order_by("environment").values_list("environment", flat=True))
        while waiting and timezone.now() < until:
            still = []
            for pk in waiting:
                retention = cls.objects.filter(pk=pk).first()
                if retention and retention.apply():
                    still.append(pk)
            waiting = still

    def apply(self):
        """Remove one batch of each kind; whether there may be more."""
        more = [getattr(self, f"_remove_{kind}")() for kind in KINDS if getattr(self, kind)]
        return any(more)

    def _before(self, kind):
        return timezone.now() - timedelta(days=getattr(self, kind))

    @transaction.atomic
    def _remove_receipts(self):
        """All but those that were never applied, at which it stops; of other environments it passes over them."""
        own = Retention.objects.select_for_update().get(pk=self.pk)
        found = Receipt.objects.filter(pk__gt=own.receipts_up_to, received_at__lt=self._before("receipts"))
        rows = list(found.order_by("pk").values_list("pk", "environment", "state")[:BATCH])
        gone = []
        for pk, environment, state in rows:
            is_mine = environment == self.environment_id
            if is_mine and state == Receipt.State.PENDING:
                break
            own.receipts_up_to = pk
            if is_mine:
                gone.append(pk)
        Receipt.objects.filter(pk__in=gone).delete()
        own.save(update_fields=["receipts_up_to"])
        return len(rows) == BATCH and own.receipts_up_to == rows[-1][0]

    @transaction.atomic
    def _remove_deliveries(self):
        """All but those that are under way; and deleted subscriptions of which nothing is left."""
        mine = Delivery.objects.filter(environment=self.environment_id)
        found = mine.exclude(state__in=["waiting", "delivering"]).order_by("pk")
        gone = list(found.values_list("pk", "created_at")[:BATCH])
        before = self._before("deliveries")
        gone = [pk for pk, created_at in gone if created_at < before]
        Delivery.objects.filter(pk__in=gone).delete()
        deleted = Subscription.objects.filter(environment=self.environment_id, deleted_at__lt=before)
        deleted.exclude(models.Exists(Delivery.objects.filter(subscription=models.OuterRef("pk")))).delete()
        return len(gone) == BATCH

    def _remove_requests(self):
        found = ApiRequest.objects.filter(environment=self.environment_id).order_by("pk")
        gone = list(found.values_list("pk", "at")[:BATCH])
        before = self._before("requests")
        gone = [pk for pk, at in gone if at < before]
        ApiRequest.objects.filter(pk__in=gone).delete()
        return len(gone) == BATCH

    @transaction.atomic
    def _remove_events(self):
        """All up to the first that some subscription has still to be told of, or that is too young."""
        counter = EventCounter.objects.filter(environment=self.environment_id).first()
        if counter is None:
            return False
        found = Event.objects.filter(environment=self.environment_id).since(counter.removed_to)
        rows = list(found.values_list("pk", "sequence", "type", "event_id", "created_at")[:BATCH])
        told_to = self._told_to()
        under_way = self._under_way([event_id for *_, event_id, _ in rows])
        before, gone, reached = self._before("events"), [], counter.removed_to
        for pk, sequence, type, event_id, created_at in rows:
            if created_at >= before or sequence > told_to or event_id in under_way:
                break
            reached = sequence
            if type not in THREAD_LINES:
                gone.append(pk)
        Event.objects.filter(pk__in=gone).delete()
        # Only the number of what went, beside the trigger that counts what comes.
        EventCounter.objects.filter(environment=self.environment_id).update(removed_to=reached)
        return len(rows) == BATCH and reached == rows[-1][1]

    def _told_to(self):
        """How far all subscriptions and the figures are told; it only grows."""
        active = Subscription.objects.active().filter(environment=self.environment_id)
        counted = FiguresCursor.objects.filter(environment=self.environment_id)
        told = [*active.values_list("published", flat=True), *counted.values_list("sequence", flat=True)]
        return min(told, default=float("inf"))

    def _under_way(self, event_ids):
        found = Delivery.objects.unfinished().filter(event_id__in=event_ids)
        return set(found.values_list("event_id", flat=True))
