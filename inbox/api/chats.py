"""Chats (contract §6.2): begin one, list them, look at one."""

from typing import Annotated

from ninja import Query, Router, Schema
from pydantic import Field

from inbox.api import shapes
from inbox.api.access import chat_of, chats_of, newest_chats, place_in, with_people
from inbox.api.addresses import Number, handles_in
from inbox.api.schemas import Chat as ChatShape
from inbox.api.schemas import ChatMadeAnswer, ChatPage, NewChat
from inbox.api.sending import answer_of, send_once
from inbox.models import Chat
from lines.api.auth import reads, sends
from partyline.problems import Problem, answer

router = Router(tags=["Chats"], by_alias=True)


@router.post("/chats", response={201: ChatMadeAnswer}, auth=sends, operation_id="chats_create")
def create(request, data: NewChat):
    """Say something to exactly these people from this line: in the conversation that is there, or in a new one.

    The first message of a new one has no link, no effect, and answers nothing. A group that has got a name since, other
    members, or that the line has left is not found by its people any more.
    """
    line = request.token.lines.filter(phone_number=data.sender).first()
    if line is None:
        raise Problem(2006, f"from: {data.sender} is no line of yours.")
    if data.sender in data.to:
        raise Problem(1002, "to: a line does not write to itself.")
    message = send_once(
        request,
        data,
        where="chats",
        key=data.message.idempotency_key,
        place=lambda content: Chat.start(line, data.to, by=request.token.actor, as_begun=True),
    )
    chat = with_people(chats_of(request.token)).get(pk=message.chat_id)
    message.chat = chat
    return answer_of(message, {"chat": shapes.made(chat, message)}, 201)


class Listed(Schema):
    sender: Number | None = Field(None, alias="from")
    to: list[str] = []
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: str = ""


@router.get("/chats", response={200: ChatPage}, auth=reads, operation_id="chats_list_chats")
def list_chats(request, listed: Query[Listed]):
    """Those of a line (`from`) and with a person (`to`), the one in which something happened last first."""
    chats = chats_of(request.token)
    if listed.sender:
        chats = chats.filter(line__in=list(request.token.lines.filter(phone_number=listed.sender)))
    for handle in handles_in(listed.to, "to"):
        chats = chats.filter(participants__handle__value=handle, participants__left_at=None)
    after = place_in(listed.cursor) if listed.cursor else None
    rows, cursor = newest_chats(chats, listed.limit, after)
    return answer({"chats": [shapes.chat(chat) for chat in rows], "next_cursor": cursor})


@router.get("/chats/{chat_id}", response={200: ChatShape}, auth=reads, operation_id="chats_retrieve")
def retrieve(request, chat_id: shapes.Id):
    return answer(shapes.chat(chat_of(request, chat_id)))
