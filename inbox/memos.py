"""Voice memos as browsers record them, made into what phones play."""

import tempfile
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.files import File

from inbox import previews
from inbox.kinds import kind_of
from inbox.models.content import VOICE_MEMO_BYTES, VOICE_MEMO_TYPES


@contextmanager
def playable(upload):
    """The recording, as AAC in M4A unless phones take it as it is; ValidationError where it is none, or over 10 MB."""
    if upload.size > VOICE_MEMO_BYTES:
        raise ValidationError("10 MB is the most for a voice memo.")
    kind, _, _ = kind_of(upload, upload.read(4096), upload.name)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "recording"), Path(folder, "memo")
        upload.seek(0)
        with source.open("wb") as copy:
            for chunk in upload.chunks():
                copy.write(chunk)
        try:
            found = previews.make(kind, source, target)
        except previews.Unreadable as reason:
            raise ValidationError(f"{reason}.") from reason
        if "seconds" not in found or found.get("width"):
            raise ValidationError("That is no recording.")
        if target.exists():
            with target.open("rb") as file:
                yield File(file, name=f"{Path(upload.name).stem}.m4a")
        elif kind in VOICE_MEMO_TYPES:
            yield upload
        else:
            raise ValidationError("A voice memo is MP3, M4A, AAC, CAF, WAV, AIFF or AMR.")
