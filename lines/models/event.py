from django.conf import settings
from django.db import models
from django.dispatch import Signal
from django.utils import timezone
from uuid_utils.compat import uuid7

from partyline import trace

# What happens to the account itself: events of the contract that admins read as a history (contract §4, account).
ACCOUNT = (
    "zero_day_retention.updated",
    "phone_number.forwarding_updated",
    "environment.line_moved",
    "environment.created",
    "environment.renamed",
    "environment.deleted",
    "contact_card.created",
    "contact_card.updated",
    "contact_card.deleted",
    "api_token.created",
    "api_token.renamed",
    "api_token.expiry_scheduled",
    "api_token.expired",
    "api_token.activated",
    "api_token.deleted",
    "webhook_subscription.created",
    "webhook_subscription.deleted",
    "webhook_subscription.target_url_changed",
    "webhook_subscription.enabled",
    "webhook_subscription.disabled",
    "webhook_subscription.events.updated",
    "webhook_subscription.phone_numbers.updated",
    "webhook_subscription.routing_headers_set",
    "webhook_subscription.routing_headers_cleared",
    "team_member.added",
    "team_member.signed_in",
    "team_member.signed_out",
)

# Somebody may see more or less than before; `data` says who.
ACCESS_CHANGED = "inbox.access_changed"

# Sent with `event`, inside its transaction, for what an app above has to change along with it. What carriers tell is
# written many rows at a time and not told here.
recorded = Signal()


# The keys of an event's data under which it has what somebody said.
CONTENT = ("parts", "part", "poll", "added_options")


def without_content(data):
    """An event's data without what the message said that it is about."""
    if "parts" in data:
        data = data | {"parts": []}
    if "part" in data:
        data = data | {"part": {**data["part"], "text": ""}}
    if "poll" in data:
        data = data | {"poll": data["poll"] | {"options": without_words(data["poll"].get("options"))}}
    if "added_options" in data:
        data = data | {"added_options": without_words(data["added_options"])}
    return data


def without_words(options):
    return [option | {"text": ""} for option in options or []]


class EventQuerySet(models.QuerySet):
    def record(self, environment, type, *, chat=None, message=None, line=None, by=None, data=None):
        event = self.model.of(environment, type, chat=chat, message=message, line=line, by=by, data=data)
        event.save(force_insert=True)
        recorded.send(self.model, event=event)
        return event

    def forget(self, *, chat_id, message_id):
        """Take what a message said out of all that was told of it: it was deleted."""
        told = self.filter(chat_id=chat_id, message_id=message_id, data__has_any_keys=CONTENT)
        for event in told:
            event.data = without_content(event.data)
            event.save(update_fields=["data"])

    def of_account(self, *nouns):
        """What happened to the account's nouns ("api_token", …), newest first."""
        types = [type for type in ACCOUNT if type.startswith(tuple(f"{noun}." for noun in nouns))]
        return self.filter(type__in=types).order_by("-id")

    def since(self, sequence):
        """What a reader that has seen `sequence` has not seen, in order."""
        return self.filter(sequence__gt=sequence).order_by("sequence")


class Event(models.Model):
    """One thing that happened in an environment, recorded with the change itself.

    `sequence` is given by a deferred trigger at the very end of the transaction, under a lock of the
    environment, so that it is the order of commits: a reader that remembers the last number it saw skips
    nothing. The same trigger NOTIFYs the channel `partyline_events` with the environment's id.
    """

    id = models.BigAutoField(primary_key=True)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="events")
    sequence = models.BigIntegerField(null=True, editable=False)
    event_id = models.UUIDField(default=uuid7, unique=True)
    type = models.CharField(max_length=60)
    data = models.JSONField(default=dict)
    trace_id = models.CharField(max_length=32)
    line = models.ForeignKey("lines.Line", models.SET_NULL, null=True, related_name="+")
    # Nouns of the inbox, which lies above this app: plain ids.
    chat_id = models.UUIDField(null=True)
    message_id = models.UUIDField(null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = EventQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "sequence"], name="one_event_per_sequence"),
        ]
        indexes = [
            models.Index(fields=["chat_id", "-id"], name="event_of_chat"),
            models.Index(fields=["trace_id"], name="event_by_trace"),
            models.Index(
                fields=["environment"], condition=models.Q(sequence=None), name="event_without_sequence"
            ),
            # What happened to a line itself.
            models.Index(
                fields=["line", "-id"],
                condition=models.Q(chat_id=None, line__isnull=False),
                name="event_of_line",
            ),
            # The few that admins read, among very many.
            models.Index(
                fields=["environment", "-id"],
                condition=models.Q(type__in=ACCOUNT),
                name="event_of_account",
            ),
        ]
        get_latest_by = "id"

    def __str__(self):
        return f"{self.sequence} {self.type}"

    @classmethod
    def of(cls, environment, type, *, chat=None, message=None, line=None, by=None, data=None, trace_id=None):
        """An unsaved event, for verbs that record many at once with bulk_create."""
        chat = chat or (message and message.chat)
        line_id = line.pk if line else chat.line_id if chat else None
        return cls(
            environment=environment,
            type=type,
            chat_id=chat and chat.pk,
            message_id=message and message.pk,
            line_id=line_id,
            actor=by,
            data=data or {},
            trace_id=trace_id or trace.current(),
        )


class EventCounter(models.Model):
    """The last sequence number of an environment, which only the trigger of Event touches, and how far events may
    have been removed since they were too old."""

    environment = models.OneToOneField("lines.Environment", models.CASCADE, primary_key=True)
    last = models.BigIntegerField(default=0)
    removed_to = models.BigIntegerField(default=0, db_default=0)

    def __str__(self):
        return str(self.last)
