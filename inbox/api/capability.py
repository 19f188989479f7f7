"""What somebody can get, asked of the carrier at once (contract §6.6)."""

from typing import Annotated, Literal

from ninja import Router
from pydantic import AfterValidator, BaseModel, Field

from inbox.api.addresses import Number, handle_in
from inbox.models import Handle
from lines import gateways
from lines.api.auth import reads
from lines.gateways import TemporaryFailure
from lines.models import Line
from partyline.problems import Problem, answer
from partyline.shapes import answers

router = Router(tags=["Capability"])
# Nobody can say now; of neither is it known that they cannot get it.
SILENCE = {"iMessage": 4004, "RCS": 4010}
# What the carrier says of the question itself.
TOLD = (1007, 4004, 4009, 4010)


def phone_in(text):
    if "@" in text:
        raise ValueError("RCS has no e-mail addresses")
    return handle_in(text)


class Asked(BaseModel):
    address: Annotated[str, Field(max_length=254), AfterValidator(handle_in)]
    sender: Number | None = Field(None, alias="from")


class AskedForRcs(Asked):
    address: Annotated[str, Field(max_length=254), AfterValidator(phone_in)]


class Checked(BaseModel):
    address: str
    available: bool
    reason: Literal["not_supported"] | None = None
    selected_service: Literal["iMessage", "RCS", "SMS"] | None = None


@router.post(
    "/capability/check_imessage",
    response=answers(200, Checked, 429),
    auth=reads,
    operation_id="capability_check_imessage",
)
def check_imessage(request, data: Asked):
    """Whether an address gets iMessage. The carrier is asked once in ten seconds at most."""
    return check(request, data, "iMessage")


@router.post(
    "/capability/check_rcs",
    response=answers(200, Checked, 429),
    auth=reads,
    operation_id="capability_check_rcs",
)
def check_rcs(request, data: AskedForRcs):
    """Whether a phone gets RCS. 503 means that nobody knows, never that it does not."""
    return check(request, data, "RCS")


def check(request, data, service):
    line = line_for(request, data.sender)
    handle = Handle.objects.filter(environment=request.environment, value=data.address).first()
    handle = handle or Handle(environment=request.environment, value=data.address)
    if wait := handle.wait_to_ask():
        raise Problem(
            1007,
            f"The carrier answers one such question in 10 seconds; ask again in {wait}.",
            retry_after=wait,
        )
    said = ask(request.environment, data.address, service, line=line.phone_number)
    if said is None:
        raise Problem(SILENCE[service], "The carrier cannot say now. That is no answer about the recipient.")
    handle.hear_capability(service, said)
    found = {"address": data.address, "available": said}
    if carrier := handle.reached_by or (service == "RCS" and not said and "SMS"):
        found["selected_service"] = carrier
    return answer(found if said else found | {"reason": "not_supported"})


def ask(environment, address, service, *, line):
    """The carrier's word; None where it has none, or did not answer in time: neither is one about the recipient."""
    gateway = gateways.for_environment(environment)
    check = gateway.check_imessage if service == "iMessage" else gateway.check_rcs
    try:
        return check(address, line=line)
    except TemporaryFailure as failure:
        if failure.code in TOLD:
            raise
        return None


def line_for(request, number):
    lines = request.token.lines
    if number is None:
        line = lines.filter(status__in=Line.WORKING).order_by("created_at", "pk").first()
        if line is None:
            raise Problem(4004, "There is no line that can ask now.")
        return line
    line = lines.filter(phone_number=number).first()
    if line is None:
        raise Problem(2006, f"from: {number} is no number of yours.")
    return line
