import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from lines.models import Membership
from lines.models.people import Role

NOTE_LENGTH = 10_000


def note_text(text):
    """The text of a note without the blanks round it; ValidationError where it cannot be one."""
    text = text.strip()
    if not text:
        raise ValidationError("Write something: the note is empty.")
    if len(text) > NOTE_LENGTH:
        raise ValidationError(f"That is longer than a note can be ({NOTE_LENGTH:,} characters).")
    return text


def names_of(people):
    """Whom each name after an “@” may mean, in lower case: the whole name one person, a first name several."""
    named = {}
    for person in people:
        for name in {person.name, person.first_name} - {""}:
            named.setdefault(name.lower(), set()).add(person)
    return named


def mention_pattern(names):
    """Finds “@Ben” where Ben is one of `names`, the longest name first; nothing inside of words or addresses."""
    names = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<!\w)@({'|'.join(map(re.escape, names)) or '(?!)'})(?!\w)", re.IGNORECASE)


class NoteQuerySet(models.QuerySet):
    def visible_to(self, user, environment=None):
        from inbox.models.chat import Chat

        return self.filter(chat__in=Chat.objects.visible_to(user, environment))

    def for_thread(self):
        """With all that a note shows, in a constant number of queries."""
        return self.select_related("author", "deleted_by", "chat").prefetch_related("mentions")


class Note(models.Model):
    """What colleagues say among themselves in a conversation. No road leads from here to a carrier."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    chat = models.ForeignKey("inbox.Chat", models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="notes")
    text = models.TextField()
    mentions = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="mentioned_in")
    key = models.UUIDField(null=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(null=True)
    # A tombstone from then on, without its text.
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )

    objects = NoteQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["chat", "-created_at"], name="note_of_chat")]

    def __str__(self):
        return self.text

    @property
    def at(self):
        return self.created_at

    @property
    def version(self):
        """Another one after each change; a page that shows this one, or its form, has nothing to draw anew."""
        return (self.edited_at or self.created_at).isoformat()

    def why_not_change(self, user):
        """A ValidationError that says why `user` may not edit or delete it, or None."""
        if self.deleted_at:
            return ValidationError("This note was deleted.")
        if self.author_id == user.pk:
            return None
        oversees = Membership.objects.filter(user=user, role__in=(Role.ADMIN, Role.LEAD))
        if oversees.filter(environment=self.chat.environment_id).exists():
            return None
        whose = self.author or "its author"
        return ValidationError(f"Only {whose}, a lead or an admin can change this note.")

    @transaction.atomic
    def edit(self, text, *, by):
        """Say something else; raises ValidationError."""
        text = note_text(text)
        self.lock()
        if reason := self.why_not_change(by):
            raise reason
        if text == self.text:
            return
        self.text, self.edited_at = text, timezone.now()
        self.save(update_fields=["text", "edited_at"])
        self.mention()
        self.record("inbox.note_edited", by=by)

    @transaction.atomic
    def delete_here(self, *, by):
        """Leave only that there was one; raises ValidationError. A second time changes nothing."""
        self.lock()
        if self.deleted_at:
            return
        if reason := self.why_not_change(by):
            raise reason
        self.text, self.deleted_at, self.deleted_by = "", timezone.now(), by
        self.save(update_fields=["text", "deleted_at", "deleted_by"])
        self.mentions.clear()
        self.record("inbox.note_deleted", by=by)

    def lock(self):
        """Two people at once wait for each other, and the second sees what the first has done."""
        self.refresh_from_db(from_queryset=Note.objects.select_for_update())

    def mention(self):
        """Remember whom the text names, of those who see the line."""
        named = names_of(self.chat.line.seen_by()) if "@" in self.text else {}
        found = {name.lower() for name in mention_pattern(named).findall(self.text)}
        self.mentions.set({person for name in found for person in named[name]})

    def record(self, type, *, by):
        self.chat.environment.record(type, chat=self.chat, by=by, data={"note": str(self.pk)})
