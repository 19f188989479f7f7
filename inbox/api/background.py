"""What is behind a chat on their phones (contract §6.11)."""

from typing import Annotated, Literal

from ninja import Router
from pydantic import BaseModel, Field, StringConstraints, model_validator

from inbox.api import shapes
from inbox.api.access import chat_of
from inbox.api.pictures import stored_picture
from inbox.api.schemas import WebAddress
from inbox.models.dressing import colour_of, dynamic_of
from lines.api.auth import sends
from partyline.problems import accepted
from partyline.shapes import Acknowledgement, answers

router = Router(tags=["Chats"])
QUEUED = answers(202, Acknowledgement, 404, 409)
Word = Annotated[str, StringConstraints(max_length=40)]


class Background(BaseModel):
    """A colour (a named one, or two shades), a style that moves, or a photo."""

    type: Literal["color", "dynamic", "photo"]
    variant: Word | None = None
    shades: Annotated[list[Word], Field(max_length=2)] | None = None
    style: Word | None = None
    image_url: WebAddress | None = None

    @model_validator(mode="after")
    def check(self):
        if self.type == "photo" and self.image_url is None:
            raise ValueError("image_url is needed for a photo")
        if self.type == "dynamic" and None in (self.style, self.variant):
            raise ValueError("style and variant are needed for a dynamic background")
        return self


@router.post("/chats/{chat_id}/background", response=QUEUED, auth=sends, operation_id="chats_background_set")
def set_background(request, chat_id: shapes.Id, data: Background):
    """Ask for another background; a photo is fetched at once, the rest is told by chat.background_updated or
    …_update_failed. On RCS and SMS nothing is applied, and nothing is told."""
    chat, photo, background = chat_of(request, chat_id), None, None
    if data.type == "color":
        background = colour_of(data.variant, data.shades)
    elif data.type == "dynamic":
        background = dynamic_of(data.style, data.variant)
    else:
        chat.refuse_if(chat.why_no_signal())
        photo = stored_picture(request, data.image_url)
    chat.set_background(background, photo=photo, by=request.token.actor)
    return accepted("Background update queued")


@router.delete(
    "/chats/{chat_id}/background", response=QUEUED, auth=sends, operation_id="chats_background_remove"
)
def remove_background(request, chat_id: shapes.Id):
    """Ask for no background."""
    chat_of(request, chat_id).set_background(None, by=request.token.actor)
    return accepted("Background removal queued")
