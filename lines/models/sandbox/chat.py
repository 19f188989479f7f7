from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.utils import timezone

from lines.models.sandbox.handset import Handset

# How long dots are shown to whoever waits, unless they end before.
TYPING_LASTS = timedelta(seconds=90)


class SandboxChat(models.Model):
    """A thread at the carrier, between one line and one or several phones.

    `handles_key` finds it by its people; it is None where nothing does: a group that has a name, whose members
    have changed, or that the line has left.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="+")
    line_number = models.CharField(max_length=20)
    handles_key = models.TextField(null=True)
    handsets = models.ManyToManyField(Handset, related_name="chats", through="lines.SandboxMember")
    is_group = models.BooleanField(default=False)
    display_name = models.CharField(max_length=255, blank=True)
    icon = models.ForeignKey("lines.SandboxMedia", models.SET_NULL, null=True, related_name="+")
    background = models.JSONField(null=True)
    service = models.CharField(max_length=10, default="iMessage")
    line_left_at = models.DateTimeField(null=True)
    line_read_at = models.DateTimeField(null=True)
    # What the phones are shown of us: dots, until they are over.
    line_types_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "line_number", "handles_key"], name="one_sandbox_chat_per_people"
            )
        ]

    def __str__(self):
        return self.display_name or f"{self.line_number} with {self.handles_key or 'a group'}"

    @property
    def phones(self):
        """Those that are in it now."""
        return list(Handset.objects.filter(memberships__chat=self, memberships__left_at=None))

    @property
    def size(self):
        """How many are in it now, our line among them."""
        return self.members.filter(left_at=None).count() + (self.line_left_at is None)


class SandboxMember(models.Model):
    """A phone in a chat, from when until when."""

    class Status(models.TextChoices):
        ACTIVE = "active"
        LEFT = "left"
        REMOVED = "removed"

    chat = models.ForeignKey(SandboxChat, models.CASCADE, related_name="members")
    handset = models.ForeignKey(Handset, models.CASCADE, related_name="memberships")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    joined_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True)
    # The webhook that will end their typing, while they type.
    typing_ends = models.UUIDField(null=True)
    # Our contact card on this phone.
    card_offered_at = models.DateTimeField(null=True)
    card_added_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chat", "handset"], name="one_sandbox_member_per_phone")
        ]
        ordering = ["handset_id"]

    def __str__(self):
        return f"{self.handset} in {self.chat_id}"


class SandboxHappening(models.Model):
    """What a phone tells in small letters between the messages. `by` is who did it, None where our line did;
    `about` whom it was done to."""

    class Kind(models.TextChoices):
        NAMED = "named"
        ICON = "icon"
        ADDED = "added"
        REMOVED = "removed"
        LEFT = "left"
        BACKGROUND = "background"
        LOCATION = "location"
        LOCATION_ENDED = "location_ended"
        LOCATION_ASKED = "location_asked"
        CARD = "card"

    chat = models.ForeignKey(SandboxChat, models.CASCADE, related_name="happenings")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    by = models.ForeignKey(Handset, models.CASCADE, null=True, related_name="+")
    about = models.ForeignKey(Handset, models.CASCADE, null=True, related_name="+")
    value = models.CharField(max_length=255, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["chat", "-at"], name="sandbox_happening_newest")]
        ordering = ["at", "id"]

    def __str__(self):
        return f"{self.kind} in {self.chat_id}"


class SandboxLocation(models.Model):
    """A phone lets our line see where it is."""

    chat = models.ForeignKey(SandboxChat, models.CASCADE, related_name="locations")
    handset = models.ForeignKey(Handset, models.CASCADE, related_name="locations")
    longitude = models.FloatField()
    latitude = models.FloatField()
    address = models.CharField(max_length=255, blank=True, default="")
    began_at = models.DateTimeField(default=timezone.now)
    # None: until they stop it.
    ends_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # The webhook that will tell of its end, where that is known.
    end_event = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chat", "handset"],
                condition=models.Q(ended_at=None),
                name="one_sandbox_location_at_a_time",
            )
        ]

    def __str__(self):
        return f"{self.handset} since {self.began_at}"
