from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from uuid_utils.compat import uuid7

from lines.models.line import WIRES

NAME_LENGTH = 40
# In one environment: all of them are looked through at every letter.
MOST_LABELS = 200


class LabelQuerySet(models.QuerySet):
    def by_name(self):
        return self.order_by(Lower("name"), "pk")

    def called(self, name):
        return self.filter(name__iexact=name_from(name))


class Label(models.Model):
    """A word by which the team sorts conversations. People outside, and programs of V3, do not know of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="labels")
    name = models.CharField(max_length=NAME_LENGTH)
    colour = models.CharField(max_length=10, choices=[(wire, wire.title()) for wire in WIRES])
    created_at = models.DateTimeField(default=timezone.now)

    objects = LabelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("environment", Lower("name"), name="one_label_per_name"),
        ]

    def __str__(self):
        return self.name

    @classmethod
    @transaction.atomic
    def make(cls, environment, name, *, by, colour=""):
        """A new one, in the next colour where none is chosen; ValidationError says what is wrong."""
        count = environment.labels.count()
        if count >= MOST_LABELS:
            raise ValidationError(f"{MOST_LABELS} labels are the most. Delete one of them first.")
        label = cls(environment=environment)
        label.put(name, colour or WIRES[count % len(WIRES)])
        environment.record("inbox.label_made", by=by, data=label.told)
        return label

    @transaction.atomic
    def change(self, *, name, colour, by):
        """Call or paint it otherwise; ValidationError as in `make`."""
        before = (self.name, self.colour)
        if (name_from(name), colour) != before:
            self.put(name, colour)
            self.environment.record("inbox.label_changed", by=by, data=self.told | {"was": before[0]})

    def put(self, name, colour):
        self.name, self.colour = name_from(name), colour
        if not self.name:
            raise ValidationError({"name": "Give the label a name."})
        if len(self.name) > NAME_LENGTH:
            raise ValidationError({"name": f"A label has {NAME_LENGTH} characters at most."})
        if colour not in WIRES:
            raise ValidationError({"colour": "Choose one of the colours."})
        try:
            # Of two people who choose one name at once, one is told.
            with transaction.atomic():
                self.save()
        except IntegrityError as error:
            raise ValidationError({"name": f"There is a label “{self.name}” already."}) from error

    @transaction.atomic
    def delete_here(self, *, by):
        """Take it away, from all conversations too; True if it was there."""
        told = self.told
        if not Label.objects.filter(pk=self.pk).delete()[0]:
            return False
        self.environment.record("inbox.label_deleted", by=by, data=told)
        return True

    @property
    def told(self):
        """What the log says of it; the name as it was then."""
        return {"label": str(self.pk), "name": self.name}


def name_from(typed):
    return " ".join(typed.replace("\0", "").split())


class ChatLabel(models.Model):
    """That a conversation has a label, and since when."""

    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="chat_labels")
    label = models.ForeignKey(Label, models.CASCADE, related_name="chat_labels")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chat", "label"], name="one_chat_label")]

    def __str__(self):
        return f"{self.label} since {self.added_at}"
