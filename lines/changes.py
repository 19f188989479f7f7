"""What happened to a line, in words: the log of its changes."""

from lines.models import Event, User
from lines.models.event import ACCESS_CHANGED
from lines.switches import TITLES

PAGE = 50

FIELDS = {"name": "name", "wire": "colour", "daily_limit": "recommended messages a day", "owner": "owner"}
# What is written of in other words than the event's own data has.
SENTENCES = {
    "inbox.line_resumed": "resumed sending",
    "inbox.line_unflagged": "said that the flag is gone",
    "inbox.line_warmed": "ended the warming-up",
    "inbox.card_accepted": "took the contact card",
    "inbox.audit_started": "asked the carrier about its reputation",
    "inbox.audit_finished": "said what it thinks of its reputation",
    "phone_number.assigned": "gave us the number",
    "phone_number.released": "took the number back",
    "contact_card.created": "made the contact card",
    "contact_card.deleted": "removed the contact card",
    "inbox.line_appealed": "noted that the carrier was asked to lift the flag",
    "environment.line_moved": "moved the line here",
}


def changes_of(line, *, before=None, most=PAGE):
    """([Change], the id from which on there are older ones, or None), the newest first."""
    events = Event.objects.filter(line=line, chat_id=None).exclude(type__in=UNTOLD)
    if before:
        events = events.filter(pk__lt=before)
    events = list(events.select_related("actor").order_by("-pk")[: most + 1])
    page = events[:most]
    names = names_in(page)
    told = [Change(event, names) for event in page]
    return told, page[-1].pk if len(events) > most else None


# The carrier is told of each edition; what changed in it is told by the other.
UNTOLD = ("inbox.card_changed",)


def names_in(events):
    ids = {event.data.get("user") for event in events if event.type == ACCESS_CHANGED} - {None}
    return {str(user.pk): str(user) for user in User.objects.filter(pk__in=ids)}


class Change:
    """An event as one line: who, what, when."""

    def __init__(self, event, names):
        self.event, self.at, self.names = event, event.created_at, names
        self.data = event.data if isinstance(event.data, dict) else {}

    @property
    def who(self):
        if self.event.actor:
            return str(self.event.actor)
        is_carriers = self.event.type.startswith(("phone_number.", "inbox.card_", "inbox.audit_f"))
        return "The carrier" if is_carriers else "Partyline"

    @property
    def what(self):
        tell = getattr(self, self.event.type.replace(".", "_"), None)
        return tell() if tell else SENTENCES.get(self.event.type, self.summary)

    @property
    def summary(self):
        said = self.data.get("summary")
        return said[0].lower() + said[1:] if said else self.event.type.rpartition(".")[2].replace("_", " ")

    def inbox_line_changed(self):
        return "; ".join(changed(name, value) for name, value in self.data.items())

    def inbox_line_paused(self):
        return "paused sending" + (f": {self.data['reason']}" if self.data.get("reason") else "")

    def inbox_line_warms(self):
        return f"began to warm it up, from {ramp(self.data)}"

    def inbox_line_ramp_changed(self):
        return f"changed the plan of its warming-up to {ramp(self.data)}"

    def inbox_guard_changed(self):
        to = self.data.get("to")
        return f"set the rule “{self.data.get('title')}” {'to ' + to['action'] if to else 'back to what is usual'}"

    def inbox_access_changed(self):
        who = self.names.get(str(self.data.get("user")), "somebody who has left")
        if "may_answer" not in self.data:
            return f"changed what {who} may do" if self.data.get("is_in", True) else f"shut {who} out"
        if not self.data["may_answer"]:
            return f"lets {who} read"
        return f"lets {who} answer" + ("" if self.data.get("may_delete", True) else ", but delete nothing")

    def phone_number_forwarding_updated(self):
        to = (self.data.get("change") or {}).get("to")
        return f"lets calls go to {to}" if to else "ended the forwarding of calls"

    def inbox_card_refused(self):
        return f"refused the contact card: {self.data.get('reason')}"

    def inbox_line_alerted(self):
        return KINDS.get(self.data.get("kind"), "noticed that something is wrong") + because(self.data)

    def inbox_line_risk_changed(self):
        return f"finds its risk of being flagged {str(self.data.get('to')).lower()} now: {self.data.get('score')} of 100"

    def inbox_line_alert_ended(self):
        if self.event.actor:
            return "said that it works again"
        return {"flagged": "saw the flag lifted", "failing": "saw iMessages arrive again"}.get(
            self.data.get("kind"), "heard from it again"
        )

    def phone_number_status_updated(self):
        status, before = self.data.get("new_status"), self.data.get("previous_status")
        reputation = str(self.data.get("new_reputation", "")).lower().replace("_", " ")
        if status == before:
            return f"changed its reputation to {reputation}"
        return f"{'flagged it' if status == 'FLAGGED' else 'made it active'}; its reputation is {reputation}"


KINDS = {
    "flagged": "told its people that it is flagged",
    "failing": "noticed that iMessages fail",
    "silent": "noticed that it has fallen silent",
}


def because(data):
    return f": {data['reason']}" if data.get("reason") and data.get("kind") != "flagged" else ""


def ramp(data):
    days = data.get("ramp") or [0]
    return f"{days[0]:,} to {days[-1]:,} messages within {len(days)} days"


def changed(name, value):
    if name in TITLES:
        return f"turned “{TITLES[name]}” {'on' if value else 'off'}"
    if not isinstance(value, dict):
        return f"changed its {name.replace('_', ' ')}"
    before, after = value.get("from"), value.get("to")
    if name == "owner":
        return f"made {after} its owner" if after else "left it without an owner"
    return f"changed its {FIELDS.get(name, name)} from {said(before)} to {said(after)}"


def said(value):
    return f"{value:,}" if isinstance(value, int) else f"“{value}”" if value else "nothing"
