from django.conf import settings
from django.db import models

from inbox.models.options import poll_of, texts_in
from inbox.models.other import Other


class Part(Other):
    """A piece of a message, in the carrier's order: text, a link, media, or what we keep without understanding."""

    class Kind(models.TextChoices):
        TEXT = "text"
        LINK = "link"
        MEDIA = "media"
        OTHER = "other"

    message = models.ForeignKey("inbox.Message", models.CASCADE, related_name="parts", db_index=False)
    index = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    text = models.TextField(blank=True, default="")
    attachment = models.ForeignKey("inbox.Attachment", models.SET_NULL, null=True, related_name="parts")
    # Its chat's, so that the newest of some lines can be searched without a look at their messages. The database fills
    # it in where nobody did, and keeps the column `words`, which is only for searching and no field, beside it.
    line = models.ForeignKey(
        "lines.Line", models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    # text_decorations, inline_stickers, mentions; or the whole part where its type is not ours.
    extra = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "index"], name="one_part_per_index")]
        indexes = [
            # What a search walks through.
            models.Index(fields=["line", "-message", "-id"], name="part_newest"),
            models.Index(
                fields=["line", "-message", "-id"],
                name="part_with_file",
                condition=models.Q(attachment__isnull=False),
            ),
        ]
        ordering = ["index"]

    def __str__(self):
        return self.text or self.kind

    @classmethod
    def written(cls, message, index, part):
        """A part of ours from a dict as Content has it."""
        if part.get("poll"):
            return cls(message=message, index=index, kind=cls.Kind.OTHER, extra=part["poll"])
        of = {"message": message, "index": index, "extra": part.get("extra") or {}}
        if part.get("attachment"):
            return cls(kind=cls.Kind.MEDIA, attachment=part["attachment"], **of)
        if "link" in part:
            return cls(kind=cls.Kind.LINK, text=part["link"], **of)
        return cls(kind=cls.Kind.TEXT, text=part["text"], **of)

    @property
    def as_written(self):
        if self.is_poll:
            return {"poll": poll_of(texts_in(self.extra))}
        what = {"attachment": self.attachment} if self.attachment else {self.kind: self.text}
        return what | ({"extra": self.extra} if self.extra else {})

    @property
    def shown_as(self):
        """photos, text or part: the shape of its bubble."""
        file = self.attachment
        if self.kind != self.Kind.OTHER and file and file.shows_picture:
            return "photos"
        return "text" if self.text else "part"


class EditQuerySet(models.QuerySet):
    def oldest_first(self):
        """The first is of our clock, and those of the carrier may seem older."""
        return self.order_by("-is_first", "edited_at")


class Edit(models.Model):
    """One version of a text part. The newest is shown; the first is the text as it was sent."""

    message = models.ForeignKey("inbox.Message", models.CASCADE, related_name="edits")
    part_index = models.PositiveSmallIntegerField()
    text = models.TextField(blank=True)
    # The colleague who wrote this version, where it was one of us.
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    edited_at = models.DateTimeField()
    # The text as it was sent.
    is_first = models.BooleanField(default=False)

    objects = EditQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "part_index", "edited_at"], name="one_edit_per_time"),
        ]
        ordering = ["edited_at"]

    def __str__(self):
        return self.text
