from django.core.exceptions import ValidationError
from django.db import models, transaction

from inbox.models.label import ChatLabel

# On one conversation: all of them are drawn.
MOST_OF_CHAT = 20


class Labelled(models.Model):
    """The ability of a chat to be sorted by labels."""

    labels = models.ManyToManyField("inbox.Label", through=ChatLabel, related_name="chats")

    class Meta:
        abstract = True

    @transaction.atomic
    def add_label(self, label, *, by):
        """Safe to repeat; True if it is new here. Raises ValidationError where there are too many."""
        if label.environment_id != self.environment_id:
            raise ValueError(f"{label} is of another environment")
        # Locked, so that two people who label it at once count the other's.
        type(self).objects.select_for_update(no_key=True).get(pk=self.pk)
        if self.chat_labels.filter(label=label).exists():
            return False
        if self.chat_labels.count() >= MOST_OF_CHAT:
            raise ValidationError(f"{MOST_OF_CHAT} labels are the most for one conversation.")
        self.chat_labels.create(label=label)
        self.environment.record("inbox.label_added", chat=self, by=by, data=label.told)
        return True

    @transaction.atomic
    def remove_label(self, label, *, by):
        """Safe to repeat; True if it was here."""
        if not self.chat_labels.filter(label=label).delete()[0]:
            return False
        self.environment.record("inbox.label_removed", chat=self, by=by, data=label.told)
        return True
