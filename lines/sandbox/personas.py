"""Customers who use their phones by themselves. What they do is fixed, so that a demo can be told twice."""

from dataclasses import dataclass, field
from datetime import timedelta

from lines.sandbox import payloads

READS_AFTER = timedelta(seconds=1.5)
ANSWERS_AFTER = timedelta(seconds=4)


@dataclass(frozen=True)
class Persona:
    """`answers` are what they write after our first, second … message, in a thread where `quotes`; `reacts` what they
    put on each, over and over; `comes_back` is for the button."""

    answers: list[str] = field(default_factory=list)
    comes_back: str = ""
    quotes: bool = False
    reacts: list[str] = field(default_factory=list)


PERSONAS = {
    "harriet": Persona(
        answers=[
            "Oh good, you are quick! Is it the blue one from the window?",
            "Lovely. I can come by at half past five, does that work?",
            "Perfect, see you then. Thank you 🙏",
        ],
        comes_back="One more thing: could you put a bell on it?",
    ),
    "gwen": Persona(
        answers=["Thanks, good to know", "STOP"], comes_back="Actually, one more thing: is it still there?"
    ),
    "oscar": Persona(reacts=["like", "laugh", "🚲", "emphasize"], comes_back="Are you still there?"),
    "marcus": Persona(
        answers=["That is what I meant, yes", "And this one is even better", "Noted!"],
        comes_back="By the way, is there a ride next week?",
        quotes=True,
    ),
}


def hear(copy):
    """A message of ours has arrived on a phone: who answers by themselves reads it and writes what comes next."""
    from lines.models.sandbox import SandboxMessage
    from lines.sandbox import carrier, outbox

    message, handset = copy.message, copy.handset
    persona = PERSONAS.get(handset.persona)
    if persona is None or message.chat.is_group or copy.arrived_at is None:
        return
    if copy.opened_at is None and carrier.opened(copy, copy.arrived_at + READS_AFTER):
        outbox.queue(message.environment, [payloads.message_event(message, "message.read", message.read_at)])
    at = copy.arrived_at + ANSWERS_AFTER
    react(persona, message, handset, at)
    said = SandboxMessage.objects.filter(chat=message.chat, handset=handset, is_scripted=True).count()
    if said < len(persona.answers):
        parts = [{"type": "text", "value": persona.answers[said]}]
        original = message if persona.quotes else None
        carrier.send(handset, message.chat, parts, at=at, is_scripted=True, original=original)


def react(persona, message, handset, at):
    from lines.models.sandbox import SandboxReaction
    from lines.sandbox import services, touch

    if not persona.reacts or "react" not in services.ABILITIES[message.service]:
        return
    done = SandboxReaction.objects.filter(message__chat=message.chat_id, handset=handset).count()
    name = persona.reacts[done % len(persona.reacts)]
    is_named = name in touch.TYPES
    touch.react(message, name if is_named else "custom", emoji="" if is_named else name, by=handset, at=at)
