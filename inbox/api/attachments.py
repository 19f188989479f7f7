"""Attachments (contract §6.4): announce a file, send its bytes, look at it, delete it."""

import tempfile
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.core.files import File
from ninja import Router
from pydantic import BaseModel, Field, StringConstraints

from inbox.api import shapes
from inbox.api.contents import attachments_of, stands_elsewhere
from inbox.api.types import CONTENT_TYPES
from inbox.models import Attachment, Refused
from inbox.models.attachment import clean_filename
from lines.api.auth import reads, sends
from partyline.problems import Problem, answer, envelope, nothing, problem_of

router = Router(tags=["Attachments"])
# Bytes that are read at once.
BLOCK = 256 * 1024


class Announced(BaseModel):
    filename: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    content_type: str
    size_bytes: Annotated[int, Field(ge=1, le=100 * 1024 * 1024)]


class Announcement(BaseModel):
    attachment_id: UUID
    upload_url: str
    http_method: Literal["PUT"]
    required_headers: dict[str, str]
    expires_at: datetime
    download_url: str


class AttachmentShape(BaseModel):
    id: UUID
    filename: str
    content_type: str
    size_bytes: int
    created_at: datetime
    status: Literal["pending", "complete", "failed"]
    download_url: str | None = None


@router.post("/attachments", response={200: Announcement}, auth=sends, operation_id="attachments_create")
def create(request, data: Announced):
    """Announce a file; then PUT exactly its bytes to `upload_url` within 15 minutes, with `required_headers` and
    without a key. Of its content is checked that it is what was announced."""
    if data.content_type.lower() not in CONTENT_TYPES:
        raise Problem(5004, f"content_type: {data.content_type} cannot be sent.")
    file = Attachment.expect(
        request.environment,
        filename=clean_filename(data.filename),
        declared_type=data.content_type.lower(),
        size=data.size_bytes,
        by=request.token.actor,
    )
    return answer(
        {
            "attachment_id": file.pk,
            "upload_url": file.upload_url,
            "http_method": "PUT",
            "required_headers": {"Content-Type": data.content_type},
            "expires_at": file.upload_until,
            "download_url": file.public_url,
        }
    )


def upload(request, signed):
    """PUT of the bytes. The address is the key: it is of one file, and works once."""
    if request.method != "PUT":
        refusal = envelope(Problem(1005, "The bytes are PUT here.", status=405))
        refusal["Allow"] = "PUT"
        return refusal
    file = Attachment.at_upload(signed)
    if file is None:
        return envelope(Problem(2003, "There is no such upload."))
    if request.content_type != file.declared_type:
        return envelope(Problem(5006, f"The Content-Type was to be {file.declared_type}."))
    if int(request.headers.get("Content-Length") or 0) > file.size:
        return envelope(Problem(1005, f"{file.size:,} bytes were announced."))
    with tempfile.TemporaryFile() as copy:
        try:
            file.receive(File(spooled(request, copy, file.size), name=file.filename))
        except Refused as refusal:
            return envelope(problem_of(refusal))
    return nothing(200)


def spooled(request, copy, most):
    """The body in a file; no more of it than `most` and a little."""
    size = 0
    while size <= most and (block := request.read(BLOCK)):
        size += len(block)
        copy.write(block)
    copy.flush()
    copy.seek(0)
    return copy


@router.get(
    "/attachments/{attachment_id}",
    response={200: AttachmentShape},
    auth=reads,
    operation_id="attachments_retrieve",
)
def retrieve(request, attachment_id: shapes.Id):
    return answer(shapes.attachment(attachment_for(request, attachment_id)))


@router.delete(
    "/attachments/{attachment_id}",
    response={204: None},
    auth=sends,
    operation_id="attachments_delete",
)
def delete(request, attachment_id: shapes.Id):
    """Its bytes, for good; messages keep the part without them."""
    file = attachment_for(request, attachment_id)
    if stands_elsewhere(request.token, file):
        raise Problem(2005, "The file is in a conversation of another line too.")
    part = file.parts.select_related("message__chat").first()
    if part:
        part.message.delete_file(file, by=request.token.actor)
    else:
        file.delete_file(by=request.token.actor)
    return nothing()


def attachment_for(request, pk):
    file = attachments_of(request.token).exclude(state=Attachment.State.DELETED).filter(pk=pk).first()
    if file is None:
        raise Problem(2003, "There is no such attachment.")
    return file
