from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from inbox.models.dressing import Dressed
from inbox.models.errand import Errand
from inbox.models.grouping import Group
from inbox.models.introducing import Introducing
from inbox.models.label import Label
from inbox.models.labelling import Labelled
from inbox.models.locating import Locating
from inbox.models.moving import Movable
from inbox.models.noting import Notable
from inbox.models.reading import ChatRead, Draft
from inbox.models.scheduling import Schedulable
from inbox.models.signalling import Signalling
from inbox.models.snoozing import Snoozable
from inbox.models.standing import reconsider
from inbox.models.writing import Writable
from lines.models import Line, OptOut

# Dots are shown so long, unless they end before; so many colleagues are named as having seen a conversation.
TYPING_LASTS = timedelta(seconds=90)
SEEN_BY = 8
# Messages that are looked at for the last change of the service.
STORY = 200


def key_of(handles):
    """One text for a set of handles, whatever their order."""
    return " ".join(sorted(set(handles)))


class ChatQuerySet(models.QuerySet):
    def visible_to(self, user, environment=None):
        """The one door to chats. The lines are few and fetched first, so that the chats' indexes are used."""
        lines = Line.objects.visible_to(user)
        if environment is not None:
            lines = lines.filter(environment=environment)
        return self.filter(line__in=list(lines.values_list("pk", flat=True)))

    def open(self):
        return self.filter(status=Chat.Status.OPEN)

    def closed(self):
        return self.filter(status=Chat.Status.CLOSED)

    def snoozed(self):
        return self.filter(status=Chat.Status.SNOOZED)

    def unassigned(self):
        return self.filter(assignee=None)

    def waiting(self):
        """Open chats in which they wait for us."""
        return self.open().filter(waiting_since__isnull=False)

    def in_view(self, view, user):
        """One of the tabs of a list: mine, unassigned, waiting or all that are open, or snoozed, or closed."""
        if view == "closed":
            return self.closed()
        if view == "snoozed":
            return self.snoozed()
        chats = self.open()
        if view == "mine":
            return chats.filter(assignee=user)
        if view == "waiting":
            return chats.waiting()
        return chats.unassigned() if view == "unassigned" else chats

    def labelled(self, label):
        return self.filter(pk__in=label.chat_labels.values("chat"))

    def unread_by(self, user):
        """Open chats that wait to be read by `user`, because they are theirs or nobody's."""
        return self.open().filter(
            models.Q(assignee=user) | models.Q(assignee=None), reads__user=user, reads__is_unread=True
        )

    def newest_first(self):
        return self.order_by("-last_activity_at", "-id")

    def older_than(self, at, pk):
        """The keyset page behind a row that stood at (`at`, `pk`), in the order of newest_first."""
        return self.filter(last_activity_at__lte=at).exclude(last_activity_at=at, pk__gte=pk)

    def longest_waiting_first(self):
        return self.order_by("waiting_since", "id")

    def waiting_after(self, at, pk):
        """The keyset page behind a row that waits since `at`, in the order of longest_waiting_first."""
        return self.filter(waiting_since__gte=at).exclude(waiting_since=at, pk__lte=pk)

    def for_rows(self):
        """With all that a row of the list shows, in a constant number of queries."""
        opted_out = OptOut.objects.active().filter(
            environment=models.OuterRef("environment"), handle=models.OuterRef("participants_key")
        )
        return (
            self.select_related(
                "line",
                "icon",
                "assignee",
                "last_message__author",
                "last_message__sender__contact__photo",
                "last_reaction__author",
                "last_reaction__handle__contact",
                "last_reaction__message",
            )
            .annotate(has_opted_out=models.Exists(opted_out))
            .prefetch_related(
                "last_message__parts__attachment",
                "last_reaction__message__parts__attachment",
                models.Prefetch("labels", Label.objects.by_name()),
            )
            .with_people()
        )

    def with_people(self):
        """With what it needs to be named and to have a face: those who are in it."""
        present = Participant.objects.filter(left_at=None)
        present = present.select_related("handle__contact__photo").order_by("id")
        return self.select_related("line", "icon").prefetch_related(models.Prefetch("participants", present))

    def with_own(self, user, *, reader=None):
        """With what of a row is only for `user`: their draft, and what they (or `reader`) have not read."""
        return self.prefetch_related(
            models.Prefetch("reads", ChatRead.objects.filter(user=reader or user), to_attr="own_reads"),
            models.Prefetch(
                "drafts", Draft.objects.filter(user=user, mode="reply").exclude(text=""), to_attr="own_drafts"
            ),
        )


class Chat(
    Writable,
    Notable,
    Schedulable,
    Group,
    Introducing,
    Signalling,
    Dressed,
    Locating,
    Labelled,
    Movable,
    Snoozable,
):
    """A conversation between one of our lines and one person, or a group."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        SNOOZED = "snoozed", "Snoozed"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # An environment with conversations is never deleted.
    environment = models.ForeignKey("lines.Environment", models.PROTECT, related_name="chats")
    line = models.ForeignKey("lines.Line", models.PROTECT, related_name="chats")
    # None until the carrier has answered the first message.
    external_id = models.CharField(max_length=100, null=True)
    service = models.CharField(max_length=10, blank=True, default="")
    is_group = models.BooleanField(default=False)
    display_name = models.CharField(max_length=255, blank=True, default="")
    # The carrier's times of the name, the icon and the background that are known: the newest wins.
    named_at = models.DateTimeField(null=True)
    icon = models.ForeignKey("inbox.Attachment", models.SET_NULL, null=True, related_name="icon_of")
    icon_at = models.DateTimeField(null=True)
    background = models.JSONField(null=True)
    background_at = models.DateTimeField(null=True)
    # Our line is no member any more; then nothing can be done in the group.
    line_left_at = models.DateTimeField(null=True)
    line_joined_at = models.DateTimeField(null=True)
    card_shared_at = models.DateTimeField(null=True)
    # Which edition of the line's contact card they were given.
    card_edition = models.PositiveIntegerField(default=0)
    participants_key = models.TextField(blank=True, default="")
    health = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="assigned_chats"
    )
    # When it was last closed, also where they have opened it since: what they said before waits for nobody.
    closed_at = models.DateTimeField(null=True)
    last_message = models.ForeignKey("inbox.Message", models.SET_NULL, null=True, related_name="+")
    last_message_at = models.DateTimeField(null=True)
    # The newest that is still on a message; it is previewed where no message came after it.
    last_reaction = models.ForeignKey("inbox.Reaction", models.SET_NULL, null=True, related_name="+")
    last_activity_at = models.DateTimeField(default=timezone.now)
    last_inbound_at = models.DateTimeField(null=True)
    last_outbound_at = models.DateTimeField(null=True)
    # The newest of any reaction; of ours that answers; of theirs that asks.
    latest_reaction_at = models.DateTimeField(null=True)
    reacted_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    # Since when they wait for us; None while they do not.
    waiting_since = models.DateTimeField(null=True)
    inbound_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ChatQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "external_id"], name="one_chat_per_external_id"),
        ]
        indexes = [
            # The list, for people of few lines; for leads; my own; what nobody has taken.
            models.Index(fields=["line", "status", "-last_activity_at", "-id"], name="chat_list_of_line"),
            models.Index(fields=["environment", "status", "-last_activity_at", "-id"], name="chat_list"),
            models.Index(
                fields=["assignee", "status", "-last_activity_at", "-id"], name="chat_list_of_assignee"
            ),
            models.Index(
                fields=["environment", "-last_activity_at", "-id"],
                name="chat_list_unassigned",
                condition=models.Q(assignee=None, status="open"),
            ),
            # Who waits longest.
            models.Index(
                fields=["environment", "waiting_since", "id"],
                name="chat_list_waiting",
                condition=models.Q(waiting_since__isnull=False, status="open"),
            ),
            # Whose time has come.
            models.Index(fields=["snoozed_until"], name="chat_snoozed", condition=models.Q(status="snoozed")),
            # Which line was used last.
            models.Index(
                fields=["line", "-last_outbound_at"],
                name="chat_last_written",
                condition=models.Q(last_outbound_at__isnull=False),
            ),
            # The same line and people lead to the chat that exists.
            models.Index(fields=["line", "participants_key"], name="chat_by_people"),
        ]

    def __str__(self):
        return self.name

    @property
    def others(self):
        """The handles that are in the chat now, without our line. Uses what for_rows prefetched."""
        return [participant.handle for participant in self.participants.all() if participant.left_at is None]

    @property
    def guarded(self):
        """The handles that the guard asks about; with one person that is known without looking for them."""
        if not self.is_group and self.participants_key:
            return [self.participants_key]
        return [handle.value for handle in self.others]

    @property
    def name(self):
        if self.is_group and self.display_name:
            return self.display_name
        return ", ".join(handle.name for handle in self.others) or self.display_name or "Unknown"

    @property
    def is_new(self):
        """Nothing has been said in it yet, and the carrier does not know of it."""
        return self.external_id is None and not self.messages.exists()

    @property
    def shows_reaction(self):
        """Whether a tapback came after the last message."""
        reaction = self.last_reaction
        return bool(reaction) and (self.last_message_at is None or reaction.added_at > self.last_message_at)

    @property
    def background_words(self):
        """What is behind the conversation on their phones: “sky, dusk”."""
        told = self.background if isinstance(self.background, dict) else {}
        words = [told.get(name) for name in ("style", "variant")]
        words = [word.replace("_", " ") for word in words if isinstance(word, str) and word]
        if told.get("type") == "photo":
            return "a photo"
        return ", ".join(words) or "a colour"

    @property
    def service_before(self):
        """(service, since when it is another): the last change among the newest messages; None where there was none."""
        newest = self.messages.exclude(service="").newest_first().values_list("service", "at")[:STORY]
        since = None
        for service, at in newest:
            if service != self.service:
                return since and (service, since)
            since = at
        return None

    @property
    def typists(self):
        """Those who are typing now, as far as we are told. Uses what for_rows prefetched."""
        return [participant for participant in self.participants.all() if participant.is_typing]

    @property
    def unread(self):
        """How many messages the person of with_own has not seen; 0 where nobody was named."""
        reads = getattr(self, "own_reads", [])
        return max((self.inbound_count - read.seen for read in reads if read.is_unread), default=0)

    @property
    def draft(self):
        """What the person of with_own was writing."""
        return next((draft.text for draft in getattr(self, "own_drafts", [])), "")

    @property
    def is_open(self):
        return self.status == self.Status.OPEN

    @property
    def is_closed(self):
        return self.status == self.Status.CLOSED

    def change(self, event, *, by, where, data=None, **fields):
        """Apply `fields` if `where` still holds, so two people pressing the same button make one event."""
        if not where.filter(pk=self.pk).update(**fields):
            return False
        self.refresh_from_db()
        self.environment.record(event, chat=self, by=by, data=data)
        return True

    def reconsider(self):
        """Where the chat stands after a reaction or a deletion, in the caller's transaction."""
        reconsider([self.pk])
        self.refresh_from_db()

    @transaction.atomic
    def close(self, *, by):
        return self.change(
            "inbox.chat_closed",
            by=by,
            where=Chat.objects.exclude(status="closed"),
            status="closed",
            closed_at=timezone.now(),
            snoozed_until=None,
            waiting_since=None,
        )

    @transaction.atomic
    def reopen(self, *, by):
        """As if it had not been closed: who waited for us waits again."""
        reopened = self.change(
            "inbox.chat_reopened", by=by, where=Chat.objects.closed(), status="open", closed_at=None
        )
        if reopened:
            self.reconsider()
        return reopened

    @transaction.atomic
    def assign(self, user, *, by):
        """Give the chat to `user` (None: to nobody). `user` must see its line."""
        if user is not None and not Line.objects.visible_to(user).filter(pk=self.line_id).exists():
            raise ValueError(f"{user} cannot see {self.line}")
        others = Chat.objects.exclude(assignee=user) if user else Chat.objects.exclude(assignee=None)
        changed = others.filter(pk=self.pk).update(assignee=user)
        if changed:
            self.refresh_from_db()
            self.environment.record(
                "inbox.chat_assigned",
                chat=self,
                by=by,
                data={"assignee": user and str(user.pk), "name": user and str(user)},
            )
        return bool(changed)

    def seen_by(self):
        """The colleagues who have read all that was said here, who read last first."""
        reads = self.reads.filter(is_unread=False, seen__gte=self.inbound_count, read_at__isnull=False)
        return [read.user for read in reads.select_related("user").order_by("-read_at")[:SEEN_BY]]

    @property
    def shows_typing(self):
        """Whether they can see that somebody writes: on iMessage, and in groups only where that is wanted."""
        if self.external_id is None or self.line_left_at or self.service != "iMessage":
            return False
        return not self.is_group or self.environment.types_in_groups

    def show_typing(self, *, ended=False):
        """Tell the carrier; nothing is kept, since it is over in a moment anyway."""
        from inbox import tasks

        if self.shows_typing and not self.verdict().refused:
            tasks.wake(tasks.show_typing, str(self.pk), ended)

    def read_of(self, user):
        """What `user` has read here, made at the first look."""
        return self.reads.get_or_create(user=user, defaults={"seen": self.inbound_count})[0]

    @transaction.atomic
    def mark_read(self, *, by):
        # The chat is locked before the read, as everywhere, so that nobody waits in a circle.
        chat = Chat.objects.select_for_update(no_key=True).get(pk=self.pk)
        read, _ = self.reads.get_or_create(user=by)
        if read.is_unread or read.seen != chat.inbound_count:
            read.seen, read.is_unread, read.read_at = chat.inbound_count, False, timezone.now()
            read.save()
            self.environment.record("inbox.chat_read", chat=self, by=by, data={"unread": 0})
            chat.tell_carrier_of_reading(by=by)

    def tell_carrier_of_reading(self, *, by):
        """Once for what they wrote last, by whoever reads it first; groups know no such thing."""
        if self.is_group or self.external_id is None or not self.line.sends_read_receipts:
            return
        told = self.errands.filter(kind=Errand.Kind.READ, failed_at=None).order_by("-pk").first()
        # Counted, since the times of what they write are of the carrier's clock.
        if self.inbound_count > (told.body.get("seen", 0) if told else 0):
            Errand.queue(Errand.Kind.READ, self, by=by, seen=self.inbound_count)

    @transaction.atomic
    def mark_unread(self, *, by):
        chat = Chat.objects.select_for_update(no_key=True).get(pk=self.pk)
        read, _ = self.reads.get_or_create(user=by, defaults={"seen": chat.inbound_count})
        if not read.is_unread:
            read.seen = max(0, chat.inbound_count - 1)
            read.is_unread = True
            read.save()
            self.environment.record("inbox.chat_read", chat=self, by=by, data={"unread": 1})


class Participant(models.Model):
    """A person in a chat, and when they came and left. Our own line is `chat.line`, not a participant."""

    chat = models.ForeignKey(Chat, models.CASCADE, related_name="participants")
    handle = models.ForeignKey("inbox.Handle", models.PROTECT, related_name="participations")
    joined_at = models.DateTimeField(null=True)
    # None while they are in it. Of joining and leaving the later one counts, in whatever order they are told.
    left_at = models.DateTimeField(null=True)
    # When they last began and stopped to type.
    typing_at = models.DateTimeField(null=True)
    typing_ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat", "handle"], name="one_participant_per_handle")]

    def __str__(self):
        return str(self.handle)

    @property
    def typing_until(self):
        return self.typing_at and self.typing_at + TYPING_LASTS

    @property
    def is_typing(self):
        if self.typing_at is None or self.left_at or timezone.now() > self.typing_until:
            return False
        return self.typing_ended_at is None or self.typing_ended_at < self.typing_at
