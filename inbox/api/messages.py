"""Messages (contract §6.3): send, read, edit, delete."""

from typing import Annotated, Literal

from ninja import Header, Query, Router, Schema
from pydantic import Field

from inbox.api import shapes
from inbox.api.access import (
    UNTOLD,
    bare_chat_of,
    chats_of,
    load_bubbles,
    message_of,
    page,
    place_in,
    with_parts,
    with_people,
)
from inbox.api.schemas import (
    EditSent,
    MessageMadeAnswer,
    MessagePage,
    MessageSentAnswer,
    NewMessage,
    Sending,
)
from inbox.api.schemas import Message as MessageShape
from inbox.api.sending import answer_of, send_once
from inbox.choosing import choose_line
from inbox.models import Chat
from lines.api.auth import reads, sends
from partyline.problems import answer, nothing

router = Router(tags=["Messages"], by_alias=True)


class Paged(Schema):
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: str = ""


class Threaded(Paged):
    order: Literal["asc", "desc"] = "asc"


@router.get(
    "/chats/{chat_id}/messages",
    response={200: MessagePage},
    auth=reads,
    operation_id="chats_messages_list",
)
def list_messages(request, chat_id: shapes.Id, paged: Query[Paged]):
    """What was said in a chat, the newest first."""
    chat = bare_chat_of(request, chat_id)
    messages = chat.messages.filter(deleted_at=None).defer(*UNTOLD).newest_first()
    if paged.cursor:
        messages = messages.older_than(*place_in(paged.cursor))
    rows, cursor = page(messages, paged.limit, lambda message: (message.at, message.pk))
    load_bubbles(rows)
    for message in rows:
        message.chat = chat
    return answer({"messages": [shapes.message(message) for message in rows], "next_cursor": cursor})


@router.post(
    "/chats/{chat_id}/messages",
    response={202: MessageSentAnswer},
    auth=sends,
    operation_id="chats_messages_send",
)
def send(request, chat_id: shapes.Id, data: Sending):
    """Queue a message. It passes the same guard as those of people, and appears in the inbox under the key's name.

    What the guard holds is `pending` until it leaves by itself; the headers X-Guard and X-Guard-Reason say why and, where
    that is known, until when.
    """
    chat = bare_chat_of(request, chat_id)
    message = send_once(
        request,
        data,
        where=str(chat.pk),
        key=data.message.idempotency_key,
        place=lambda content: chat,
        makes_chat=False,
    )
    message.chat = chat
    return answer_of(message, {"chat_id": chat.pk, "message": shapes.sent(message)}, 202)


@router.post(
    "/messages",
    response={202: MessageMadeAnswer},
    auth=sends,
    operation_id="messages_create",
)
def create(request, data: NewMessage, idempotency_key: Annotated[str | None, Header(max_length=255)] = None):
    """Say something to exactly these people, from the line that suits best: the one on which there is a conversation
    with them, else a healthy one that was used longest ago. Where their line cannot send now, another takes over, and
    says `continuation_message` instead, if there is one.

    The header Idempotency-Key is used where `message` has no idempotency_key.
    """
    key = data.message.idempotency_key or idempotency_key or None

    def place(content):
        choice = choose_line(request.token.lines, data.to, exclude=data.exclude_from)
        is_failover = choice.reason == "failover_flagged"
        if is_failover and data.continuation_message:
            content.parts = [{"text": data.continuation_message.text}]
        chat = choice.chat if choice.reuses else Chat.start(choice.line, data.to, by=request.token.actor)
        content.selection = {
            "reason": choice.reason,
            "created_new_chat": not choice.reuses and chat.is_new,
            "previous_chat_id": str(choice.chat.pk) if is_failover else None,
        }
        return chat

    message = send_once(request, data, where="messages", key=key, place=place, frees_link=True)
    chat = with_people(chats_of(request.token)).get(pk=message.chat_id)
    message.chat = chat
    return answer_of(message, shapes.chosen(chat, message), 202)


@router.get(
    "/messages/{message_id}",
    response={200: MessageShape},
    auth=reads,
    operation_id="messages_retrieve",
)
def retrieve(request, message_id: shapes.Id):
    message = message_of(request, message_id)
    return answer_of(message, shapes.message(message))


@router.patch(
    "/messages/{message_id}",
    response={200: MessageShape},
    auth=sends,
    operation_id="messages_update",
)
def update(request, message_id: shapes.Id, data: EditSent):
    """Say something else in place of a text: an iMessage of ours, within 15 minutes, five times at most."""
    message = message_of(request, message_id)
    message.edit(data.text, by=request.token.actor, part_index=data.part_index)
    return answer(shapes.message(message_of(request, message_id)))


@router.delete(
    "/messages/{message_id}",
    response={204: None},
    auth=sends,
    operation_id="messages_delete",
)
def delete(request, message_id: shapes.Id):
    """From our records and the carrier's only: nothing is unsent, and no phone loses it."""
    message_of(request, message_id).delete_here(by=request.token.actor)
    return nothing()


@router.get(
    "/messages/{message_id}/thread",
    response={200: MessagePage},
    auth=reads,
    operation_id="messages_list_messages_thread",
)
def thread(request, message_id: shapes.Id, paged: Query[Threaded]):
    """The message that began it and all answers to it; of a message that nobody answered, itself."""
    message = message_of(request, message_id)
    messages = with_parts(message.chat.messages.filter(deleted_at=None)).in_thread_of(message)
    is_rising = paged.order == "asc"
    messages = messages.oldest_first() if is_rising else messages.newest_first()
    if paged.cursor:
        behind = messages.newer_than if is_rising else messages.older_than
        messages = behind(*place_in(paged.cursor))
    rows, cursor = page(messages, paged.limit, lambda message: (message.at, message.pk))
    return answer({"messages": [shapes.message(message) for message in rows], "next_cursor": cursor})
