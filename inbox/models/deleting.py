import hashlib
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone

from inbox.models.errand import Errand
from inbox.models.refusing import Refused

# How long an undo is offered; then the content goes.
UNDO_WITHIN = timedelta(seconds=6)


class Deletable(models.Model):
    """The ability of a message to be taken out of our records and the carrier's. No phone loses it."""

    class Meta:
        abstract = True

    @property
    def is_purged(self):
        """Whether what it said is gone for good."""
        return bool(self.digest)

    @transaction.atomic
    def delete_here(self, *, by):
        """From now on a tombstone; `undelete` brings it back while nothing has been taken away yet."""
        self.hold()
        if self.deleted_at:
            return False
        self.deleted_at, self.deleted_by = timezone.now(), by
        self.save(update_fields=["deleted_at", "deleted_by"])
        Errand.queue(Errand.Kind.DELETE, self.chat, by=by, message=self, after=UNDO_WITHIN)
        self.chat.reconsider()
        self.environment.record("inbox.message_deleted", message=self, by=by)
        return True

    @transaction.atomic
    def undelete(self, *, by):
        """Bring it back; Refused where it is being taken away already. Safe to repeat."""
        self.hold()
        if self.deleted_at is None:
            return
        errand = (
            self.errands.waiting()
            .select_for_update(of=("self",))
            .filter(kind=Errand.Kind.DELETE, claimed_at=None)
            .first()
        )
        if errand is None:
            raise Refused(2015, "It is too late to bring this message back.")
        errand.delete()
        self.deleted_at = self.deleted_by = None
        self.save(update_fields=["deleted_at", "deleted_by"])
        self.chat.reconsider()
        self.environment.record("inbox.message_undeleted", message=self, by=by)
        if self.is_waiting_to_leave:
            self.send_later(self.next_try_at)

    @transaction.atomic
    def purge(self):
        """Take away what it said: texts, versions, reactions, and files that nothing else needs; and out of what
        was written down of it. Safe to repeat."""
        from inbox.models.part import Edit
        from lines.models import Event

        self.hold()
        parts = list(self.parts.select_related("attachment"))
        said = "\n".join(part.text or (part.attachment and part.attachment.checksum) or "" for part in parts)
        digest = hashlib.sha256(said.encode()).hexdigest()
        type(self).objects.filter(pk=self.pk, digest="").update(digest=digest)
        self.forget_plan()
        for part in parts:
            file, part.attachment = part.attachment, None
            part.text, part.extra = "", {}
            part.save(update_fields=["text", "extra", "attachment"])
            if file:
                file.remove_unused()
        Edit.objects.filter(message=self).delete()
        self.reactions.all().delete()
        self.votes.all().delete()
        for errand in self.errands.filter(body__has_key="text"):
            errand.body["text"] = ""
            errand.save(update_fields=["body"])
        Event.objects.forget(chat_id=self.chat_id, message_id=self.pk)
        self.environment.record("inbox.message_purged", message=self)

    def forget_plan(self):
        """What it was before it left, where it had been scheduled."""
        from inbox.models.scheduled import ScheduledSend

        for scheduled in ScheduledSend.objects.filter(message=self):
            scheduled.files.clear()
            scheduled.text = ""
            scheduled.save(update_fields=["text"])

    @transaction.atomic
    def delete_file(self, attachment, *, by):
        """Delete a file that it shows, here and at the carrier, for good; the message stays. Safe to repeat."""
        self.hold()
        if attachment.delete_file(by=by) and attachment.external_id:
            Errand.queue(
                Errand.Kind.DELETE_FILE,
                self.chat,
                by=by,
                message=self,
                external_id=attachment.external_id,
            )
