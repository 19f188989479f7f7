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
        changed = type(self).objects.filter(pk=self.pk, deleted_at=None)
        if not changed.update(deleted_at=timezone.now(), deleted_by=by):
            return False
        self.refresh_from_db()
        Errand.queue(Errand.Kind.DELETE, self.chat, by=by, message=self, after=UNDO_WITHIN)
        self.chat.reconsider()
        self.environment.record("inbox.message_deleted", message=self, by=by)
        return True

    @transaction.atomic
    def undelete(self, *, by):
        errand = (
            self.errands.waiting()
            .select_for_update(of=("self",))
            .filter(kind=Errand.Kind.DELETE, claimed_at=None)
            .first()
        )
        if errand is None:
            raise Refused(2015, "It is too late to bring this message back.")
        errand.delete()
        type(self).objects.filter(pk=self.pk).update(deleted_at=None, deleted_by=None)
        self.refresh_from_db()
        self.chat.reconsider()
        self.environment.record("inbox.message_undeleted", message=self, by=by)
        if self.is_waiting_to_leave:
            self.send_later(self.next_try_at)

    @transaction.atomic
    def purge(self):
        """Take away what it said: texts, versions, reactions, and files that nothing else needs."""
        from inbox.models.part import Edit

        parts = list(self.parts.select_related("attachment"))
        said = "\n".join(part.text or (part.attachment and part.attachment.checksum) or "" for part in parts)
        digest = hashlib.sha256(said.encode()).hexdigest()
        type(self).objects.filter(pk=self.pk, digest="").update(digest=digest)
        for part in parts:
            file, part.attachment = part.attachment, None
            part.text, part.extra = "", {}
            part.save(update_fields=["text", "extra", "attachment"])
            if file and not file.is_used:
                file.remove()
        Edit.objects.filter(message=self).delete()
        self.reactions.all().delete()
        self.votes.all().delete()
        self.environment.record("inbox.message_purged", message=self)
