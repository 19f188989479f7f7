from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from inbox.models.note import Note, note_text
from inbox.models.reading import Draft

DRAFT_LENGTH = 10_000


class Notable(models.Model):
    """The ability of a chat to hold what colleagues note in it, and what each of them has begun to write."""

    class Meta:
        abstract = True

    @transaction.atomic
    def add_note(self, text, *, by, key=None):
        """Write a note; the same `key` (a UUID) again returns the note that it made. Raises ValidationError.

        A note answers nobody: the chat stays where it is in the list, and goes on waiting.
        """
        text = note_text(text)
        made = {"chat": self, "author": by, "text": text}
        note, is_new = Note.objects.get_or_create(key=key or uuid4(), defaults=made)
        if (note.chat_id, note.author_id) != (self.pk, by.pk):
            raise ValidationError("This was written in another conversation. Add it once more.")
        if is_new:
            note.mention()
            self.drafts.filter(user=by, mode=Draft.Mode.NOTE).update(text="")
            note.record("inbox.note_added", by=by)
        return note

    def keep_draft(self, text, *, by, mode=Draft.Mode.REPLY):
        """Remember what `by` is writing, and that they write in this mode; nothing of it is in the other's."""
        text, notes = text[:DRAFT_LENGTH].replace("\0", ""), self.drafts.filter(user=by, mode=Draft.Mode.NOTE)
        text = text if text.strip() else ""
        if mode == Draft.Mode.NOTE:
            kept = {"text": text, "saved_at": timezone.now(), "is_current": True}
            self.drafts.update_or_create(user=by, mode=mode, defaults=kept)
            return
        notes.filter(text="").delete()
        notes.filter(is_current=True).update(is_current=False)
        if text:
            kept = {"text": text, "saved_at": timezone.now()}
            self.drafts.update_or_create(user=by, mode=mode, defaults=kept)
        else:
            self.drafts.filter(user=by, mode=mode).delete()

    def drafts_of(self, user):
        """What `user` was writing, by mode, and as `mode` the one in which they wrote last."""
        drafts = {draft.mode: draft for draft in self.drafts.filter(user=user)}
        texts = {mode: drafts[mode].text if mode in drafts else "" for mode in Draft.Mode.values}
        note = drafts.get(Draft.Mode.NOTE)
        return texts | {"mode": Draft.Mode.NOTE if note and note.is_current else Draft.Mode.REPLY}
