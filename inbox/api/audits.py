"""Why the reputation of a line is what it is (contract §6.1)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from ninja import Router
from pydantic import BaseModel

from inbox.api.access import line_of
from inbox.api.addresses import Number
from inbox.models import Chat
from lines.api.auth import manages, reads
from lines.models import ReputationAudit
from partyline.problems import Problem, answer
from partyline.shapes import answers

router = Router(tags=["Phone numbers"])
Status = Literal["pending", "complete", "error"]


class Started(BaseModel):
    audit_id: UUID
    status: Status


class Driver(BaseModel):
    key: str | None = None
    summary: str | None = None
    metric: str | None = None


class ActionItem(BaseModel):
    """`priority` 1 is to be done first."""

    priority: int | None = None
    title: str | None = None
    detail: str | None = None
    expected_impact: Literal["high", "medium", "low"] | None = None


class UnhealthyChat(BaseModel):
    chat_id: UUID
    status: Literal["AT_RISK", "CRITICAL", "OPTED_OUT"] | None = None
    driver_keys: list[str] | None = None


class OptOutChat(BaseModel):
    chat_id: UUID
    messages_after_stop: int | None = None


class Evidence(BaseModel):
    unhealthy_chats: list[UnhealthyChat] | None = None
    opt_out_chats: list[OptOutChat] | None = None


class Report(BaseModel):
    severity: Literal["HEALTHY", "AT_RISK", "CRITICAL"] | None = None
    primary_driver: str | None = None
    drivers: list[Driver] | None = None
    action_items: list[ActionItem] | None = None
    evidence: Evidence | None = None
    summary_markdown: str | None = None


class Audit(Started):
    phone: Number | None = None
    generated_at: datetime | None = None
    report: Report | None = None
    error: str | None = None


@router.post(
    "/phone_numbers/{phone_number}/reputation_audit",
    response=answers(202, Started, 404, 429),
    auth=manages,
    operation_id="phone_numbers_start_reputation_audit",
)
def start_reputation_audit(request, phone_number: Number):
    """Have the carrier look into the reputation of a number. While it does, the same audit is answered again."""
    audit = ReputationAudit.start(line_of(request, phone_number), by=request.token.actor)
    return answer({"audit_id": audit.pk, "status": audit.status}, 202)


@router.get(
    "/phone_numbers/{phone_number}/reputation_audit/{audit_id}",
    response=answers(200, Audit, 404),
    auth=reads,
    operation_id="phone_numbers_get_reputation_audit",
)
def reputation_audit(request, phone_number: Number, audit_id: UUID):
    """How far it is: ask again until it is complete, or ended in an error."""
    line = line_of(request, phone_number)
    found = ReputationAudit.objects.filter(line=line, pk=audit_id).first()
    if found is None:
        raise Problem(2019, "There is no such audit of this number.")
    found.line = line
    found.learn()
    return answer(shape(found))


def shape(audit):
    told = {"audit_id": audit.pk, "status": audit.status, "phone": audit.line.phone_number}
    if audit.status == ReputationAudit.Status.COMPLETE:
        told |= {"generated_at": audit.generated_at, "report": with_our_chats(audit)}
    if audit.status == ReputationAudit.Status.ERROR:
        told["error"] = audit.error
    return told


def with_our_chats(audit):
    """The report, in which the carrier's ids of chats are ours; what we do not mirror is left out."""
    evidence = (audit.report or {}).get("evidence") or {}
    lists = {name: rows or [] for name, rows in evidence.items() if isinstance(rows, list | None)}
    named = {row.get("chat_id") for rows in lists.values() for row in rows}
    chats = Chat.objects.filter(environment=audit.line.environment_id, line=audit.line, external_id__in=named)
    ours = dict(chats.values_list("external_id", "pk"))
    kept = {
        name: [row | {"chat_id": ours[row["chat_id"]]} for row in rows if row.get("chat_id") in ours]
        for name, rows in lists.items()
    }
    return (audit.report or {}) | {"evidence": kept}
