"""How a file goes: at once for people, and out of our storage after the commit."""

from functools import partial

import structlog
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

log = structlog.get_logger()


class Removable(models.Model):
    """The ability of a file to be deleted: its bytes go, what it was called and who deleted it stays."""

    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        abstract = True

    @transaction.atomic
    def delete_file(self, *, by):
        """Delete it from every message that shows it, and from our storage; nothing at the carrier. False where it
        was deleted before."""
        attachment = type(self).objects.select_for_update(of=("self",)).get(pk=self.pk)
        if attachment.state == attachment.State.DELETED:
            return False
        attachment.state, attachment.deleted_at, attachment.deleted_by = "deleted", timezone.now(), by
        attachment.source_url = ""
        attachment.peaks, attachment.card = [], {}
        attachment.save()
        for part in attachment.parts.select_related("message__chat"):
            attachment.environment.record("inbox.attachment_deleted", message=part.message, by=by)
        transaction.on_commit(attachment.remove_bytes)
        return True

    @transaction.atomic
    def remove_unused(self):
        """The row and its bytes, unless something needs it or begins to at this moment. Safe to repeat."""
        held = type(self).objects.select_for_update(of=("self",)).filter(pk=self.pk).first()
        if held and not held.is_used:
            held.remove()

    def remove(self):
        """The row and its bytes, once the transaction holds."""
        files = [file for file in (self.file, self.preview) if file]
        self.delete()
        for file in files:
            transaction.on_commit(partial(file.delete, save=False))

    @classmethod
    def with_bytes_to_remove(cls):
        return cls.objects.filter(state="deleted").exclude(file="")

    def remove_bytes(self):
        """Take the bytes of a deleted file from the storage, together with what was made of them."""
        try:
            for file in filter(None, (self.file, self.preview)):
                file.storage.delete(file.name)
        # Each storage has errors of its own; the row keeps the name, and the sweep tries again.
        except Exception as error:
            return log.warning("bytes_remain", attachment=str(self.pk), error=str(error))
        type(self).objects.filter(pk=self.pk, state="deleted").update(file="", preview="")
