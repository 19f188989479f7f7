from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from inbox.emoji import is_emoji
from inbox.models.errand import Errand
from inbox.models.reaction import TAPBACKS, Reaction, shown
from inbox.models.refusing import Refused


class Reactable(models.Model):
    """The ability of a message to be reacted to, by our line as a whole: on a phone we are one person."""

    class Meta:
        abstract = True

    def why_not_react(self):
        """A Refused, or None where a reaction is possible."""
        if self.deleted_at:
            return Refused(2002, "The message was deleted.")
        if not self.external_id:
            return Refused(2009, "The message has not left yet.")
        if self.chat.line_left_at:
            return Refused(2013, f"{self.chat.line} has left this group.")
        if (self.service or self.chat.service) == "SMS":
            return Refused(2017, "SMS has no reactions.")
        verdict = self.chat.verdict()
        return Refused(verdict.code, f"{verdict.reason}.") if verdict.refused else None

    @transaction.atomic
    def react(self, type, *, by, emoji="", part_index=0):
        """Put a tapback of ours on a part, in place of the one that is there."""
        self.hold()
        self.check_reaction(type, emoji, part_index)
        emoji = emoji if type == "custom" else ""
        key = Reaction.key_of(type, emoji)
        current = self.our_tapback(part_index)
        if current and current.key == key:
            return current
        before = self.reactions.ours().filter(part_index=part_index, key=key).first()
        body = {"added_at": None, "removed_at": None}
        if before:
            body = {name: (at := getattr(before, name)) and at.isoformat() for name in body}
        reaction, _ = Reaction.objects.update_or_create(
            message=self,
            part_index=part_index,
            handle=None,
            key=key,
            defaults={
                "chat": self.chat,
                "type": type,
                "emoji": emoji,
                "author": by,
                "added_at": self.after_ours(part_index),
                "removed_at": None,
            },
        )
        self.ask_for_reaction(reaction, "add", by=by, before=body)
        return reaction

    @transaction.atomic
    def unreact(self, type="", *, by, emoji="", part_index=0):
        """Take our tapback off a part; None where there is none, or another than the one of this `type`."""
        self.hold()
        self.check_part(part_index)
        reaction = self.our_tapback(part_index)
        if reaction is None or (type and reaction.key != Reaction.key_of(type, emoji)):
            return None
        body = {"added_at": reaction.added_at.isoformat(), "removed_at": None}
        reaction.removed_at = self.after_ours(part_index)
        reaction.save(update_fields=["removed_at"])
        self.ask_for_reaction(reaction, "remove", by=by, before=body)
        return reaction

    def check_reaction(self, type, emoji, part_index):
        self.check_part(part_index)
        if type != "custom" and type not in TAPBACKS:
            raise Refused(1005, f"There is no reaction “{type[:20]}”.")
        if type == "custom" and not is_emoji(emoji):
            raise Refused(1005, "A reaction is one emoji.")

    def check_part(self, part_index):
        if refusal := self.why_not_react():
            raise refusal
        if not self.parts.filter(index=part_index).exists():
            raise Refused(1005, "The message has no such part.")

    def our_tapback(self, part_index):
        mine = self.reactions.ours().filter(part_index=part_index)
        return next((reaction for reaction in shown(mine) if reaction.is_tapback), None)

    def after_ours(self, part_index):
        """Now; but after all that we put on or took off before, whose times may be of a faster clock."""
        mine = self.reactions.ours().filter(part_index=part_index).values_list("added_at", "removed_at")
        times = [at for reaction in mine for at in reaction if at]
        return max([timezone.now(), *(at + timedelta(milliseconds=1) for at in times)])

    def ask_for_reaction(self, reaction, operation, *, by, before):
        Errand.queue(
            Errand.Kind.REACT if reaction.is_tapback else Errand.Kind.STICK,
            self.chat,
            by=by,
            message=self,
            reaction=reaction.pk,
            operation=operation,
            type=reaction.type,
            emoji=reaction.emoji,
            part_index=reaction.part_index,
            at=(reaction.added_at if operation == "add" else reaction.removed_at).isoformat(),
            before=before,
        )
        self.chat.reconsider()
        verb = "added" if operation == "add" else "removed"
        self.environment.record(
            f"inbox.reaction_{verb}",
            message=self,
            by=by,
            data={"type": reaction.type, "emoji": reaction.emoji},
        )
