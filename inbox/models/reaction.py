from django.conf import settings
from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7

# Type -> what a phone calls it, and the character that stands for it in a line of text.
TAPBACKS = {
    "love": ("Love", "❤️"),
    "like": ("Like", "👍"),
    "dislike": ("Dislike", "👎"),
    "laugh": ("Laugh", "😂"),
    "emphasize": ("Emphasise", "‼️"),
    "question": ("Question", "❓"),
}
# How the key of a sticker of ours begins, until the carrier has told of it.
OURS = "sticker ours "
# What asks for our attention, as a message would; any other tapback is an answer.
ASKS = ("dislike", "question")


class ReactionQuerySet(models.QuerySet):
    def live(self):
        return self.filter(
            models.Q(removed_at=None) | models.Q(removed_at__lt=models.F("added_at")), added_at__isnull=False
        )

    def ours(self):
        return self.filter(handle=None)


class Reaction(models.Model):
    """What a person (`handle`), or our line (None), has put on a part of a message.

    A row for each person and kind, with the last times at which it was put on and taken off: so the order in
    which a carrier tells of them is of no account. On a phone a tapback takes the place of the last one, a sticker
    does not; `shown` knows that.
    """

    # By which programs know it.
    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="reactions")
    message = models.ForeignKey("inbox.Message", models.CASCADE, related_name="reactions")
    part_index = models.PositiveSmallIntegerField(default=0)
    handle = models.ForeignKey("inbox.Handle", models.PROTECT, null=True, related_name="reactions")
    # The colleague who reacted for our line, where it was one of us.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    # "like", "custom 🚀", "sticker <the carrier's id>": one row of each.
    key = models.CharField(max_length=120)
    type = models.CharField(max_length=20)
    emoji = models.CharField(max_length=64, blank=True, default="")
    sticker = models.ForeignKey("inbox.Attachment", models.SET_NULL, null=True, related_name="reactions")
    # Where a sticker lies, as far as we know: x, y, scale, rotation (contract §6.3).
    placement = models.JSONField(default=dict, blank=True)
    external_id = models.CharField(max_length=100, blank=True, default="")
    added_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReactionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "part_index", "handle", "key"],
                name="one_reaction_per_kind",
                nulls_distinct=False,
            ),
        ]
        indexes = [models.Index(fields=["chat", "-added_at"], name="reaction_of_chat")]

    def __str__(self):
        return f"{self.sign} on {self.message_id}"

    @staticmethod
    def key_of(type, emoji="", reaction_id=""):
        if type == "sticker":
            return f"sticker {reaction_id}"
        return f"custom {emoji}" if type == "custom" else type

    @property
    def is_live(self):
        return self.added_at is not None and (self.removed_at is None or self.removed_at < self.added_at)

    @property
    def is_tapback(self):
        return self.type != "sticker"

    @property
    def name(self):
        if self.type == "custom":
            return self.emoji
        return TAPBACKS[self.type][0] if self.type in TAPBACKS else f"Sticker {self.emoji}".strip()

    @property
    def sign(self):
        """One character for a line of text."""
        if self.type == "custom":
            return self.emoji
        if self.type in TAPBACKS:
            return TAPBACKS[self.type][1]
        return f"a sticker {self.emoji}".strip()

    @property
    def is_ours(self):
        return self.handle_id is None


def heaped(reactions):
    """What stands on a bubble's corner: one heap for each kind on each part, with who put it there and when."""
    heaps = {}
    for reaction in shown(reactions):
        place = reaction.part_index, reaction.key
        heap = heaps.setdefault(
            place, {"part_index": reaction.part_index, "first": reaction, "reactions": []}
        )
        heap["reactions"].append(reaction)
        heap["is_ours"] = any(one.is_ours for one in heap["reactions"])
    return list(heaps.values())


def shown(reactions):
    """Of all rows of a message, those that a phone would show: the newest tapback of each person on each part,
    if it is still there, and every sticker."""
    newest, stickers = {}, []
    for reaction in reactions:
        if not reaction.is_tapback:
            stickers += [reaction] if reaction.is_live else []
        elif reaction.added_at is not None:
            place = reaction.part_index, reaction.handle_id
            known = newest.get(place)
            if known is None or (reaction.added_at, reaction.key) > (known.added_at, known.key):
                newest[place] = reaction
    tapbacks = [reaction for reaction in newest.values() if reaction.is_live]
    return sorted(tapbacks + stickers, key=lambda reaction: (reaction.added_at, reaction.key))
