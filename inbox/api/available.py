"""The number to send from, for programs that choose it themselves (contract §6.1)."""

from ninja import Query, Router, Schema
from pydantic import BaseModel

from inbox.api.addresses import MOST, handles_in, numbers_in
from inbox.choosing import NoLine, choose_line
from lines import lending
from lines.api.auth import reads
from lines.api.schemas import E164
from lines.models import Line
from partyline.problems import Problem, answer
from partyline.shapes import answers

router = Router(tags=["Phone numbers"])
KINDS = {"imessage": "iMessage", "rcs": "RCS"}


class Wanted(Schema):
    to: list[str] = []
    exclude_from: list[str] = []
    type: str = ""


class AvailableNumber(BaseModel):
    phone_number: E164
    vcf_url: str


@router.get(
    "/available_number",
    response=answers(200, AvailableNumber),
    auth=reads,
    operation_id="available_number_retrieve",
)
def available_number(request, wanted: Query[Wanted]):
    """The best line to send from, and an address of its contact file that works for a day.

    With `to` the line on which there is a conversation with exactly them; else the one of those with the best
    reputation that was used longest ago. Nothing is reserved.
    """
    kind, lines = kind_named(wanted.type), request.token.lines
    to = handles_in(wanted.to, "to")
    exclude = numbers_in(wanted.exclude_from, "exclude_from")
    if len(to) > MOST:
        raise Problem(1005, f"to: {MOST} recipients are the most.")
    try:
        line = choose_line(lines, to, exclude=exclude, type=kind, leaves_excluded=True).line
    except NoLine as error:
        raise Problem(4004, error.sentence) from error
    others = lines.filter(status__in=Line.WORKING).exclude(pk=line.pk).exclude(phone_number__in=exclude)
    others = others.filter(line_type=kind) if kind else others
    backups = list(others.order_by("name", "phone_number")[: lending.BACKUPS])
    return answer({"phone_number": line.phone_number, "vcf_url": lending.lend(line, backups)})


def kind_named(type):
    if type and type.lower() not in KINDS:
        raise Problem(1005, "type: it is iMessage or RCS.")
    return KINDS.get(type.lower(), "")
