import re
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import models, transaction

from inbox.models.refusing import Refused
from inbox.models.saved_reply import PLACEHOLDER, placeholder_values
from lines.models import Line

# What a message that was to leave from the old line is refused with.
MOVED = 2027


class Movable(models.Model):
    """The ability of a conversation to go on from another line, when its own cannot send."""

    class Meta:
        abstract = True

    @transaction.atomic
    def move_to(self, line, *, words, by, takes_waiting=True, not_before=None):
        """Go on from `line` with a first message `words`, in which {name} and the like are filled in. This conversation
        is closed; who answers it and its labels are the other's too. With `takes_waiting` what waits here to leave goes
        from there, behind the first message, which leaves at `not_before` (an instant; None: now) at the earliest.

        Returns the conversation of `line`, or None where this one is not open (any more): safe to repeat. Raises
        ValidationError where it cannot be moved, and then nothing has changed.
        """
        chat = type(self).objects.select_for_update().select_related("line", "environment").get(pk=self.pk)
        if not chat.is_open:
            return None
        if chat.is_group:
            raise ValidationError("A group keeps its line. Start a new one.")
        if line.environment_id != chat.environment_id or line.pk == chat.line_id:
            raise ValueError(f"{self} cannot go on from {line}")
        if line.status not in Line.WORKING:
            raise ValidationError(f"{line} sends nothing now.")
        other = type(self).start(line, [handle.value for handle in chat.others], by=by)
        chat.introduce(other, words, by=by, not_before=not_before)
        if takes_waiting:
            chat.hand_on_waiting(other)
        chat.hand_on_people(other, by=by)
        chat.close(by=by)
        told = [(chat, "inbox.chat_moved", other), (other, "inbox.chat_continued", chat)]
        for one, type_, counterpart in told:
            data = {"chat": str(counterpart.pk), "line": str(counterpart.line)}
            chat.environment.record(type_, chat=one, by=by, data=data)
        return other

    def introduce(self, other, words, *, by, not_before):
        try:
            message = other.send(by=by, text=words_for(self, words, by, other.line), is_typed=False)
        except Refused as refusal:
            raise ValidationError(refusal.sentence) from refusal
        if message.failed_at:
            raise ValidationError(f"{self.name}: {message.error}.")
        if not_before and not_before > message.next_try_at:
            message.put_back(not_before, why="one a minute leaves, so that the line stays healthy")

    def hand_on_waiting(self, other):
        waiting = self.messages.filter(pk__in=self.messages.model.waiting_to_leave())
        for message in waiting.select_for_update(of=("self",)).order_by("at", "id"):
            if message.is_leaving:
                continue
            # What it answers stays in this conversation.
            content = replace(message.content, original=None, original_part=0)
            try:
                other.send(
                    by=message.author, content=content, is_typed=False, is_scheduled=message.is_scheduled
                )
            except Refused:
                # It stays where it is, and leaves when this line is active again.
                continue
            message.fail(MOVED, f"it was sent from {other.line} instead")
        self.scheduled.filter(state="waiting").update(
            chat=other, heard=other.inbound_count, reply_to=None, reply_part_index=0
        )

    def hand_on_people(self, other, *, by):
        assignee = self.assignee
        if assignee and Line.objects.visible_to(assignee).filter(pk=other.line_id).exists():
            other.assign(assignee, by=by)
        for label in self.labels.all():
            try:
                other.add_label(label, by=by)
            except ValidationError:
                break


def words_for(chat, words, by, line):
    """The `words` as this person gets them from `line`; where nobody knows their name it is left out."""
    values = placeholder_values(chat, by) | {"line": str(line)}
    said = PLACEHOLDER.sub(lambda place: values.get(place[1], ""), words)
    return re.sub(r"[ \t]+(?=[,.!?;:])|(?<=[ \t])[ \t]+", "", said).strip()
