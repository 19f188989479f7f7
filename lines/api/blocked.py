"""Who is not heard (contract §6.7)."""

import re
from datetime import datetime
from typing import Annotated

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from ninja import Router
from pydantic import AfterValidator, BaseModel, Field

from lines.api.auth import manages, reads
from lines.api.schemas import Storable
from lines.models import BlockedHandle
from partyline.problems import Problem, answer, nothing
from partyline.shapes import answers

router = Router(tags=["Blocked handles"])
# A number in E.164, a short code, or the name under which a company sends.
NUMBER = re.compile(r"\+[1-9][0-9]{1,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 _.&-]{1,11}")
MOST = 10_000


def blockable(text):
    """The one form in which a handle is kept; ValueError where it can be none."""
    text = text.strip()
    if NUMBER.fullmatch(text):
        return text
    try:
        validate_email(text)
    except ValidationError as error:
        raise ValueError(
            "that is no phone number in E.164, e-mail address, short code or name of a sender"
        ) from error
    return text.lower()


Blockable = Annotated[str, Field(max_length=254), AfterValidator(blockable)]


class Blocking(BaseModel):
    handle: Blockable
    reason: Annotated[str | None, Storable] = Field(None, max_length=200)


class Unblocking(BaseModel):
    handle: Blockable


class Entry(BaseModel):
    handle: str
    blocked_at: datetime
    reason: str | None = None


class EntryList(BaseModel):
    blocked_handles: list[Entry]


class EntryAnswer(BaseModel):
    blocked_handle: Entry


def entry(block):
    return {"handle": block.handle, "blocked_at": block.blocked_at, "reason": block.reason or None}


def list_of(request):
    """It holds for every line of the environment, so a key of one line does not open it."""
    if request.token.line_id:
        raise Problem(2005, "This key is for one line, and the block list is for all of them.")
    return request.environment.blocked_handles


@router.get(
    "/blocked_handles", response=answers(200, EntryList), auth=reads, operation_id="blocked_handles_list"
)
def blocked_handles(request):
    """All who are blocked, the newest first."""
    blocks = list_of(request).order_by("-blocked_at", "-pk")[:MOST]
    return answer({"blocked_handles": [entry(block) for block in blocks]})


@router.post(
    "/blocked_handles",
    response=answers(200, EntryAnswer) | {201: EntryAnswer},
    auth=manages,
    operation_id="blocked_handles_block",
)
def block(request, data: Blocking):
    """What they do towards one of our lines alone is dropped from now on, and nothing is sent to them. Who is blocked
    already stays so: the entry is answered as it is."""
    is_known = list_of(request).filter(handle=data.handle).exists()
    made = BlockedHandle.block(
        request.environment, data.handle, by=request.token.actor, reason=(data.reason or "").strip()
    )
    return answer({"blocked_handle": entry(made)}, 200 if is_known else 201)


@router.delete(
    "/blocked_handles", response=answers(204, None), auth=manages, operation_id="blocked_handles_unblock"
)
def unblock(request, data: Unblocking):
    """They are heard again. Nothing happens where they are not blocked."""
    if known := list_of(request).select_related("environment").filter(handle=data.handle).first():
        known.lift(by=request.token.actor)
    return nothing()
