"""What a program does with groups; what became of it is told by webhooks (contract §6.2)."""

from typing import Annotated
from uuid import UUID

from django.db import transaction
from pydantic import BaseModel, Field, model_validator

from inbox.api import shapes
from inbox.api.access import chat_of
from inbox.api.addresses import Handle
from inbox.api.chats import router
from inbox.api.pictures import stored_picture
from inbox.api.schemas import WebAddress
from inbox.models import Handle as Person
from inbox.models.grouping import NAME_LENGTH
from lines.api.auth import sends
from partyline.problems import accepted, answer
from partyline.shapes import Acknowledgement, answers


class Member(BaseModel):
    handle: Handle


class Changes(BaseModel):
    """Of a group only."""

    display_name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)] | None = None
    group_chat_icon: WebAddress | None = None

    @model_validator(mode="after")
    def check(self):
        if self.display_name is None and self.group_chat_icon is None:
            raise ValueError("display_name or group_chat_icon is needed")
        return self


class Pending(BaseModel):
    chat_id: UUID
    status: str


QUEUED = answers(202, Acknowledgement, 404, 409)


@router.put(
    "/chats/{chat_id}", response=answers(202, Pending, 404, 409), auth=sends, operation_id="chats_update"
)
def update(request, chat_id: shapes.Id, data: Changes):
    """Ask for another name or icon; the icon is fetched at once, the rest is told by webhooks."""
    chat, by = chat_of(request, chat_id), request.token.actor
    chat.refuse_if(chat.why_not_rename() if data.group_chat_icon is None else chat.why_not_change())
    picture = data.group_chat_icon and stored_picture(request, data.group_chat_icon)
    with transaction.atomic():
        if data.display_name is not None:
            chat.rename(data.display_name, by=by)
        if picture:
            chat.set_icon(picture, by=by)
    return answer({"chat_id": chat.pk, "status": "pending"}, 202)


@router.post(
    "/chats/{chat_id}/participants",
    response=QUEUED,
    auth=sends,
    operation_id="chats_participants_add",
)
def add_participant(request, chat_id: shapes.Id, data: Member):
    """Bring somebody into a group of three or more, by the service that it is on."""
    chat_of(request, chat_id).add_member(data.handle, by=request.token.actor)
    return accepted("Participant addition queued")


@router.delete(
    "/chats/{chat_id}/participants",
    response=QUEUED,
    auth=sends,
    operation_id="chats_participants_remove",
)
def remove_participant(request, chat_id: shapes.Id, data: Member):
    """Take somebody out of a group; three must stay."""
    chat = chat_of(request, chat_id)
    chat.refuse_if(chat.why_not_alter_members())
    present = {handle.value: handle for handle in chat.others}
    chat.remove_member(present.get(data.handle) or Person(value=data.handle), by=request.token.actor)
    return accepted("Participant removal queued")


@router.post("/chats/{chat_id}/leave", response=QUEUED, auth=sends, operation_id="chats_leave_chat")
def leave(request, chat_id: shapes.Id):
    """Let the line leave an iMessage group of four or more. Afterwards nothing can be done in it."""
    chat_of(request, chat_id).leave(by=request.token.actor)
    return accepted("Leave group chat queued")
