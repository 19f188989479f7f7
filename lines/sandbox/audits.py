"""What the carrier finds out about the reputation of one of our numbers (contract §6.1)."""

from datetime import UTC, datetime, timedelta

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from lines.gateways.base import PermanentFailure
from lines.models.consent import consent_in
from lines.models.sandbox import SandboxAudit, SandboxChat, SandboxMessage
from lines.sandbox.asked import once

TAKES, AGAIN_AFTER, READABLE_FOR = timedelta(seconds=2), timedelta(minutes=1), timedelta(hours=24)
LOOKS_BACK = timedelta(days=30)
# How many messages of ours in a row, without a word of theirs, make a conversation one-sided.
AT_RISK, CRITICAL = 3, 6
# Which share of the conversations may be so; fewer conversations than FEW say nothing.
SHARE_AT_RISK, SHARE_CRITICAL, FEW = 0.2, 0.5, 3
NEW_CHATS, A_DAY = 50, 7_000
# A day is a spike from so many times the mean of the week before, and from so many messages.
SPIKE, LEAST_SPIKE = 3, 50
SHOWN = 15
SEVERITIES = ["HEALTHY", "AT_RISK", "CRITICAL"]
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

# What to do about each driver: title, detail, what it is expected to help.
ACTIONS = {
    "opt_out_handling": (
        "Stop writing to people who asked to stop",
        "Send nothing to them unless they write again.",
        "high",
    ),
    "overall_conversation_health": (
        "Mend one-sided conversations",
        "Pause where nobody answers, and begin with what invites an answer.",
        "high",
    ),
    "new_conversation_rate": (
        "Begin fewer conversations in a day",
        f"Spread new conversations out; {NEW_CHATS} in a day are the most that is advised.",
        "medium",
    ),
    "volume_spike": (
        "Raise the volume gradually",
        "Write first to people who have answered, and spread the rest over other lines.",
        "medium",
    ),
}
NOTHING_TO_DO = ("Go on as you do", "Nothing drags this line down.", "low")


def start(environment, line_number):
    """The id of the audit that runs, or of a new one; 1007 where the last was made just now."""
    now = timezone.now()
    last = SandboxAudit.objects.filter(environment=environment, line_number=line_number)
    last = last.order_by("-started_at").first()
    if last is not None and now < last.started_at + TAKES:
        return str(last.pk)
    once(environment, f"audit {line_number}", every=AGAIN_AFTER)
    return str(SandboxAudit.objects.create(environment=environment, line_number=line_number).pk)


def look(environment, line_number, audit_id):
    """How far it is, as V3 has it. 2019 where there is none of this number, or none any more."""
    now = timezone.now()
    audits = SandboxAudit.objects.filter(environment=environment, line_number=line_number)
    audit = audits.filter(pk=audit_id, started_at__gt=now - READABLE_FOR).first()
    if audit is None:
        raise PermanentFailure("The carrier knows no such audit", code=2019)
    if now < audit.started_at + TAKES:
        return {"audit_id": audit_id, "status": "pending"}
    if audit.report is None:
        audit.report, audit.generated_at = report_on(environment, line_number, now), now
        audit.save(update_fields=["report", "generated_at"])
    return {
        "audit_id": audit_id,
        "status": "complete",
        "phone": line_number,
        "generated_at": audit.generated_at.isoformat(),
        "report": audit.report,
    }


def report_on(environment, line_number, now):
    chats = SandboxChat.objects.filter(environment=environment, line_number=line_number)
    judged = [judge(chat) for chat in talked_of(chats, now)]
    unhealthy = [one for one in judged if one["status"] != "HEALTHY"]
    unhealthy.sort(key=lambda one: -one["unanswered"])
    drivers = sorted(
        [
            *opt_outs(unhealthy),
            *one_sided(judged, unhealthy),
            *new_conversations(chats, now),
            *volume(environment, line_number, now),
        ],
        key=lambda driver: -SEVERITIES.index(driver["severity"]),
    )
    severity = drivers[0]["severity"] if drivers else "HEALTHY"
    report = {
        "severity": severity,
        "primary_driver": drivers[0]["key"] if drivers else "",
        "drivers": [{name: driver[name] for name in ("key", "summary", "metric")} for driver in drivers],
        "action_items": actions([driver["key"] for driver in drivers]),
        "evidence": evidence(unhealthy),
    }
    return report | {"summary_markdown": in_markdown(line_number, report)}


def talked_of(chats, now):
    """The conversations with one person into which we wrote lately: `sent`, and `unanswered` since their last word."""
    theirs = SandboxMessage.objects.filter(chat=OuterRef("pk"), handset__isnull=False).order_by("-created_at")
    chats = chats.filter(is_group=False, updated_at__gt=now - LOOKS_BACK).annotate(
        heard_at=Coalesce(Subquery(theirs.values("created_at")[:1]), NEVER),
        last_words=Subquery(theirs.values("parts")[:1]),
    )
    ours = Q(messages__handset=None, messages__created_at__gt=now - LOOKS_BACK)
    return chats.annotate(
        sent=Count("messages", filter=ours),
        unanswered=Count("messages", filter=ours & Q(messages__created_at__gt=F("heard_at"))),
    ).filter(sent__gt=0)


def judge(chat):
    said = next((part["value"] for part in chat.last_words or () if part["type"] == "text"), "")
    keys = ["low_engagement"] if chat.unanswered >= AT_RISK else []
    status = "CRITICAL" if chat.unanswered >= CRITICAL else "AT_RISK" if keys else "HEALTHY"
    if consent_in(said) == "stop":
        status, keys = "OPTED_OUT", ["opt_out_handling"]
    return {"chat_id": str(chat.pk), "status": status, "driver_keys": keys, "unanswered": chat.unanswered}


def evidence(unhealthy):
    after_stop = [one for one in unhealthy if one["status"] == "OPTED_OUT" and one["unanswered"]]
    return {
        "unhealthy_chats": [
            {name: one[name] for name in ("chat_id", "status", "driver_keys")} for one in unhealthy[:SHOWN]
        ],
        "opt_out_chats": [
            {"chat_id": one["chat_id"], "messages_after_stop": one["unanswered"]}
            for one in after_stop[:SHOWN]
        ],
    }


def driver(key, severity, summary, metric):
    return {"key": key, "severity": severity, "summary": summary, "metric": metric}


def opt_outs(unhealthy):
    after = [one["unanswered"] for one in unhealthy if one["status"] == "OPTED_OUT" and one["unanswered"]]
    if after:
        yield driver(
            "opt_out_handling",
            "CRITICAL",
            "People were written to after they asked to stop.",
            f"{sum(after)} messages to {len(after)} people after they asked to stop",
        )


def one_sided(judged, unhealthy):
    bad = [one for one in unhealthy if one["status"] != "OPTED_OUT"]
    share = len(bad) / len(judged) if len(judged) >= FEW else 0
    if share >= SHARE_AT_RISK:
        yield driver(
            "overall_conversation_health",
            "CRITICAL" if share >= SHARE_CRITICAL else "AT_RISK",
            "Many conversations are one-sided: several messages of yours and no answer.",
            f"{len(bad)} of {len(judged)} conversations ({share:.0%})",
        )


def new_conversations(chats, now):
    begun = chats.filter(created_at__gt=now - timedelta(days=1)).count()
    if begun > NEW_CHATS:
        yield driver(
            "new_conversation_rate",
            "AT_RISK",
            "More conversations were begun in a day than is good for a line.",
            f"{begun} in 24 hours; {NEW_CHATS} are advised",
        )


def volume(environment, line_number, now):
    day, week = now - timedelta(days=1), now - timedelta(days=8)
    ours = SandboxMessage.objects.filter(
        environment=environment, chat__line_number=line_number, handset=None, created_at__gt=week
    )
    counts = ours.aggregate(
        today=Count("pk", filter=Q(created_at__gt=day)), before=Count("pk", filter=Q(created_at__lte=day))
    )
    today, mean = counts["today"], counts["before"] / 7
    if today > A_DAY or today >= max(LEAST_SPIKE, SPIKE * mean):
        yield driver(
            "volume_spike",
            "AT_RISK",
            "Far more was sent in a day than this line is used to.",
            f"{today} in 24 hours; {mean:.0f} a day in the week before",
        )


def actions(keys):
    said = [ACTIONS[key] for key in keys] or [NOTHING_TO_DO]
    return [
        {"priority": priority, "title": title, "detail": detail, "expected_impact": impact}
        for priority, (title, detail, impact) in enumerate(said, 1)
    ]


def in_markdown(line_number, report):
    """The same, for people and for programs that read."""
    drivers = [f"- **{one['key']}**: {one['summary']} {one['metric']}." for one in report["drivers"]]
    steps = [f"{one['priority']}. {one['title']}. {one['detail']}" for one in report["action_items"]]
    return "\n".join(
        [f"# Reputation of {line_number}: {report['severity']}", "", *drivers, *[""][: len(drivers)], *steps]
    )
