from http import HTTPStatus

from django.db import models, transaction
from django.db.models import Q, functions
from django.utils import timezone
from uuid_utils.compat import uuid7

from inbox.models.refusing import Refused
from partyline import trace
from webhooks.models.subscription import Subscription

PAGE = 40
# Deliveries that one verb sends again; more are a matter for the next press of the button.
MOST_RESENT = 10_000


class DeliveryQuerySet(models.QuerySet):
    def unfinished(self):
        return self.filter(state__in=UNFINISHED)

    def undelivered(self):
        """What will not arrive unless it is sent again."""
        return self.filter(state__in=[Delivery.State.FAILED, Delivery.State.DROPPED])

    def between(self, since, until=None):
        """By the time at which it was to be delivered first."""
        found = self.filter(created_at__gte=since)
        return found.filter(created_at__lt=until) if until else found

    def matching(self, *, subscription=None, type="", state="", since=None, until=None, trace_id=""):
        """What the filters of the delivery log leave; each may be left out."""
        given = {"subscription": subscription, "type": type, "state": state, "trace_id": trace_id.lower()}
        found = self.filter(**{name: value for name, value in given.items() if value})
        if since:
            found = found.filter(created_at__gte=since)
        return found.filter(created_at__lt=until) if until else found

    def about(self, event_id):
        """One event's deliveries, to whichever subscription."""
        return self.filter(event_id=event_id)

    def newest_first(self):
        return self.order_by("-pk")

    def page(self, *, before=None, rows=PAGE):
        """(the newest rows before the delivery `before`, whether there are older ones)."""
        found = self.filter(pk__lt=before) if before else self
        found = list(found.newest_first().select_related("subscription")[: rows + 1])
        return found[:rows], len(found) > rows

    def drop(self):
        """What waits or is on its way counts no more."""
        return self.unfinished().update(state=Delivery.State.DROPPED, finished_at=timezone.now())

    def send_again(self):
        """Begin anew with those of which the event is still kept, the oldest MOST_RESENT of them; how many."""
        from lines.models import Event

        kept = Event.objects.filter(event_id=models.OuterRef("event_id"))
        again = self.filter(models.Exists(kept) | Q(test_data__isnull=False)).order_by("pk")
        return Delivery.objects.filter(pk__in=again.values("pk")[:MOST_RESENT]).update(
            state=Delivery.State.WAITING, tries=0, next_try_at=functions.Now(), finished_at=None
        )

    def test(self, subscription, type, data):
        now = timezone.now()
        return self.create(
            environment_id=subscription.environment_id,
            subscription=subscription,
            event_id=uuid7(),
            type=type,
            trace_id=trace.current(),
            happened_at=now,
            test_data=data,
            next_try_at=now,
        )


class Delivery(models.Model):
    """One event for one subscription; in PostgreSQL this table is the queue. It is kept when its event goes."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERING = "delivering", "Being delivered"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        DROPPED = "dropped", "Dropped"

    id = models.BigAutoField(primary_key=True)
    environment = models.ForeignKey(
        "lines.Environment", models.CASCADE, related_name="deliveries", db_index=False
    )
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="deliveries", db_index=False)
    # What programs know the event by; lines.Event has it too, as long as it is kept.
    event_id = models.UUIDField()
    type = models.CharField(max_length=60)
    trace_id = models.CharField(max_length=32)
    chat_id = models.UUIDField(null=True)
    # When the event was recorded.
    happened_at = models.DateTimeField()
    # What an event says that never happened.
    test_data = models.JSONField(null=True)
    state = models.CharField(
        max_length=10, choices=State.choices, default=State.WAITING, db_default="waiting"
    )
    # Attempts since it was begun, or begun anew.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    # While it is being delivered: until when that is believed.
    next_try_at = models.DateTimeField(default=timezone.now, db_default=functions.Now())
    created_at = models.DateTimeField(default=timezone.now, db_default=functions.Now())
    finished_at = models.DateTimeField(null=True)
    # Of the last attempt: the answer's status, or why there was none.
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=20, blank=True, default="", db_default="")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "event_id"], name="one_delivery_per_event")
        ]
        indexes = [
            # What is due, and what stands before it in its chat.
            models.Index(
                fields=["subscription", "next_try_at"],
                name="delivery_due",
                condition=Q(state__in=["waiting", "delivering"]),
            ),
            models.Index(
                fields=["subscription", "chat_id", "id"],
                name="delivery_before",
                condition=Q(state__in=["waiting", "delivering"]),
            ),
            # The log, and its filters.
            models.Index(fields=["environment", "-id"], name="delivery_newest"),
            models.Index(fields=["subscription", "-id"], name="delivery_of_subscription"),
            models.Index(fields=["environment", "type", "-id"], name="delivery_of_type"),
            models.Index(
                fields=["environment", "state", "-id"],
                name="delivery_undelivered",
                condition=~Q(state="delivered"),
            ),
            models.Index(fields=["trace_id"], name="delivery_by_trace"),
            models.Index(fields=["event_id"], name="delivery_by_event"),
        ]

    def __str__(self):
        return f"{self.type} {self.event_id}"

    @transaction.atomic
    def resend(self, *, by):
        """Send it once more, from the first attempt on, whatever came of it. Raises Refused."""
        if not self.subscription.hold() or not self.subscription.is_active:
            raise Refused(2015, "The subscription is disabled; enable it first.")
        if self.is_unfinished_now():
            raise Refused(2015, "It is on its way still.")
        if not Delivery.objects.filter(pk=self.pk).send_again():
            raise Refused(2015, "What it said is no longer kept.")
        self.refresh_from_db()
        self.subscription.record(
            "inbox.webhook_resent", by, delivery=self.pk, event_id=str(self.event_id), type=self.type
        )

    def is_unfinished_now(self):
        return Delivery.objects.select_for_update().unfinished().filter(pk=self.pk).exists()

    @property
    def event(self):
        """The event in the log; None for a test, and where it is kept no longer."""
        from lines.models import Event

        return Event.objects.filter(event_id=self.event_id).first()

    @property
    def is_test(self):
        return self.test_data is not None

    @property
    def is_unfinished(self):
        return self.state in UNFINISHED

    @property
    def seconds(self):
        """From the event to the end of the delivery; None before that."""
        return self.finished_at and (self.finished_at - self.happened_at).total_seconds()


UNFINISHED = (Delivery.State.WAITING, Delivery.State.DELIVERING)


class Attempt(models.Model):
    """One HTTP request of a delivery, and what was answered. Nothing secret is in it."""

    class Error(models.TextChoices):
        TIMEOUT = "timeout", "No answer in time"
        NAME = "name", "The name is not known"
        REFUSED_ADDRESS = "refused_address", "A private address"
        CONNECTION = "connection", "No connection"
        TLS = "tls", "No secure connection"
        PROTOCOL = "protocol", "The answer is no HTTP"

    id = models.BigAutoField(primary_key=True)
    # Its constraint is its index.
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts", db_index=False)
    started_at = models.DateTimeField()
    # Milliseconds.
    duration = models.PositiveIntegerField()
    request_headers = models.JSONField(default=dict)
    status = models.PositiveSmallIntegerField(null=True)
    response_headers = models.JSONField(default=list)
    # The beginning of it.
    response_body = models.TextField(blank=True, default="", db_default="")
    error = models.CharField(max_length=20, choices=Error.choices, blank=True, default="", db_default="")
    detail = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["delivery", "started_at"], name="one_attempt_at_a_time")
        ]
        ordering = ["started_at"]

    def __str__(self):
        return str(self.status or self.error)

    @property
    def answer(self):
        """ "503 Service Unavailable"; the number alone where that has no name."""
        names = {status.value: status.phrase for status in HTTPStatus}
        return f"{self.status} {names.get(self.status, '')}".strip()

    @property
    def is_success(self):
        return self.status is not None and 200 <= self.status < 300
