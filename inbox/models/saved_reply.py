import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from uuid_utils.compat import uuid7

TITLE_LENGTH, TEXT_LENGTH = 80, 10_000
# In one environment: all of them are looked through at every letter.
MOST_REPLIES = 500
PLACEHOLDERS = ("name", "first_name", "line", "agent")
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def placeholder_values(chat, user):
    """What each placeholder means in a conversation. What nobody knows, and who of a group is meant, is left out."""
    values = {"line": chat.line.name, "agent": user.name}
    handles = chat.others
    if len(handles) == 1 and (contact := handles[0].contact):
        values |= {"name": contact.name, "first_name": contact.first_name or contact.name}
    return {name: value for name, value in values.items() if value}


class SavedReplyQuerySet(models.QuerySet):
    def by_title(self):
        return self.order_by(Lower("title"), "pk")


class SavedReply(models.Model):
    """A text that the team uses often, with places to fill in such as {name}."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="saved_replies")
    title = models.CharField(max_length=TITLE_LENGTH)
    text = models.TextField(max_length=TEXT_LENGTH)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = SavedReplyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("environment", Lower("title"), name="one_saved_reply_per_title"),
        ]

    def __str__(self):
        return self.title

    @classmethod
    @transaction.atomic
    def keep(cls, environment, *, title, text, by):
        """A new one; ValidationError names the field and says what is wrong."""
        if environment.saved_replies.count() >= MOST_REPLIES:
            raise ValidationError(f"{MOST_REPLIES} saved replies are the most. Delete one of them first.")
        reply = cls(environment=environment, author=by)
        reply.put(title, text)
        environment.record("inbox.saved_reply_added", by=by, data={"saved_reply": str(reply.pk)})
        return reply

    @transaction.atomic
    def change(self, *, title, text, by):
        """Call it or say something else; ValidationError as in `keep`."""
        if (title.strip(), text.strip()) == (self.title, self.text):
            return
        self.changed_at = timezone.now()
        self.put(title, text)
        self.environment.record("inbox.saved_reply_changed", by=by, data={"saved_reply": str(self.pk)})

    def put(self, title, text):
        self.title, self.text = " ".join(title.split()), text.strip()
        self.check_fields()
        try:
            # Of two people who choose one title at once, one is told.
            with transaction.atomic():
                self.save()
        except IntegrityError as error:
            raise ValidationError({"title": f"There is a saved reply “{self.title}” already."}) from error

    def check_fields(self):
        if not self.title:
            raise ValidationError({"title": "Give it a title: that is what it is found by."})
        if len(self.title) > TITLE_LENGTH:
            raise ValidationError({"title": f"A title has {TITLE_LENGTH} characters at most."})
        if not self.text:
            raise ValidationError({"text": "Write what the reply says."})
        if len(self.text) > TEXT_LENGTH:
            raise ValidationError(
                {"text": f"That is longer than a message can be ({TEXT_LENGTH:,} characters)."}
            )
        if wrong := [name for name in PLACEHOLDER.findall(self.text) if name not in PLACEHOLDERS]:
            ours = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise ValidationError({"text": f"Nothing is filled in for {{{wrong[0]}}}. There are {ours}."})

    @transaction.atomic
    def delete_here(self, *, by):
        """True if it was there."""
        if not SavedReply.objects.filter(pk=self.pk).delete()[0]:
            return False
        self.environment.record("inbox.saved_reply_deleted", by=by, data={"saved_reply": str(self.pk)})
        return True

    def filled(self, values):
        """The text with the `values` of placeholder_values; a place without a value stays, for all to see."""
        return PLACEHOLDER.sub(lambda place: values.get(place[1], place[0]), self.text)
