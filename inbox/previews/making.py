"""Which preview a kind of file has. In this process: call it for files of our own only, else previews.make()."""

from inbox.kinds import IMAGES
from inbox.previews import cards, pictures, recordings


def preview_of(mime_type, source, target):
    """The fields that are found; writes a picture or a sound to `target` where there is one. Raises Unreadable."""
    if mime_type in IMAGES:
        return pictures.preview(source, target)
    if mime_type in recordings.FORMATS:
        return recordings.preview(mime_type, source, target)
    return cards.preview(mime_type, source)


def has_preview(mime_type, size, width, height):
    """Whether anything is to be made of such a file; `size` in bytes."""
    if mime_type in IMAGES:
        return pictures.needs_preview(mime_type, size, width, height)
    return mime_type in recordings.FORMATS or (mime_type in cards.READERS and size <= cards.MOST_BYTES)
