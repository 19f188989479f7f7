"""How lines present themselves to iPhones (contract §6.8)."""

from typing import Annotated

from ninja import Router
from pydantic import BaseModel, Field

from inbox.api.access import line_of
from inbox.api.addresses import Number, numbers_in
from inbox.api.pictures import card_picture
from inbox.api.schemas import WebAddress
from lines.api.auth import manages, reads
from lines.models import ContactCard
from lines.models.contact_card import UNCHANGED
from partyline import limits
from partyline.problems import Problem, answer
from partyline.shapes import answers

router = Router(tags=["Contact card"])
# POST and PATCH together, of one number; seconds.
CALLS, WITHIN = 3, 600
# What the carrier says where it is asked too often.
BUSY = (1007, 4004)
Name = Annotated[str, Field(max_length=60)]


class NewCard(BaseModel):
    phone_number: Number
    first_name: Annotated[Name, Field(min_length=1)]
    last_name: Name | None = None
    image_url: WebAddress | None = None


class CardChange(BaseModel):
    """What is not said stays. The number stands here, or in the address."""

    phone_number: Number | None = None
    first_name: Annotated[Name, Field(min_length=1)] | None = None
    last_name: Name | None = None
    image_url: WebAddress | None = None


class Card(BaseModel):
    phone_number: str
    first_name: str
    is_active: bool
    last_name: str | None = None
    image_url: str | None = None


class CardList(BaseModel):
    contact_cards: list[Card]


def card_shape(card):
    return {
        "phone_number": card.line.phone_number,
        "first_name": card.first_name,
        "last_name": card.last_name or None,
        "image_url": card.image_url or None,
        "is_active": card.is_applied,
    }


@router.get(
    "/contact_card", response=answers(200, CardList, 404), auth=reads, operation_id="contact_card_retrieve"
)
def contact_cards(request, phone_number: str = ""):
    """The cards of all lines, or of one."""
    cards = ContactCard.objects.filter(line__in=request.token.lines).select_related("line")
    if phone_number:
        (number,) = numbers_in([phone_number], "phone_number") or [""]
        cards = cards.filter(line=line_of(request, number))
    cards = cards.order_by("line__created_at", "line")
    return answer({"contact_cards": [card_shape(card) for card in cards]})


@router.post(
    "/contact_card",
    response=answers(201, Card, 404, 409, 429),
    auth=manages,
    operation_id="contact_card_create",
)
def create(request, data: NewCard):
    """Make the card of a number, once. Answers when the carrier has it."""
    card = ContactCard.of(line_of(request, data.phone_number))
    if card.is_applied:
        raise Problem(2014, f"{data.phone_number} has a contact card already. Change it by PATCH.")
    return answer(card_shape(put(request, card, data)), 201)


@router.patch(
    "/contact_card",
    response=answers(200, Card, 404, 409, 429),
    auth=manages,
    operation_id="contact_card_update",
)
def update(request, data: CardChange, phone_number: Number | None = None):
    """Change the card of a number. Answers when the carrier has it."""
    number = data.phone_number or phone_number
    if number is None:
        raise Problem(1001, "phone_number is required.")
    card = ContactCard.of(line_of(request, number))
    if card._state.adding:
        raise Problem(2012, f"{number} has no contact card yet.")
    return answer(card_shape(put(request, card, data)))


def put(request, card, data):
    """The card as it is to be, at the carrier."""
    if wait := limits.spend(f"card-{card.line_id}", times=CALLS, within=WITHIN):
        raise Problem(1007, f"A card is changed {CALLS} times in 10 minutes.", retry_after=wait)
    said = data.model_dump(include={"first_name", "last_name"}, exclude_none=True)
    picture = card_picture(request, data.image_url) if data.image_url else UNCHANGED
    card.put_now(by=request.token.actor, picture=picture, **said)
    if card.is_applied:
        return card
    if card.error_code in BUSY:
        raise Problem(4004, "The carrier takes no more changes now. Wait before you try again.")
    raise Problem(2022, "The carrier did not take the card. Try again.")
