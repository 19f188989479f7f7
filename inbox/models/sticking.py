"""Stickers of ours on a message: peeled on, moved, and never taken off, as on an iPhone (contract §6.3)."""

import math

from django.db import models, transaction
from uuid_utils.compat import uuid7

from inbox.emoji import is_emoji
from inbox.models.errand import Errand
from inbox.models.reaction import OURS, Reaction
from inbox.models.refusing import Refused

# Of x and y; of the scale, which is brought into its bounds instead of being refused.
EDGE, SMALLEST, LARGEST = 1, 0.05, 2.5
CENTRED = {"x": 0, "y": 0, "rotation": 0}
SCALES = {"image": 1, "emoji": 0.5}


class Stickable(models.Model):
    """The ability of a message to bear stickers of our line."""

    class Meta:
        abstract = True

    def why_not_stick(self):
        """A Refused, or None where a sticker is possible."""
        if refusal := self.why_not_react():
            return refusal
        if (self.service or self.chat.service) != "iMessage":
            return Refused(2017, "Stickers are for iMessage only.")
        return None

    @transaction.atomic
    def stick(self, *, by, emoji="", attachment=None, part_index=0, placement=None):
        """Peel an emoji, or else a stored picture, onto a part; returns the Reaction. `placement` holds any of x, y, scale
        and rotation."""
        self.hold()
        if refusal := self.why_not_stick():
            raise refusal
        self.check_part(part_index)
        if attachment is None and not is_emoji(emoji):
            raise Refused(1005, "A sticker is one emoji, or a picture.")
        if attachment is not None:
            attachment.refresh_from_db(from_queryset=type(attachment).objects.select_for_update(no_key=True))
            self.check_sticker(attachment)
        kind = "image" if attachment else "emoji"
        uid = uuid7()
        reaction = Reaction.objects.create(
            uid=uid,
            chat=self.chat,
            message=self,
            part_index=part_index,
            key=f"{OURS}{uid}",
            type="sticker",
            emoji="" if attachment else emoji,
            sticker=attachment,
            author=by,
            placement=CENTRED | {"scale": SCALES[kind]} | placed(placement or {}),
            added_at=self.after_ours(part_index),
        )
        self.ask_for_reaction(reaction, "add", by=by, before={"added_at": None, "removed_at": None})
        return reaction

    def check_sticker(self, attachment):
        if attachment.state == attachment.State.PENDING:
            raise Refused(2007, "The picture is not uploaded yet.")
        if attachment.state != attachment.State.STORED:
            raise Refused(2003, "The picture is not there any more.")
        if not attachment.is_image:
            raise Refused(5006, f"{attachment.filename} is no picture.")

    @transaction.atomic
    def move_sticker(self, reaction, placement, *, by):
        """Move, resize or turn a sticker of ours; what `placement` does not name stays. Safe to repeat."""
        self.hold()
        if refusal := self.why_not_stick():
            raise refusal
        if reaction.is_tapback:
            raise Refused(1005, "Only stickers can be moved.")
        if not reaction.is_ours:
            raise Refused(2005, "Only our own stickers can be moved.")
        reaction.refresh_from_db(from_queryset=Reaction.objects.select_for_update(no_key=True))
        changes = placed(placement)
        if not changes:
            raise Refused(1005, "placement: say at least one of x, y, scale and rotation.")
        before, after = reaction.placement, reaction.placement | changes
        if after == before:
            return
        reaction.placement = after
        reaction.save(update_fields=["placement"])
        Errand.queue(
            Errand.Kind.PLACE,
            self.chat,
            by=by,
            message=self,
            reaction=reaction.pk,
            placement=changes,
            before=before,
            moved_to=after,
        )
        data = {"type": "sticker", "emoji": reaction.emoji}
        self.environment.record("inbox.sticker_moved", message=self, by=by, data=data)


def placed(placement):
    """What is said of a place, checked."""
    known = {name: value for name, value in placement.items() if value is not None}
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in known.values()):
        raise Refused(1005, "placement: these are numbers.")
    for name in ("x", "y"):
        if not -EDGE <= known.get(name, 0) <= EDGE:
            raise Refused(1005, f"placement.{name}: it lies between -1 and 1.")
    if "scale" in known:
        known["scale"] = min(max(known["scale"], SMALLEST), LARGEST)
    if "rotation" in known:
        known["rotation"] %= 360
    return known
