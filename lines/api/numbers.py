"""Phone numbers (contract §6.1)."""

from ninja import Router

from lines.api.auth import reads
from lines.api.schemas import NumberList, OldNumberList
from partyline.problems import answer

router = Router(tags=["Phone numbers"])
REPUTATION_DOC = "https://docs.linqapp.com/channel/imessage/guides/phone-numbers/reputation"
# As the seed asks for them; a line says only where it differs.
CAPABILITIES = {"sms": True, "mms": True, "voice": False}


def lines_of(token):
    return token.lines.order_by("created_at", "pk")


@router.get(
    "/phonenumbers", response=OldNumberList, auth=reads, operation_id="phonenumbers_list", deprecated=True
)
def old_numbers(request):
    """The numbers of this environment, with the fields of the seed."""
    return answer({"phone_numbers": [old_number(line) for line in lines_of(request.token)]})


@router.get("/phone_numbers", response=NumberList, auth=reads, operation_id="phone_numbers_list")
def numbers(request):
    """The numbers of this environment, with their reputation."""
    return answer({"phone_numbers": [number(line) for line in lines_of(request.token)]})


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
        "forwarding_number": None,
        "line_type": line.line_type,
    }
