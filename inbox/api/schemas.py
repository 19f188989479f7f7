"""What programs send of conversations and get of them (contract §5 and §6). Rules that a conversation decides are the
model's; here is only what a value may be by itself."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from inbox.api.addresses import Handles, Number
from lines.api.schemas import Storable
from partyline.problems import Problem

Service = Literal["iMessage", "RCS", "SMS"]
DeliveryStatus = Literal["pending", "queued", "sent", "delivered", "received", "read", "failed"]
Place = Annotated[int, Field(ge=0)]
Range = Annotated[list[Place], Field(min_length=2, max_length=2)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2048)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=255), Storable]
Style = Literal["bold", "italic", "strikethrough", "underline"]
Animation = Literal["big", "small", "shake", "nod", "explode", "ripple", "bloom", "jitter"]


def exactly_one(values, *names):
    if sum(getattr(values, name) is not None for name in names) != 1:
        raise ValueError(f"exactly one of {' and '.join(names)} is needed")
    return values


class Decoration(BaseModel):
    """UTF-16 units of the text, the end excluded; a style or an animation."""

    range: Range
    style: Style | None = None
    animation: Animation | None = None

    @model_validator(mode="after")
    def check(self):
        return exactly_one(self, "style", "animation")


class InlineStickerSent(BaseModel):
    range: Range
    attachment_id: UUID | None = None
    url: str | None = None

    @model_validator(mode="after")
    def check(self):
        return exactly_one(self, "attachment_id", "url")


class TextSent(BaseModel):
    type: Literal["text"]
    value: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    text_decorations: Annotated[list[Decoration], Field(max_length=100)] | None = None
    inline_stickers: Annotated[list[InlineStickerSent], Field(max_length=100)] | None = None
    mention: str | None = None
    mention_range: Range | None = None

    @model_validator(mode="after")
    def check(self):
        if self.mention_range and self.mention is None:
            raise ValueError("mention_range needs a mention")
        return self


class MediaSent(BaseModel):
    """A file: fetched from a public address (10 MB), or uploaded before (100 MB)."""

    type: Literal["media"]
    url: WebAddress | None = None
    attachment_id: UUID | None = None
    sticker: bool = False

    @model_validator(mode="after")
    def check(self):
        return exactly_one(self, "url", "attachment_id")


class LinkSent(BaseModel):
    type: Literal["link"]
    value: Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=2048)]


class AppSent(BaseModel):
    """Cards of apps are not sent from here: 403, code 2011."""

    type: Literal["imessage_app", "app_clip"]


PartSent = Annotated[TextSent | MediaSent | LinkSent | AppSent, Field(discriminator="type")]


class EffectSent(BaseModel):
    type: Literal["screen", "bubble"] | None = None
    name: Annotated[str, StringConstraints(max_length=40)] | None = None


class ReplySent(BaseModel):
    message_id: UUID
    part_index: Annotated[int, Field(ge=0, le=99)] = 0


class MessageContent(BaseModel):
    """The same idempotency_key again answers as the first time, and sends nothing; it is used up for good."""

    parts: Annotated[list[PartSent], Field(min_length=1, max_length=100)] | None = None
    experience: dict[str, Any] | None = None
    effect: EffectSent | None = None
    reply_to: ReplySent | None = None
    preferred_service: Service | None = None
    idempotency_key: Key | None = None

    @model_validator(mode="after")
    def check(self):
        return exactly_one(self, "parts", "experience")


class Sending(BaseModel):
    message: MessageContent
    override_optout: bool = False

    @model_validator(mode="before")
    @classmethod
    def check(cls, values):
        if isinstance(values, dict) and "idempotency_key" in values:
            # So that nobody believes that it works there.
            raise Problem(1003, "idempotency_key belongs into message.")
        return values


class NewChat(Sending):
    sender: Number = Field(alias="from")
    to: Handles


class Continuation(BaseModel):
    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


class NewMessage(Sending):
    to: Handles
    continuation_message: Continuation | None = None
    exclude_from: list[Number] = []


class MemoSent(BaseModel):
    voice_memo_url: WebAddress | None = None
    attachment_id: UUID | None = None
    override_optout: bool = False

    @model_validator(mode="after")
    def check(self):
        return exactly_one(self, "voice_memo_url", "attachment_id")


class EditSent(BaseModel):
    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    part_index: Annotated[int, Field(ge=0, le=99)] = 0


# What is answered.


class ChatHandle(BaseModel):
    id: UUID
    handle: str
    joined_at: datetime
    service: Service
    is_me: bool | None = None
    left_at: datetime | None = None
    line_type: Literal["iMessage", "RCS"] | None = None
    status: Literal["active", "left", "removed"] | None = None


class HealthStatus(BaseModel):
    status: Literal["HEALTHY", "AT_RISK", "CRITICAL", "OPTED_OUT"]
    doc_url: str
    updated_at: datetime


class Chat(BaseModel):
    id: UUID
    created_at: datetime
    updated_at: datetime
    display_name: str | None
    handles: list[ChatHandle]
    health_status: HealthStatus
    is_archived: bool
    is_group: bool
    group_chat_icon: str | None = None
    service: Service | None = None


class ChatPage(BaseModel):
    chats: list[Chat]
    next_cursor: str | None


class Sticker(BaseModel):
    url: str
    file_name: str
    mime_type: str
    width: int | None
    height: int | None


class Reaction(BaseModel):
    id: UUID | None = None
    type: Literal["love", "like", "dislike", "laugh", "emphasize", "question", "custom", "sticker"]
    handle: ChatHandle
    is_me: bool
    custom_emoji: str | None = None
    sticker: Sticker | None = None


class Part(BaseModel):
    """A text, a link, media, or what we keep as it came (cards of apps); with what stands on it."""

    model_config = {"extra": "allow"}
    type: str
    reactions: list[Reaction] | None


class Effect(BaseModel):
    type: str | None = None
    name: str | None = None


class ReplyTo(BaseModel):
    message_id: str
    part_index: int | None = None


class SentMessage(BaseModel):
    id: UUID
    created_at: datetime
    delivery_status: DeliveryStatus
    is_read: bool
    parts: list[Part]
    sent_at: datetime | None
    delivered_at: datetime | None = None
    effect: Effect | None = None
    from_handle: ChatHandle | None = None
    preferred_service: Service | None = None
    reply_to: ReplyTo | None = None
    service: Service | None = None


class Message(BaseModel):
    id: UUID
    chat_id: UUID
    created_at: datetime
    updated_at: datetime
    delivery_status: DeliveryStatus
    is_from_me: bool
    is_delivered: bool
    is_read: bool
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    reconciled_at: datetime | None = None
    parts: list[Part] | None = None
    sender: str | None = Field(None, alias="from")
    from_handle: ChatHandle | None = None
    effect: Effect | None = None
    reply_to: ReplyTo | None = None
    service: Service | None = None
    preferred_service: Service | None = None


class MessagePage(BaseModel):
    messages: list[Message]
    next_cursor: str | None


class MessageSentAnswer(BaseModel):
    chat_id: UUID
    message: SentMessage


class ChatMade(BaseModel):
    id: UUID
    display_name: str | None
    handles: list[ChatHandle]
    health_status: HealthStatus
    is_group: bool
    service: Service
    message: SentMessage


class ChatMadeAnswer(BaseModel):
    chat: ChatMade


class Selection(BaseModel):
    reason: Literal["reused_active_chat", "new_best_number", "failover_flagged"]
    reused_existing_chat: bool


class MessageMadeAnswer(BaseModel):
    chat_id: UUID
    created_new_chat: bool
    sender: str = Field(alias="from")
    from_selection: Selection
    handles: list[ChatHandle]
    is_group: bool
    message: SentMessage
    service: Service
    previous_chat_id: UUID | None = None


class MemoChat(BaseModel):
    id: UUID
    handles: list[ChatHandle]
    is_active: bool
    is_group: bool
    service: Service


class MemoFile(BaseModel):
    id: UUID
    filename: str
    mime_type: str
    size_bytes: int
    url: str
    duration_ms: int | None = None


class Memo(BaseModel):
    id: UUID
    chat: MemoChat
    created_at: datetime
    sender: str = Field(alias="from")
    to: list[str]
    status: str
    voice_memo: MemoFile
    service: Service | None = None


class MemoAnswer(BaseModel):
    voice_memo: Memo
