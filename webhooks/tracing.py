"""One id, from the request to the last receipt: everything that is known of it, on one timeline, without what was said."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from inbox.models import Errand, Message
from inbox.models.contact import normal_handle
from inbox.search.numbers import PHONE

# Of each kind of row that belongs to one story.
MOST = 200
CHOICES = 10
OURS, CARRIER, PROGRAMS = "ours", "carrier", "programs"
LANES = [("", "All"), (OURS, "Ours"), (CARRIER, "Carrier"), (PROGRAMS, "Programs")]
# The states of a message: its column, what is said of it, whose doing it is, its icon.
STATES = [
    ("queued_at", "Message queued", OURS, "database", ""),
    ("accepted_at", "Taken by the carrier", CARRIER, "send", ""),
    ("sent_at", "Message sent", CARRIER, "check", ""),
    ("delivered_at", "Message delivered", CARRIER, "check-check", "good"),
    ("read_at", "Message read", CARRIER, "eye", "good"),
    ("failed_at", "Message failed", CARRIER, "circle-alert", "danger"),
    ("edited_at", "Message edited", OURS, "pencil", ""),
    ("deleted_at", "Message deleted here", OURS, "trash-2", "warning"),
]
VERDICTS = {
    "allow": ("allowed", ""),
    "warn": ("allowed, with a warning", "warning"),
    "hold": ("held", "warning"),
    "refuse": ("refused", "danger"),
}
# What the states above say already.
TOLD_BY_STATES = (
    "message.sent",
    "message.received",
    "message.delivered",
    "message.read",
    "message.failed",
    "message.edited",
)


@dataclass
class Step:
    """`what` happened, `words` and `small` say more; `took` in milliseconds; `href` names a page that shows it."""

    at: datetime
    lane: str
    icon: str
    what: str
    words: str = ""
    small: str = ""
    state: str = ""
    took: float | None = None
    page: tuple = ()
    since: float = 0

    @property
    def offset(self):
        """Since the first step, for people."""
        if self.since < 1:
            return f"+{self.since * 1000:.0f} ms"
        return f"+{self.since:.1f} s" if self.since < 100 else f"+{self.since / 60:.0f} min"

    @property
    def as_json(self):
        said = {"at": self.at.isoformat(), "lane": self.lane, "what": f"{self.what} {self.words}".strip()}
        return said | {
            "more": self.small,
            "state": self.state or "neutral",
            "took_ms": self.took and round(self.took),
        }


@dataclass
class Story:
    """What belongs to what was typed; `choices` are messages where it names several."""

    typed: str
    messages: list = field(default_factory=list)
    choices: list = field(default_factory=list)
    steps: list = field(default_factory=list)
    traces: set = field(default_factory=set)

    @property
    def message(self):
        return self.messages[0] if len(self.messages) == 1 else None

    @property
    def found(self):
        return bool(self.steps or self.choices)

    @property
    def seconds(self):
        """From the first step to the last."""
        return (self.steps[-1].at - self.steps[0].at).total_seconds() if self.steps else 0

    def bundle(self, environment):
        """Everything of it that somebody who helps may see: ids, times, states and errors; nobody's words."""
        return {
            "partyline": "support bundle",
            "made_at": timezone.now().isoformat(),
            "asked_for": self.typed,
            "environment": {
                "slug": environment.slug,
                "carrier": environment.carrier,
                "is_production": environment.is_production,
            },
            "trace_ids": sorted(self.traces),
            "messages": [facts_of(message) for message in self.messages],
            "steps": [step.as_json for step in self.steps],
        }


def facts_of(message):
    times = {name: getattr(message, name) for name, *_ in STATES}
    return {
        "id": str(message.pk),
        "external_id": message.external_id,
        "chat_id": str(message.chat_id),
        "direction": message.direction,
        "service": message.service,
        "preferred_service": message.preferred_service,
        "state": message.state,
        "idempotency_key": message.idempotency_key,
        "error_code": message.error_code,
        "error": message.error,
    } | {name: at and at.isoformat() for name, at in times.items()}


def story_of(typed, environment):
    """What is known of an id: a trace_id, an event_id, a message (ours, the carrier's, its idempotency_key), a number."""
    typed = typed.strip().strip("<>\"'“”,;")
    story = Story(typed)
    if not typed or len(typed) > 255:
        return story
    pk = uuid_in(typed)
    story.traces = {typed.lower()} if re.fullmatch(r"[0-9a-fA-F]{32}", typed) else set()
    events = list(environment.events.filter(event_id=pk)[:1]) if pk else []
    story.traces |= {event.trace_id for event in events}
    receipts = environment.receipts.filter(event_id=typed).values_list("trace_id", flat=True)[:MOST]
    deliveries = (
        environment.deliveries.filter(event_id=pk).values_list("trace_id", flat=True)[:1] if pk else []
    )
    story.traces |= set(receipts) | set(deliveries)
    messages = messages_by(typed, pk, environment)
    if not messages and story.traces:
        events = list(environment.events.filter(trace_id__in=story.traces).order_by("id")[:MOST])
        ids = dict.fromkeys(event.message_id for event in events if event.message_id)
        messages = list(with_people(environment).filter(pk__in=list(ids)[:CHOICES]))
    story.messages = messages
    told(story, environment, pk)
    if not story.steps and (address := address_in(typed, environment)):
        story.choices = with_address(address, environment)
    return story


def with_people(environment):
    return Message.objects.filter(environment=environment).select_related(
        "author", "sender__contact", "chat__line"
    )


def messages_by(typed, pk, environment):
    named = Q(external_id=typed) | Q(idempotency_key=typed)
    return list(with_people(environment).filter(named | Q(pk=pk) if pk else named)[:CHOICES])


def with_address(address, environment):
    """The newest messages of the conversations with this person alone."""
    chats = environment.chats.filter(participants__handle__value=address, is_group=False)
    chats = list(chats.order_by("-last_activity_at").values_list("pk", flat=True)[:CHOICES])
    return list(with_people(environment).filter(chat__in=chats).order_by("-at", "-pk")[:CHOICES])


def address_in(typed, environment):
    if not PHONE.fullmatch(typed) and "@" not in typed:
        return None
    countries = environment.lines.order_by("created_at").values_list("country", flat=True)[:1]
    try:
        return normal_handle(typed, *countries)
    except ValidationError:
        return None


def uuid_in(text):
    try:
        return UUID(text)
    except ValueError:
        return None


def told(story, environment, event_id):
    """Give the story its steps, in order."""
    ids = [message.pk for message in story.messages]
    chats = {message.chat_id for message in story.messages}
    story.traces |= {message.trace_id for message in story.messages if message.trace_id}
    about = Q(chat_id__in=chats, message_id__in=ids) if ids else Q()
    about |= Q(trace_id__in=story.traces) if story.traces else Q()
    events = []
    if about:
        events = list(environment.events.filter(about).select_related("actor").order_by("id")[:MOST])
    story.traces |= {event.trace_id for event in events}
    requests = environment.requests.filter(trace_id__in=story.traces).select_related("token").order_by("id")
    receipts = environment.receipts.filter(trace_id__in=story.traces).defer("body", "headers").order_by("pk")
    wanted = Q(event_id__in=[event.event_id for event in events]) | Q(event_id=event_id)
    deliveries = (
        environment.deliveries.filter(wanted).select_related("subscription").prefetch_related("attempts")
    )
    errands = Errand.objects.filter(message__in=ids).select_related("author").order_by("pk")
    steps = [
        *(of_request(one) for one in requests[:MOST]),
        *(step for message in story.messages for step in of_message(message, environment)),
        *(of_event(one) for one in events if one.type not in TOLD_BY_STATES),
        *(of_errand(one, environment) for one in errands[:MOST]),
        *(of_receipt(one) for one in receipts[:MOST]),
        *(of_delivery(one) for one in deliveries.order_by("pk")[:MOST]),
    ]
    story.steps = sorted(steps, key=lambda step: step.at)
    for step in story.steps:
        step.since = (step.at - story.steps[0].at).total_seconds()


def of_request(request):
    refused = f", {request.code}" if request.code else ""
    # It is written down when it is answered.
    began = request.at - timedelta(milliseconds=request.milliseconds)
    return Step(
        began,
        PROGRAMS,
        "code-xml",
        "Request",
        f"{request.method} {request.path}",
        f"with the key {request.token}; answered {request.status}{refused}",
        "danger" if request.status >= 400 else "",
        request.milliseconds,
    )


def of_message(message, environment):
    if message.is_inbound:
        yield Step(
            message.created_at, CARRIER, "message-circle", "Message received", f"on {message.chat.line}"
        )
    elif message.queued_at or message.verdict:
        # Where nothing is noted, it was let through.
        words, state = VERDICTS.get(message.verdict.get("action"), ("allowed", ""))
        rule = message.verdict.get("rule", "")
        small = " · ".join(filter(None, [message.verdict.get("reason", ""), rule]))
        yield Step(
            message.queued_at or message.at, OURS, "scale", f"Guard: {words}", small=small, state=state
        )
    for name, words, lane, icon, state in STATES:
        at = getattr(message, name)
        if at and not (message.is_inbound and name == "sent_at"):
            yield Step(at, lane, icon, words, small=more_of(message, name, environment), state=state)


def more_of(message, name, environment):
    if name == "queued_at":
        return f"by {message.author}" if message.author else ""
    if name == "accepted_at":
        tries = f", at try {message.tries}" if message.tries > 1 else ""
        return f"{environment.get_carrier_display()}’s id {message.external_id}{tries}"
    if name == "failed_at":
        return " ".join(
            filter(None, [message.error, f"({message.error_code})" if message.error_code else ""])
        )
    return f"by {message.service}" if name == "sent_at" and message.service else ""


def of_event(event):
    return Step(
        event.created_at,
        OURS,
        "history",
        "Event",
        event.type,
        f"number {event.sequence}" + (f", by {event.actor}" if event.actor else ""),
    )


def of_errand(errand, environment):
    words = errand.kind.replace("_", " ")
    if errand.failed_at:
        return Step(
            errand.failed_at,
            CARRIER,
            "circle-alert",
            f"{environment.get_carrier_display()} refused to",
            words,
            errand.error,
            "danger",
        )
    small = f"by {errand.author}" if errand.author else ""
    end = errand.answered_at or errand.accepted_at
    return Step(
        errand.queued_at,
        OURS,
        "plug",
        f"{environment.get_carrier_display()} asked to",
        words,
        small if end else f"{small}, waiting".strip(", "),
        took=end and (end - errand.queued_at).total_seconds() * 1000,
    )


def of_receipt(receipt):
    state = {"parked": "danger", "awaiting": "warning", "pending": "warning"}.get(receipt.state, "")
    took = receipt.applied_at and (receipt.applied_at - receipt.received_at).total_seconds() * 1000
    small = f"receipt {receipt.pk}, {receipt.get_state_display().lower()}"
    return Step(
        receipt.received_at,
        CARRIER,
        "webhook",
        "Received",
        receipt.event_type,
        small,
        state,
        took,
        ("receipt", receipt.pk),
    )


def of_delivery(delivery):
    attempts = list(delivery.attempts.all())
    ended = ", then ".join(
        str(attempt.status or attempt.get_error_display().lower()) for attempt in attempts[-3:]
    )
    state = {"failed": "danger", "delivered": "warning" if len(attempts) > 1 else ""}.get(delivery.state, "")
    took = delivery.finished_at and (delivery.finished_at - delivery.created_at).total_seconds() * 1000
    small = f"{ended or 'no attempt yet'} · {delivery.type} · {delivery.get_state_display().lower()}"
    return Step(
        delivery.created_at,
        PROGRAMS,
        "forward",
        "Event",
        f"to {delivery.subscription}",
        small,
        state,
        took,
        ("delivery", delivery.pk),
    )
