from django.db import models, transaction

# Conversations of one person that are drawn again at once when they are called something else.
CHATS = 50


class Nameable(models.Model):
    """The ability of a contact to be called what they call themselves on the card that they shared."""

    class Meta:
        abstract = True

    @property
    def calls_themselves(self):
        """The name on their card; "" where they have none, or are called that already."""
        name = f"{self.card.get('first_name', '')} {self.card.get('last_name', '')}".strip()
        return "" if name == self.name else name

    def use_card(self, *, by):
        return self.rename(self.card.get("first_name", ""), self.card.get("last_name", ""), by=by)

    @transaction.atomic
    def rename(self, first_name, last_name, *, by):
        """False where they are called that already."""
        first_name, last_name = (name.replace("\0", "").strip()[:80] for name in (first_name, last_name))
        others = type(self).objects.exclude(first_name=first_name, last_name=last_name)
        if not others.filter(pk=self.pk).update(first_name=first_name, last_name=last_name):
            return False
        self.refresh_from_db()
        self.tell_changed(by=by)
        return True

    def tell_changed(self, *, by=None):
        """Every conversation that shows them, the newest first."""
        from inbox.models.chat import Chat

        shown_in = Chat.objects.filter(participants__handle__contact=self, participants__left_at=None)
        for chat in shown_in.distinct().newest_first().select_related("line")[:CHATS]:
            self.environment.record("inbox.contact_changed", chat=chat, by=by, data={"name": self.name})
