"""The one door to files."""

import re

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header

from inbox.models import Attachment
from inbox.shortcuts import chats_for

BLOCK = 256 * 1024
ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


@login_required
def media(request, pk, filename):
    """A stored file of a chat that this person may see; browsers may ask for a part of it."""
    seen = Attachment.objects.filter(parts__message__chat__in=chats_for(request), state="stored")
    attachment = get_object_or_404(seen.distinct(), pk=pk)
    try:
        file = attachment.file.open("rb")
    except FileNotFoundError as error:
        raise Http404("The file is not in our storage") from error
    size = file.size
    try:
        start, end = range_of(request.headers.get("Range", ""), size)
    except ValueError:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    blocks = blocks_later if isinstance(request, ASGIRequest) else blocks_of
    whole = end - start == size
    response = StreamingHttpResponse(
        blocks(file, start, end), status=200 if whole else 206, content_type=attachment.mime_type
    )
    response["Content-Length"] = str(end - start)
    if not whole:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return guarded(response, attachment)


def guarded(response, attachment):
    """A file from a stranger: never a page of ours, whatever it holds."""
    shown = attachment.is_shown_in_place
    response["Content-Disposition"] = content_disposition_header(not shown, attachment.filename)
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    # A sandboxed page has no viewer for PDF; the viewer itself is one.
    is_pdf = attachment.mime_type == "application/pdf"
    response["Content-Security-Policy"] = (
        "frame-ancestors 'none'" if is_pdf else "default-src 'none'; sandbox"
    )
    return response


def range_of(header, size):
    """(start, end) of what is asked for, end excluded; ValueError where that lies behind the end."""
    match = ONE_RANGE.match(header)
    if not match or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    start, end = int(first), min(size, int(last) + 1 if last else size)
    if start >= end:
        raise ValueError(header)
    return start, end


def blocks_of(file, start, end):
    with file:
        file.seek(start)
        while start < end and (block := file.read(min(BLOCK, end - start))):
            start += len(block)
            yield block


async def blocks_later(file, start, end):
    """The same for a server of many connections, which reads files in threads."""
    try:
        await sync_to_async(file.seek, thread_sensitive=False)(start)
        while start < end:
            block = await sync_to_async(file.read, thread_sensitive=False)(min(BLOCK, end - start))
            if not block:
                return
            start += len(block)
            yield block
    finally:
        file.close()
