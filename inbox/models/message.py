from django.conf import settings
from django.db import models
from django.db.models.fields.json import KT
from django.utils import timezone
from uuid_utils.compat import uuid7

from inbox.models.deleting import Deletable
from inbox.models.editing import Editable
from inbox.models.effects import label_of, shown_as
from inbox.models.holding import Holdable
from inbox.models.keying import Keyed
from inbox.models.outlining import Outlined
from inbox.models.polling import Pollable
from inbox.models.reacting import Reactable
from inbox.models.reaction import heaped
from inbox.models.sending import Sendable
from inbox.models.sticking import Stickable

# What a bubble shows besides its own row.
FOR_BUBBLES = (
    "parts__attachment__deleted_by",
    "original__parts__attachment",
    "reactions__handle__contact",
    "reactions__author",
    "reactions__sticker",
    "edits__author",
    "votes__handle__contact",
)


# A phone lets every answer point to what began the thread; whoever does not is followed so far, up and down.
THREAD_DEPTH, THREAD_LENGTH = 8, 500


class MessageQuerySet(models.QuerySet):
    def answering(self, external_ids):
        """What answers messages of these ids of the carrier, and does not know them yet."""
        unknown = self.filter(original=None, reply_to__isnull=False).annotate(
            answers=KT("reply_to__message_id")
        )
        return unknown.filter(answers__in=external_ids)

    def visible_to(self, user, environment=None):
        from inbox.models.chat import Chat

        return self.filter(chat__in=Chat.objects.visible_to(user, environment))

    def newest_first(self):
        return self.order_by("-at", "-id")

    def oldest_first(self):
        return self.order_by("at", "id")

    def older_than(self, at, pk):
        """The keyset page behind a message that stands at (`at`, `pk`), in the order of newest_first."""
        return self.filter(at__lte=at).exclude(at=at, pk__gte=pk)

    def newer_than(self, at, pk):
        return self.filter(at__gte=at).exclude(at=at, pk__lte=pk)

    def in_thread_of(self, message):
        """The message that began it and all that answers it or one of its answers, oldest first."""
        root = message
        for _ in range(THREAD_DEPTH):
            if root.original is None:
                break
            root = root.original
        thread = found = {root.pk}
        for _ in range(THREAD_DEPTH):
            answers = self.model.objects.filter(original__in=found).values_list("pk", flat=True)
            found = set(answers[:THREAD_LENGTH]) - thread
            if not found:
                break
            thread = thread | found
        return self.filter(pk__in=thread).oldest_first()

    def for_bubbles(self):
        """With all that a bubble shows, in a constant number of queries."""
        return self.select_related(
            "sender__contact__photo",
            "author",
            "deleted_by",
            "chat__line",
            "original__sender__contact",
            "original__author",
        ).prefetch_related(*FOR_BUBBLES)


class Message(Sendable, Holdable, Keyed, Reactable, Stickable, Pollable, Editable, Deletable, Outlined):
    """A message of a chat, ours or theirs. Its state is derived from its times, so their order of arrival is
    of no account; a time that is once known does not change."""

    class Direction(models.TextChoices):
        INBOUND = "inbound"
        OUTBOUND = "outbound"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="messages")
    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="messages")
    # That of its chat, where what a line did is counted along its own indexes.
    line = models.ForeignKey("lines.Line", models.PROTECT, related_name="+", db_index=False)
    external_id = models.CharField(max_length=100, null=True)
    direction = models.CharField(max_length=10, choices=Direction.choices)
    # Who wrote it: a handle (inbound), a colleague (outbound), or nobody we know (another program).
    sender = models.ForeignKey("inbox.Handle", models.PROTECT, null=True, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="messages")
    service = models.CharField(max_length=10, blank=True, default="")
    preferred_service = models.CharField(max_length=10, blank=True, default="")
    effect = models.JSONField(null=True)
    # As the carrier told it, with its ids; `original` is the message that it means, once that is known.
    reply_to = models.JSONField(null=True)
    original = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replies")
    is_voice_memo = models.BooleanField(default=False)
    # A program sent it although they had opted out.
    overrides_opt_out = models.BooleanField(default=False)
    # "stop" or "start" where the whole message is such a word, in a chat with one person.
    consent = models.CharField(max_length=5, blank=True, default="")
    trace_id = models.CharField(max_length=32, blank=True, default="")
    # The place in the thread: the carrier's time, or the time of queueing for what is not sent yet.
    at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    queued_at = models.DateTimeField(null=True)
    # When the guard last let it go to the wire: from then on it counts towards the limits of its line.
    cleared_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    edited_at = models.DateTimeField(null=True)
    # Deleted from our records and the carrier's; the phones keep it. `digest` is of what it said.
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    digest = models.CharField(max_length=64, blank=True, default="")
    # Late by the carrier's own word, or from before we listened: history, which is nothing new.
    reconciled_at = models.DateTimeField(null=True)
    # Nobody told us of it; this is when we found it by asking.
    recovered_at = models.DateTimeField(null=True)
    error_code = models.PositiveIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True, default="")

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "external_id"], name="one_message_per_external_id"
            ),
            models.UniqueConstraint(fields=["environment", "idempotency_key"], name="one_message_per_key"),
        ]
        indexes = [
            models.Index(fields=["chat", "-at", "-id"], name="thread"),
            # What a line did in a time, and what counts towards its limits.
            models.Index(fields=["line", "at"], include=["direction"], name="message_of_line"),
            models.Index(
                fields=["line", "cleared_at"],
                name="message_left_by_line",
                condition=models.Q(cleared_at__isnull=False),
            ),
            *Holdable.INDEXES,
            models.Index(
                fields=["sender", "-at"], name="consent_of_sender", condition=models.Q(direction="inbound")
            ),
            # Replies whose original is not known yet.
            models.Index(
                "environment",
                KT("reply_to__message_id"),
                name="reply_without_original",
                condition=models.Q(original=None, reply_to__isnull=False),
            ),
            models.Index(
                fields=["next_try_at"],
                name="message_due",
                condition=models.Q(direction="outbound", accepted_at=None, failed_at=None, sent_at=None),
            ),
        ]

    def __str__(self):
        return f"{self.direction} {self.pk}"

    def hold(self):
        """Lock its chat, then itself, in the order of everybody, so that nobody waits in a circle; it is then as it
        is now. In the caller's transaction."""
        type(self.chat).objects.select_for_update(no_key=True).get(pk=self.chat_id)
        self.refresh_from_db(from_queryset=type(self).objects.select_for_update(no_key=True))

    @property
    def is_inbound(self):
        return self.direction == self.Direction.INBOUND

    @property
    def state(self):
        """received; or queued, held, sending, accepted, sent, delivered, read, failed, refused: the furthest that is known."""
        if self.is_inbound:
            return "received"
        if self.read_at:
            return "read"
        if self.delivered_at:
            return "delivered"
        if self.failed_at:
            return "refused" if self.verdict.get("action") == "refuse" else "failed"
        if self.sent_at:
            return "sent"
        if self.accepted_at:
            return "accepted"
        if self.verdict.get("action") == "hold":
            return "held"
        return "sending" if self.claimed_at else "queued"

    @property
    def came_late(self):
        """Told of more than a minute after it was sent."""
        return self.is_inbound and (self.created_at - self.at).total_seconds() > 60

    @property
    def text(self):
        return "\n".join(part.text for part in self.parts.all() if part.text)

    @property
    def said(self):
        """Its parts, also where they are not stored yet."""
        known = getattr(self, "known_parts", None)
        return self.parts.all() if known is None else known

    @property
    def groups(self):
        """Its parts as bubbles: photos that follow one another are one, and so is each text, file or link."""
        groups = []
        for part in self.parts.all():
            kind = part.shown_as
            if groups and kind == "photos" and groups[-1]["kind"] == "photos":
                groups[-1]["parts"].append(part)
            else:
                groups.append({"kind": kind, "parts": [part], "index": part.index, "reactions": []})
        for heap in heaped(self.reactions.all()):
            holds = [group for group in groups if group["index"] <= heap["part_index"]]
            if holds:
                holds[-1]["reactions"].append(heap)
        return groups

    @property
    def effect_label(self):
        return label_of(self.effect)

    @property
    def effect_name(self):
        """Under which its effect is drawn."""
        return shown_as(self.effect)[1]

    @property
    def reply_part(self):
        """The part of the original that this answers; None where that is not known."""
        if self.original is None:
            return None
        index = (self.reply_to or {}).get("part_index") or 0
        return next((part for part in self.original.parts.all() if part.index == index), None)

    @property
    def versions(self):
        """What its texts have said, newest first, each with `before`: the text in whose place it came."""
        before, versions = {}, []
        for edit in sorted(self.edits.all(), key=lambda edit: (not edit.is_first, edit.edited_at)):
            edit.before = before.get(edit.part_index)
            before[edit.part_index] = edit.text
            versions.append(edit)
        return versions[::-1]
