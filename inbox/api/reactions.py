"""What a program puts on messages: tapbacks and stickers (contract §6.3)."""

from typing import Literal
from uuid import UUID

from ninja import Router
from pydantic import BaseModel, Field, model_validator

from inbox.api import shapes
from inbox.api.access import message_of
from inbox.api.pictures import stored_picture
from lines.api.auth import sends
from partyline import trace
from partyline.problems import Problem, accepted, answer
from partyline.shapes import Acknowledgement, answers

router = Router(tags=["Reactions"])
TYPES = Literal["love", "like", "dislike", "laugh", "emphasize", "question", "custom", "sticker"]


class Placement(BaseModel):
    """Of x and y 0 is the middle, -1 left or top. The scale is brought into 0.05 to 2.5. Degrees, clockwise."""

    x: float | None = Field(None, ge=-1, le=1)
    y: float | None = Field(None, ge=-1, le=1)
    scale: float | None = Field(None, allow_inf_nan=False)
    rotation: float | None = Field(None, allow_inf_nan=False)


class Reacting(BaseModel):
    operation: Literal["add", "remove"]
    type: TYPES
    custom_emoji: str | None = Field(None, max_length=64)
    part_index: int | None = Field(None, ge=0, le=32_000)
    emoji: str | None = Field(None, max_length=64)
    url: str | None = Field(None, max_length=2048)
    attachment_id: UUID | None = None
    placement: Placement | None = None

    @model_validator(mode="after")
    def fits(self):
        sources = [self.emoji, self.url, self.attachment_id]
        given = sum(source is not None for source in sources)
        if self.type == "custom" and not self.custom_emoji:
            raise ValueError("custom_emoji is needed where the type is custom")
        if self.type != "sticker" and (given or self.placement):
            raise ValueError("emoji, url, attachment_id and placement are for stickers only")
        if self.type == "sticker" and self.operation == "remove":
            raise ValueError("a sticker cannot be removed")
        if self.type == "sticker" and given != 1:
            raise ValueError("a sticker needs exactly one of emoji, url and attachment_id")
        return self


class Moving(BaseModel):
    placement: Placement


class Moved(BaseModel):
    success: bool
    status: Literal["accepted"]
    trace_id: str


@router.post(
    "/messages/{message_id}/reactions",
    response=answers(202, Acknowledgement, 404, 409),
    auth=sends,
    operation_id="messages_add_reaction",
)
def add_reaction(request, message_id: shapes.Id, data: Reacting):
    """Put a tapback or a sticker on a part of a message, or take a tapback off."""
    message, by, part = message_of(request, message_id), request.token.actor, data.part_index or 0
    if data.type == "sticker":
        message.stick(by=by, part_index=part, **source_of(request, data), placement=said(data.placement))
    else:
        verb = message.react if data.operation == "add" else message.unreact
        verb(data.type, by=by, emoji=data.custom_emoji or "", part_index=part)
    return accepted("Reaction processed")


@router.patch(
    "/messages/{message_id}/reactions/{reaction_id}",
    response=answers(202, Moved, 404, 409),
    auth=sends,
    operation_id="messages_update_sticker_placement",
)
def move_sticker(request, message_id: shapes.Id, reaction_id: shapes.Id, data: Moving):
    """Move, resize or turn a sticker; what is not said stays."""
    message = message_of(request, message_id)
    reaction = message.reactions.filter(uid=reaction_id).first()
    if reaction is None:
        raise Problem(2002, "The message has no such reaction.")
    message.move_sticker(reaction, said(data.placement), by=request.token.actor)
    return answer({"success": True, "status": "accepted", "trace_id": trace.current()}, 202)


def said(placement):
    return placement.model_dump(exclude_none=True) if placement else {}


def source_of(request, data):
    if data.emoji is not None:
        return {"emoji": data.emoji}
    return {"attachment": stored_picture(request, data.url, data.attachment_id, fetches=False)}
