"""Files at the carrier."""

from urllib.parse import quote

from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone

from lines.gateways.base import PermanentFailure
from lines.models.sandbox import SandboxMedia


def keep(environment, filename, mime_type, content):
    """Store a file at the carrier; returns the V3 media part that stands for it."""
    return part_of(store(environment, filename, mime_type, content))


def store(environment, filename, mime_type, content):
    media = SandboxMedia(
        environment=environment,
        filename=plain_filename(filename),
        mime_type=mime_type,
        size=len(content),
    )
    media.file.save(media.filename, ContentFile(content), save=False)
    media.save(force_insert=True)
    return media


def stored_part(environment, part):
    """A part of ours as the carrier keeps it."""
    if part["type"] != "media":
        return dict(part)
    with part["file"].open("rb") as file:
        return keep(environment, part["filename"], part["mime_type"], file.read())


def part_of(media):
    return {
        "type": "media",
        "id": str(media.pk),
        "url": url_of(media),
        "filename": media.filename,
        "mime_type": media.mime_type,
        "size_bytes": media.size,
    }


def url_of(media):
    return f"{settings.RECEIVER_URL}/sandbox/media/{media.pk}/{quote(media.filename)}"


def plain_filename(name):
    name = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[-200:] or "file"


def throw_away(media):
    """Its bytes are gone for good; 2003 where they are gone already."""
    if not SandboxMedia.objects.filter(pk=media.pk, deleted_at=None).update(deleted_at=timezone.now()):
        raise PermanentFailure("The carrier has no such attachment", code=2003)
    media.file.delete(save=False)
