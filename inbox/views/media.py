"""The one door to files."""

import re

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Q
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from inbox.models import Attachment
from inbox.shortcuts import bubble, chats_for, message_to_delete

BLOCK = 256 * 1024
ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


@login_required
@require_safe
def media(request, pk, filename):
    """A stored file of a chat that this person may see; browsers may ask for a part of it."""
    attachment = attachment_for(request, pk)
    return answer(
        request,
        attachment.file,
        attachment.mime_type,
        attachment.filename,
        tag=f'"{attachment.checksum or attachment.pk}"',
        is_shown=attachment.is_shown_in_place,
    )


@require_safe
def public(request, pk, signature, filename):
    """A file for programs: the address itself is the key."""
    attachment = Attachment.at_public_url(pk, signature)
    if attachment is None or attachment.state in (Attachment.State.DELETED, Attachment.State.FAILED):
        raise Http404("There is no such file")
    if attachment.state != Attachment.State.STORED:
        return HttpResponse(status=503, headers={"Retry-After": "5"})
    return answer(
        request,
        attachment.file,
        attachment.mime_type,
        attachment.filename,
        tag=f'"{attachment.checksum or attachment.pk}"',
        is_shown=attachment.is_shown_in_place,
    )


@login_required
@require_safe
def preview(request, pk, filename):
    """What was made of it for browsers: a JPEG, or the sound."""
    attachment = attachment_for(request, pk)
    if not attachment.preview:
        raise Http404("There is no preview of it")
    tag = f'"{attachment.checksum or attachment.pk}-preview"'
    return answer(
        request, attachment.preview, attachment.preview_type, attachment.preview_name, tag=tag, is_shown=True
    )


@login_required
@require_POST
def delete(request, pk):
    """Delete the file from wherever it is shown; answers the `message` in which somebody pressed it."""
    message = message_to_delete(request, request.POST.get("message"))
    attachment = get_object_or_404(Attachment.objects.filter(parts__message=message).distinct(), pk=pk)
    message.delete_file(attachment, by=request.user)
    return bubble(request, message, said="File deleted", icon="file-x")


def attachment_for(request, pk):
    """Of a chat that they may see (in a message, on one, to be sent there, its icon, or the face of somebody in it), or
    what they have uploaded and not sent yet."""
    chats = chats_for(request)
    seen = Q(parts__message__chat__in=chats) | Q(reactions__chat__in=chats) | Q(scheduled__chat__in=chats)
    seen |= Q(icon_of__in=chats) | Q(photo_of__handles__participations__chat__in=chats)
    mine = Q(uploaded_by=request.user, environment=request.environment, parts=None)
    return get_object_or_404(Attachment.objects.filter(seen | mine, state="stored").distinct(), pk=pk)


def answer(request, stored, mime_type, filename, *, tag, is_shown):
    """The file, the part of it that is asked for, or that the browser has it already. `tag` is of its content."""
    if tag in request.headers.get("If-None-Match", "").replace("W/", "").split(", "):
        return guarded(HttpResponse(status=304), filename, tag=tag, is_shown=is_shown, mime_type=mime_type)
    try:
        file = stored.open("rb")
    except FileNotFoundError as error:
        raise Http404("The file is not in our storage") from error
    size = file.size
    # Parts of what the browser has are of use only if it still is the same file.
    wants_part = request.headers.get("If-Range", tag) == tag
    try:
        start, end = range_of(request.headers.get("Range", "") if wants_part else "", size)
    except ValueError:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    whole = end - start == size
    response = StreamingHttpResponse(
        blocks_for(request, file, start, end), status=200 if whole else 206, content_type=mime_type
    )
    response["Content-Length"] = str(end - start)
    if not whole:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return guarded(response, filename, tag=tag, is_shown=is_shown, mime_type=mime_type)


def guarded(response, filename, *, tag, is_shown, mime_type):
    """A file from a stranger: never a page of ours, whatever it holds."""
    response["Content-Disposition"] = content_disposition_header(not is_shown, filename)
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = tag
    # Kept, but asked about at every use: what was deleted, or is no longer theirs to see, is gone at once.
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    # A sandboxed page has no viewer for PDF; the viewer itself is one.
    is_pdf = mime_type == "application/pdf"
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
        if not int(last):
            raise ValueError(header)
        return max(0, size - int(last)), size
    start, end = int(first), min(size, int(last) + 1 if last else size)
    if start >= end:
        raise ValueError(header)
    return start, end


def blocks_for(request, file, start, end):
    if request.method == "HEAD":
        file.close()
        return ()
    return (blocks_later if isinstance(request, ASGIRequest) else blocks_of)(file, start, end)


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
