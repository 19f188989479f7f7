"""Phone numbers (contract §6.1)."""

from uuid import UUID

from ninja import Router

from lines.api.auth import manages, reads
from lines.api.schemas import ForwardedNumber, Forwarding, NumberList, OldNumberList
from partyline.problems import Problem, answer
from partyline.shapes import answers

router = Router(tags=["Phone numbers"])
REPUTATION_DOC = "https://docs.linqapp.com/channel/imessage/guides/phone-numbers/reputation"
# As the seed asks for them; a line says only where it differs.
CAPABILITIES = {"sms": True, "mms": True, "voice": False}


def lines_of(token):
    return token.lines.order_by("created_at", "pk")


@router.get(
    "/phonenumbers",
    response=answers(200, OldNumberList),
    auth=reads,
    operation_id="phonenumbers_list",
    deprecated=True,
)
def old_numbers(request):
    """The numbers of this environment, in the older shape."""
    return answer({"phone_numbers": [old_number(line) for line in lines_of(request.token)]})


@router.get(
    "/phone_numbers", response=answers(200, NumberList), auth=reads, operation_id="phone_numbers_list"
)
def numbers(request):
    """The numbers of this environment, with their reputation."""
    return answer({"phone_numbers": [number(line) for line in lines_of(request.token)]})


@router.put(
    "/phone_numbers/{phone_number_id}",
    response=answers(200, ForwardedNumber, 404),
    auth=manages,
    operation_id="phone_numbers_update",
)
def update(request, phone_number_id: UUID, data: Forwarding):
    """Say where calls to a number of yours go; null or "" is nowhere."""
    line = request.token.lines.filter(pk=phone_number_id).first()
    if line is None:
        raise Problem(2019, "There is no such phone number.")
    if data.forwarding_number == line.phone_number:
        raise Problem(1005, "forwarding_number: a number cannot forward calls to itself.")
    line.forward_to(data.forwarding_number or "", by=request.token.actor)
    forwards = {"forwarding_number": line.forwarding_number or None}
    return answer({"id": line.pk, "phone_number": line.phone_number} | forwards)


def old_number(line):
    return {
        "id": line.pk,
        "phone_number": line.phone_number,
        "status": line.status,
        "type": line.line_type,
        "country_code": line.country,
        "capabilities": CAPABILITIES | line.capabilities,
    }


def number(line):
    return {
        "id": line.pk,
        "phone_number": line.phone_number,
        "reputation": {
            "status": line.reputation,
            "doc_url": f"{REPUTATION_DOC}#{line.reputation.lower().replace('_', '-')}",
        },
        "forwarding_number": line.forwarding_number or None,
        "line_type": line.line_type,
    }
