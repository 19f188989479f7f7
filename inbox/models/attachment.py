import hashlib
import os

from django.conf import settings
from django.db import models
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from inbox.kinds import IMAGES, NEVER_SENT, SHOWN_IN_PLACE, is_program, kind_of
from inbox.models.previewing import Previewable
from inbox.models.refusing import Refused
from inbox.models.removing import Removable
from inbox.models.uploading import Uploadable


def stored_as(attachment, filename):
    """Named by its id alone: what a stranger called it never becomes a path."""
    return f"{attachment.environment_id}/{attachment.pk.hex[-2:]}/{attachment.pk}"


def clean_filename(name):
    """The last part of a path, without what a file system or a header could take amiss."""
    name = os.path.basename(str(name).replace("\\", "/"))
    name = "".join(letter for letter in name if letter.isprintable() and letter not in '<>:"|?*/').strip(". ")
    stem, suffix = os.path.splitext(name)
    return f"{stem[: 120 - len(suffix)]}{suffix[:20]}" or "file"


class AttachmentQuerySet(models.QuerySet):
    def unused(self):
        """What somebody uploaded and that is part of nothing. A program's stay: it may send them again and again."""
        uploads = self.exclude(uploaded_by=None).exclude(uploaded_by__is_program=True, state="stored")
        return uploads.filter(parts=None, reactions=None, scheduled=None, icon_of=None, photo_of=None)


class Attachment(Previewable, Removable, Uploadable):
    """A file, ours once `stored`. `source_url` is where the carrier had it; nobody is ever sent there."""

    class State(models.TextChoices):
        EXPECTED = "expected"
        PENDING = "pending"
        STORED = "stored"
        FAILED = "failed"
        DELETED = "deleted"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    environment = models.ForeignKey("lines.Environment", models.CASCADE, related_name="attachments")
    external_id = models.CharField(max_length=100, null=True)
    file = models.FileField(upload_to=stored_as, max_length=200, blank=True)
    filename = models.CharField(max_length=255)
    mime_type = models.CharField(max_length=120, default="application/octet-stream")
    size = models.PositiveBigIntegerField(default=0)
    checksum = models.CharField(max_length=64, blank=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    source_url = models.TextField(blank=True, default="")
    error = models.CharField(max_length=300, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    # Who uploaded it, to send it; until it is part of something, only they may use it.
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="uploads"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "external_id"], name="one_attachment_per_external_id"
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], name="attachment_due", condition=models.Q(state="pending")),
            models.Index(
                fields=["preview_due_at"], name="preview_due", condition=models.Q(preview_state="due")
            ),
            models.Index(
                fields=["deleted_at"],
                name="bytes_to_remove",
                condition=models.Q(state="deleted") & ~models.Q(file=""),
            ),
        ]

    def __str__(self):
        return self.filename

    @classmethod
    def keep(cls, environment, upload, *, by=None):
        """Store what somebody of ours uploads; Refused says why it cannot be sent."""
        name = clean_filename(upload.name)
        if upload.size > settings.MEDIA_MAX_BYTES:
            limit = filesizeformat(settings.MEDIA_MAX_BYTES)
            raise Refused(5005, f"{name} is {filesizeformat(upload.size)}; the limit is {limit}.")
        if not upload.size:
            raise Refused(5006, f"{name} is empty.")
        head = upload.read(4096)
        if os.path.splitext(name)[1].lower() in NEVER_SENT or is_program(head):
            raise Refused(5004, f"{name} is a program or a web page, and phones do not take those.")
        attachment = cls(environment=environment, filename=name, uploaded_by=by)
        attachment.take(upload)
        return attachment

    def take(self, upload):
        """Store the bytes of `upload` (a Django File) as this attachment's, with what they say of themselves."""
        upload.seek(0)
        head = upload.read(4096)
        self.mime_type, self.width, self.height = kind_of(upload, head, clean_filename(self.filename))
        digest = hashlib.sha256()
        upload.seek(0)
        for chunk in upload.chunks():
            digest.update(chunk)
        self.checksum, self.size = digest.hexdigest(), upload.size
        self.state, self.error = self.State.STORED, ""
        upload.seek(0)
        self.file.save(self.filename, upload, save=False)
        self.want_preview()
        self.save()
        self.preview_later()

    @property
    def is_used(self):
        """Whether any message, draft, icon or face needs it."""
        used = (self.parts, self.reactions, self.scheduled, self.icon_of, self.photo_of)
        return any(users.exists() for users in used)

    @property
    def safe_name(self):
        """Its name as the end of an address; carriers name files as they like."""
        return clean_filename(self.filename)

    @property
    def url(self):
        return reverse("media", args=[self.pk, self.safe_name])

    @property
    def is_shown_in_place(self):
        return self.mime_type in SHOWN_IN_PLACE

    @property
    def is_image(self):
        return self.mime_type in IMAGES

    @property
    def is_video(self):
        return self.mime_type.startswith("video/")

    @property
    def is_audio(self):
        return self.mime_type.startswith("audio/")

    @property
    def kind_label(self):
        """Three or four letters for the file card."""
        suffix = self.filename.rpartition(".")[2]
        return (suffix if 0 < len(suffix) <= 4 and suffix != self.filename else "file").upper()
