"""What programs send and get of lines (contract §6.1)."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, StringConstraints


def storable(text):
    if text and "\0" in text:
        raise ValueError("it cannot hold the character NUL")
    return text


# For texts that are kept as they come.
Storable = AfterValidator(storable)
E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{1,14}$")]


class Capabilities(BaseModel):
    sms: bool
    mms: bool
    voice: bool


class OldNumber(BaseModel):
    id: UUID
    phone_number: E164
    status: Literal["active", "warming", "flagged", "paused"]
    type: str
    country_code: str
    capabilities: Capabilities


class OldNumberList(BaseModel):
    phone_numbers: list[OldNumber]


class Reputation(BaseModel):
    status: Literal["HEALTHY", "AT_RISK", "CRITICAL"]
    doc_url: str


class Number(BaseModel):
    id: UUID
    phone_number: E164
    reputation: Reputation
    forwarding_number: E164 | None
    line_type: Literal["iMessage", "RCS"]


class NumberList(BaseModel):
    phone_numbers: list[Number]


class Forwarding(BaseModel):
    forwarding_number: E164 | Literal[""] | None


class ForwardedNumber(BaseModel):
    id: UUID
    phone_number: E164
    forwarding_number: E164 | None
