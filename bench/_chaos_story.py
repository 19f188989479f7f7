"""What happened in a hundred conversations, as webhooks and as what has to be known in the end."""

import random
from dataclasses import dataclass, field

from tests.webhooks import payloads as told

LINE = told.LINE


@dataclass
class Known:
    """What we must know of a message when everything has been applied; times are those of payloads.moment."""

    chat: str
    inbound: bool
    at: int
    texts: list[str]
    times: dict[str, str] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)


class Story:
    """`events` of `chats` conversations, at least `size` of them, in their order; the same for the same seed."""

    def __init__(self, size, *, seed, chats=100):
        self.dice = random.Random(seed)
        self.events = []
        self.messages = {}
        self.people = {f"chat-{number}": f"+1415555{number:04}" for number in range(chats)}
        for chat, person in self.people.items():
            self.events.append(told.chat_created(chat, person))
        # Every message has a second of its own, so that their order is never a matter of opinion.
        at = 0
        while len(self.events) < size:
            at += 10
            chat = self.dice.choice(list(self.people))
            if self.dice.random() < 0.5:
                self.they_write(chat, f"in-{at}", at)
            else:
                self.we_write(chat, f"out-{at}", at)

    def they_write(self, chat, name, at):
        texts = [f"{name}: is the blue one still in stock?"]
        self.tell("message.received", name, chat, at, texts, sender=self.people[chat])
        for edit in range(self.dice.choice([0, 0, 0, 0, 1, 2])):
            texts.append(f"{name}: edit {edit}")
            self.events.append(told.edited(name, chat, at=at + 1 + edit, value=texts[-1]))
            self.count(name, "message.edited")

    def we_write(self, chat, name, at):
        texts = [f"{name}: it is, shall I keep it for you?"]
        if self.dice.random() < 0.1:
            self.tell("message.sent", name, chat, at, texts)
            self.events.append(told.failed(name, chat, at=at + 2))
            self.messages[name].times["failed_at"] = told.moment(at + 2)
            self.count(name, "message.failed")
            return
        self.tell("message.sent", name, chat, at, texts)
        self.tell("message.delivered", name, chat, at, texts, delivered_at=told.moment(at + 1))
        if self.dice.random() < 0.6:
            self.tell("message.read", name, chat, at, texts, read_at=told.moment(at + 5))

    def tell(self, kind, name, chat, at, texts, *, sender=None, **times):
        self.events.append(told.message(kind, name, chat, at=at, parts=[told.text(texts[0])], sender=sender))
        known = self.messages.setdefault(name, Known(chat, sender is not None, at, texts))
        known.times |= {"sent_at": told.moment(at)} | times
        self.count(name, kind)

    def count(self, name, kind):
        events = self.messages[name].events
        events[kind] = events.get(kind, 0) + 1

    def as_posted(self, *, repeats):
        """All events in disorder, `repeats` (0 to 1) of them twice."""
        again = self.dice.sample(self.events, round(len(self.events) * repeats))
        posted = self.events + again
        self.dice.shuffle(posted)
        return posted

    def of_chat(self, chat):
        """Its messages, oldest first."""
        return sorted(
            ((name, known) for name, known in self.messages.items() if known.chat == chat),
            key=lambda item: item[1].at,
        )
