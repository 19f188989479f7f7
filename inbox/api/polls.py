"""Polls of iMessage (contract §6.9)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Router
from pydantic import BaseModel, Field, StringConstraints

from inbox import wire
from inbox.api import shapes
from inbox.api.access import chat_of, message_of
from inbox.api.schemas import ChatHandle, Key, Reaction
from inbox.api.sending import answer_of, send_once
from inbox.models.content import Content
from inbox.models.options import LONGEST, MOST, poll_of
from lines.api.auth import reads, sends
from partyline.moments import moment
from partyline.problems import Problem, answer
from partyline.shapes import answers

router = Router(tags=["Polls"])
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]


class OptionSent(BaseModel):
    text: Text


class PollSent(BaseModel):
    options: Annotated[list[OptionSent], Field(min_length=2, max_length=MOST)]
    idempotency_key: Key | None = None


class NewPoll(BaseModel):
    poll: PollSent


class NewOptions(BaseModel):
    options: Annotated[list[OptionSent], Field(min_length=1, max_length=MOST)]


class Vote(BaseModel):
    operation: Literal["add", "remove"]
    option_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Voter(BaseModel):
    handle: str
    voted_at: datetime


class Option(BaseModel):
    option_id: str
    text: str
    can_be_edited: bool
    creator_handle: ChatHandle | None
    voters: list[Voter]


class Poll(BaseModel):
    options: list[Option]
    total_voters: int


class PollEnvelope(BaseModel):
    chat_id: UUID
    message_id: UUID
    created_at: datetime
    updated_at: datetime
    poll: Poll
    reactions: list[Reaction]


@router.post(
    "/chats/{chat_id}/polls",
    response=answers(202, PollEnvelope, 404, 409, 429),
    auth=sends,
    operation_id="chats_polls_create",
)
def create(request, chat_id: shapes.Id, data: NewPoll):
    """Ask a poll in a chat that is there, on iMessage. It leaves as a message does, under the same guard."""
    chat = chat_of(request, chat_id)
    key = data.poll.idempotency_key
    message = send_once(
        request, data, where=f"{chat.pk}/polls", key=key, place=lambda content: chat, make=content_of
    )
    return answer_of(message, envelope(message_of(request, message.pk)), 202)


def content_of(request, data, *, frees_link=False):
    return Content([{"poll": poll_of([option.text for option in data.poll.options])}])


@router.get(
    "/messages/{message_id}/poll",
    response=answers(200, PollEnvelope, 404),
    auth=reads,
    operation_id="messages_poll_retrieve",
)
def retrieve(request, message_id: shapes.Id):
    """How a poll stands: its options, and who voted for each."""
    return answer(envelope(poll_of_program(request, message_id)))


@router.post(
    "/messages/{message_id}/poll/options",
    response=answers(202, PollEnvelope, 404, 409),
    auth=sends,
    operation_id="messages_poll_add_options",
)
def add_options(request, message_id: shapes.Id, data: NewOptions):
    """Append options; nobody can take them away again."""
    message = poll_of_program(request, message_id)
    message.add_options([option.text for option in data.options], by=request.token.actor)
    return answer(envelope(message_of(request, message_id)), 202)


@router.post(
    "/messages/{message_id}/poll/votes",
    response=answers(202, PollEnvelope, 404, 409),
    auth=sends,
    operation_id="messages_poll_vote",
)
def vote(request, message_id: shapes.Id, data: Vote):
    """Vote for one option as your line, or take that back."""
    message = poll_of_program(request, message_id)
    message.vote(data.option_id, by=request.token.actor, is_removed=data.operation == "remove")
    return answer(envelope(message_of(request, message_id)), 202)


def poll_of_program(request, message_id):
    message = message_of(request, message_id)
    if message.poll_part is None:
        raise Problem(2002, "There is no such poll.")
    return message


def envelope(message):
    """A PollEnvelope."""
    part = message.poll_part
    options = part.extra.get("options") or []
    creators = {option["creator"] for option in options} - {""}
    handles = message.environment.handles.filter(value__in=creators)
    people = {handle.value: handle for handle in handles}
    votes = [
        vote for vote in message.votes.select_related("handle").order_by("added_at", "pk") if vote.is_live
    ]
    times = [at for vote in message.votes.all() for at in (vote.added_at, vote.removed_at) if at]
    changed = [datetime.fromisoformat(option["since"]) for option in options]
    return {
        "chat_id": message.chat_id,
        "message_id": message.pk,
        "created_at": moment(message.created_at),
        "updated_at": moment(max([shapes.changed_at(message), *times, *changed])),
        "poll": wire.poll_as_told(message, [with_voters(option, votes) for option in options], people),
        "reactions": shapes.reactions(message).get(part.index, []),
    }


def with_voters(option, votes):
    """The option with its voters, as a carrier tells them: "" is our line."""
    voters = [
        {"handle": vote.handle.value if vote.handle else "", "voted_at": moment(vote.added_at)}
        for vote in votes
        if vote.option_id == option["option_id"]
    ]
    return option | {"voters": voters}
