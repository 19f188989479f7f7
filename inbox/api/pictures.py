"""Pictures at web addresses, or among what a program uploaded before."""

import tempfile
import time
from contextlib import contextmanager

import httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File

from inbox import media
from inbox.api.contents import Files
from inbox.models import Refused
from lines.pictures import picture_of
from partyline.problems import Problem


def stored_picture(request, url=None, attachment_id=None, *, fetches=True):
    """The Attachment; a refusal where it cannot be fetched (5007), is not known (2003) or is no picture (5006)."""
    try:
        file = Files(request).one(attachment_id, url, fetches=fetches)
    except Refused as refusal:
        # A page or a program is no picture.
        raise Refused(5006 if refusal.number == 5004 else refusal.number, refusal.sentence) from refusal
    if not file.is_image:
        raise Refused(5006, f"{file.filename} is no picture.")
    return file


def card_picture(request, url):
    """The Picture for a contact card, of which no copy is kept here; a Problem where there is none."""
    with opened(request, url) as file:
        try:
            return picture_of(file)
        except ValidationError as error:
            raise Problem(5006, f"image_url: {' '.join(error.messages)}") from error


@contextmanager
def opened(request, url):
    if url.startswith(f"{settings.PUBLIC_URL}/attachments/"):
        with stored_picture(request, url).file.open("rb") as file:
            yield file
        return
    with tempfile.TemporaryFile() as copy:
        download(url, copy)
        yield File(copy, name="picture")


def download(url, copy):
    until = time.monotonic() + media.URL_SECONDS
    try:
        media.download(url, set(), copy, limit=settings.MEDIA_URL_MAX_BYTES, until=until)
    except media.TooLarge as error:
        raise Problem(5005, f"image_url: {error}.") from error
    except media.Refused as error:
        raise Problem(5007, f"image_url: {error}.") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise Problem(5007, "image_url: nothing could be fetched from there.") from error
