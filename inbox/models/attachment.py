import hashlib
import mimetypes
import os

import puremagic
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from PIL import Image, UnidentifiedImageError
from uuid_utils.compat import uuid7

# What a browser may show in place; anything else (SVG, HTML, scripts) is only ever downloaded.
SHOWN_IN_PLACE = frozenset(
    [
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "video/mp4",
        "video/quicktime",
        "video/webm",
        "video/3gpp",
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "audio/x-caf",
        "audio/amr",
        "audio/ogg",
        "audio/wav",
        "audio/x-wav",
        "audio/webm",
        "application/pdf",
    ]
)
NEVER_SENT = frozenset(
    [
        ".apk",
        ".app",
        ".bat",
        ".cmd",
        ".com",
        ".cpl",
        ".dll",
        ".dmg",
        ".exe",
        ".hta",
        ".htm",
        ".html",
        ".jar",
        ".js",
        ".lnk",
        ".mjs",
        ".msi",
        ".pif",
        ".ps1",
        ".reg",
        ".scr",
        ".sh",
        ".svg",
        ".vbs",
        ".wsf",
        ".xhtml",
    ]
)
PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


def stored_as(attachment, filename):
    """Named by its id alone: what a stranger called it never becomes a path."""
    return f"{attachment.environment_id}/{attachment.pk.hex[-2:]}/{attachment.pk}"


def clean_filename(name):
    """The last part of a path, without what a file system or a header could take amiss."""
    name = os.path.basename(str(name).replace("\\", "/"))
    name = "".join(letter for letter in name if letter.isprintable() and letter not in '<>:"|?*/').strip(". ")
    stem, suffix = os.path.splitext(name)
    return f"{stem[: 120 - len(suffix)]}{suffix[:20]}" or "file"


def kind_of(upload, head, name):
    """(mime type, width, height), by the content; the name decides only between kinds of plain text."""
    try:
        upload.seek(0)
        with Image.open(upload) as image:
            return Image.MIME.get(image.format, "application/octet-stream"), *image.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        pass
    try:
        kind = puremagic.from_string(head, mime=True, filename=name)
    except (puremagic.PureError, ValueError):
        kind = ""
    if not kind:
        guess = mimetypes.guess_type(name)[0] or ""
        kind = guess if guess in ("text/plain", "text/csv", "text/vcard", "text/calendar") else ""
    return kind or "application/octet-stream", None, None


class Attachment(models.Model):
    """A file, ours once `stored`. `source_url` is where the carrier had it; nobody is ever sent there."""

    class State(models.TextChoices):
        PENDING = "pending"
        STORED = "stored"
        FAILED = "failed"

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

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "external_id"], name="one_attachment_per_external_id"
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at"], name="attachment_due", condition=models.Q(state="pending")),
        ]

    def __str__(self):
        return self.filename

    @classmethod
    def keep(cls, environment, upload, *, by=None):
        """Store what a person of ours uploads; ValidationError says why it cannot be sent."""
        name = clean_filename(upload.name)
        if upload.size > settings.MEDIA_MAX_BYTES:
            limit = filesizeformat(settings.MEDIA_MAX_BYTES)
            raise ValidationError(f"{name} is {filesizeformat(upload.size)}; the limit is {limit}.")
        if not upload.size:
            raise ValidationError(f"{name} is empty.")
        head = upload.read(4096)
        if os.path.splitext(name)[1].lower() in NEVER_SENT or head.startswith(PROGRAMS):
            raise ValidationError(f"{name} is a program or a web page, and phones do not take those.")
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
        self.save()

    @property
    def is_used(self):
        """Whether any message, draft, icon or face needs it."""
        used = (self.parts, self.reactions, self.scheduled, self.icon_of, self.photo_of)
        return any(users.exists() for users in used)

    def remove(self):
        """The row and its bytes, once the transaction holds."""
        file = self.file
        self.delete()
        if file:
            transaction.on_commit(lambda: file.delete(save=False))

    @property
    def safe_name(self):
        """Its name as the end of an address; carriers name files as they like."""
        return clean_filename(self.filename)

    @property
    def is_shown_in_place(self):
        return self.mime_type in SHOWN_IN_PLACE

    @property
    def is_image(self):
        return self.mime_type in ("image/jpeg", "image/png", "image/gif", "image/webp")

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
