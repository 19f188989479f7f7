"""What programs send and get of webhook subscriptions (contract §6.5)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from lines.api.schemas import E164
from webhooks import events

# As many as there are lines in an environment, and more.
Numbers = Annotated[list[E164], Field(max_length=1000)]
Url = Annotated[str, Field(min_length=1, max_length=2048)]
EventType = Literal[events.ALL]
EventTypes = Annotated[list[EventType], Field(min_length=1, max_length=200)]
Header = Annotated[str, Field(max_length=100)]


class EventList(BaseModel):
    events: list[EventType]
    doc_url: Literal[events.DOC]


class NewSubscription(BaseModel):
    target_url: Url
    subscribed_events: EventTypes
    phone_numbers: Numbers | None = None
    routing_key_header: Header | None = None
    routing_id_header: Header | None = None


class SubscriptionChanges(BaseModel):
    """What is left out stays as it is; null or nothing clears what may be empty."""

    target_url: Url = Field(default=None)
    subscribed_events: EventTypes = Field(default=None)
    is_active: bool = Field(default=None)
    phone_numbers: Numbers | None = None
    routing_key_header: Header | None = None
    routing_id_header: Header | None = None


class Subscription(BaseModel):
    id: UUID
    target_url: str
    subscribed_events: list[EventType]
    is_active: bool
    phone_numbers: list[E164] | None
    routing_key_header: str | None
    routing_id_header: str | None
    created_at: datetime
    updated_at: datetime


class SubscriptionWithSecret(Subscription):
    signing_secret: str


class SubscriptionList(BaseModel):
    subscriptions: list[Subscription]
