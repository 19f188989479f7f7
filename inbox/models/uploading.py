"""A file in two steps (contract §6.4): a program says what it will be, and then sends its bytes to an address of their own."""

from datetime import timedelta
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.db import models, transaction
from django.utils import timezone

from inbox.kinds import SHOWN_IN_PLACE, is_program
from inbox.models.refusing import Refused

UPLOAD_WITHIN = timedelta(minutes=15)
SALT = "attachments"
# Names of one and the same kind.
SAME = {
    "image/jpg": "image/jpeg",
    "image/heif": "image/heic",
    "image/x-ms-bmp": "image/bmp",
    "audio/mp3": "audio/mpeg",
    "audio/x-m4a": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/3gpp": "audio/mp4",
    "audio/wav": "audio/x-wav",
    "audio/aiff": "audio/x-aiff",
    "audio/x-aac": "audio/aac",
    "video/x-m4v": "video/mp4",
    "video/quicktime": "video/mp4",
    "video/3gpp": "video/mp4",
    "video/mpeg2": "video/mpeg",
}
# What no look at the bytes tells from anything else.
UNSEEN = frozenset(["image/x-icon", "audio/midi", "audio/aac", "audio/mpeg", "video/mpeg", "image/tiff"])
UNKNOWN = "application/octet-stream"


class Uploadable(models.Model):
    """The ability of a file to be announced, and to be filled by whoever has the address for it."""

    # What a program said that it is; `mime_type` is what its bytes say.
    declared_type = models.CharField(max_length=120, blank=True, default="")
    upload_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @classmethod
    def expect(cls, environment, *, filename, declared_type, size, by):
        """A file of `size` bytes that comes within UPLOAD_WITHIN."""
        return cls.objects.create(
            environment=environment,
            filename=filename,
            declared_type=declared_type,
            mime_type=declared_type,
            size=size,
            state=cls.State.EXPECTED,
            upload_until=timezone.now() + UPLOAD_WITHIN,
            uploaded_by=by,
        )

    @property
    def upload_url(self):
        """Where its bytes go; a secret of whoever announced it."""
        return f"{settings.PUBLIC_URL}/v3/uploads/{signing.Signer(salt=SALT).sign(self.pk.hex)}"

    @classmethod
    def at_upload(cls, signed):
        """The file for this end of an upload_url, or None."""
        try:
            pk = signing.Signer(salt=SALT).unsign(signed)
        except signing.BadSignature:
            return None
        return cls.objects.filter(pk=pk).first()

    @transaction.atomic
    def receive(self, upload):
        """Take the bytes that were announced. Refused where they are late, others, or more or fewer; then it stays as
        it was, and the right bytes may still come."""
        file = type(self).objects.select_for_update(of=("self",), no_key=True).get(pk=self.pk)
        if file.state != file.State.EXPECTED:
            raise Refused(2015, "This file was uploaded already.")
        if timezone.now() > file.upload_until:
            raise Refused(2005, "The time for this upload is over. Announce the file again.")
        if upload.size != file.size:
            raise Refused(1005, f"{file.size:,} bytes were announced, and {upload.size:,} came.")
        if is_program(upload.read(4096)):
            raise Refused(5004, "A program cannot be sent.")
        file.take(upload)
        if not may_be(file.declared_type, file.mime_type):
            # What was stored goes again with the transaction, its bytes now.
            file.file.delete(save=False)
            raise Refused(5006, f"These bytes are {file.mime_type}, and {file.declared_type} was announced.")
        self.refresh_from_db()

    @property
    def public_url(self):
        """For programs: who knows this address has the file, as long as it is there."""
        signature = signing.Signer(salt=SALT).signature(str(self.pk))
        return f"{settings.PUBLIC_URL}/attachments/{self.pk}/{signature}/{quote(self.safe_name)}"

    @classmethod
    def at_public_url(cls, pk, signature):
        """The file for these parts of a public_url, or None."""
        try:
            signing.Signer(salt=SALT).unsign(f"{pk}:{signature}")
        except signing.BadSignature:
            return None
        return cls.objects.filter(pk=pk).first()


def may_be(declared, seen):
    """Whether a file whose bytes look like `seen` can be what was declared."""
    declared, seen = SAME.get(declared, declared), SAME.get(seen, seen)
    if declared == seen:
        return True
    if declared.partition("/")[0] in ("image", "audio", "video") or declared == "application/pdf":
        is_container = {declared, seen} == {"audio/mp4", "video/mp4"}
        return is_container or (seen == UNKNOWN and declared in UNSEEN)
    return seen not in SHOWN_IN_PLACE and seen.partition("/")[0] not in ("image", "audio", "video")
