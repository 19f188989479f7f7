from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from inbox.models.content import TEXT_LENGTH
from inbox.models.errand import Errand
from inbox.models.refusing import Refused

EDITS = 5
EDITABLE_FOR = timedelta(minutes=15)


class Editable(models.Model):
    """The ability of a message of ours to say something else afterwards, as on an iPhone."""

    class Meta:
        abstract = True

    @property
    def editable_until(self):
        return (self.sent_at or self.accepted_at or self.at) + EDITABLE_FOR

    @property
    def edit_count(self):
        """How often it was changed; the first version of each part is no change."""
        return sum(1 for edit in self.edits.all() if not edit.is_first)

    def why_not_edit(self, part_index=0):
        """A Refused, or None where it can be edited now."""
        if self.is_inbound:
            return Refused(2005, "Only our own messages can be edited.")
        if self.deleted_at:
            return Refused(2002, "The message was deleted.")
        if self.chat.line_left_at:
            return Refused(2013, f"{self.chat.line} has left this group.")
        if not self.external_id or (self.failed_at and not self.delivered_at):
            return Refused(2015, "A message can be edited once it was sent.")
        if self.service != "iMessage":
            return Refused(
                2017, f"Only iMessages can be edited; this went by {self.service or 'another service'}."
            )
        if timezone.now() > self.editable_until:
            return Refused(2015, "A message can be edited for 15 minutes.")
        if self.edit_count >= EDITS:
            return Refused(2015, f"A message can be edited {EDITS} times.")
        if not any(part.index == part_index and part.kind == "text" for part in self.parts.all()):
            return Refused(1005, "Only text can be edited.")
        verdict = self.chat.verdict()
        return Refused(verdict.code, f"{verdict.reason}.") if verdict.refused else None

    @transaction.atomic
    def edit(self, text, *, by, part_index=0):
        """Say `text` in place of what a part says. Both versions are kept."""
        from inbox.models.part import Edit

        self.hold()
        if refusal := self.why_not_edit(part_index):
            raise refusal
        text = text.strip()
        if not 1 <= len(text) <= TEXT_LENGTH or "\0" in text:
            raise Refused(1004, f"A text has 1 to {TEXT_LENGTH:,} characters.")
        part = self.parts.get(index=part_index)
        if part.text == text:
            return None
        first = {"text": part.text, "author": self.author, "is_first": True}
        self.edits.get_or_create(part_index=part_index, edited_at=self.at, defaults=first)
        newest = self.edits.filter(part_index=part_index).latest("edited_at").edited_at
        # The carrier's clock, which dated the last version, may be ahead of ours.
        at = max(timezone.now(), newest + timedelta(milliseconds=1))
        edit = Edit.objects.create(message=self, part_index=part_index, text=text, edited_at=at, author=by)
        self.show_newest_edit(part)
        Errand.queue(
            Errand.Kind.EDIT,
            self.chat,
            by=by,
            message=self,
            part_index=part_index,
            text=text,
            edit=edit.pk,
        )
        self.environment.record("inbox.message_edited", message=self, by=by)
        return edit

    def show_newest_edit(self, part):
        newest = self.edits.filter(part_index=part.index).oldest_first().last()
        part.text = newest.text
        part.save(update_fields=["text"])
        last = self.edits.filter(is_first=False).order_by("edited_at").last()
        self.edited_at = last and last.edited_at
        self.save(update_fields=["edited_at"])
