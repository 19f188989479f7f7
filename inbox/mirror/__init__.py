"""The mirror: what a carrier tells becomes our rows, many at a time, in any order, any number of times.

`learn(environment, news)` is the one verb; webhooks, imports and reconciliation all end in it. It runs inside
the caller's transaction with a constant number of queries for any number of news. Locks are taken in one order
(lines, handles, chats, senders; each sorted), so that two workers never wait for each other in a circle.
"""

from dataclasses import dataclass, field

from inbox.mirror.chats import learn_chats
from inbox.mirror.consent import learn_consent
from inbox.mirror.events import EventSheet
from inbox.mirror.messages import learn_changes, learn_messages
from inbox.mirror.news import ChatNews, EditNews, FailureNews, HandleNews, MessageNews


@dataclass
class Learned:
    """What came of it: `awaits` maps a news' position to the message that it needs; `created` are carrier ids
    of messages that are new to us; `media` are attachments to fetch."""

    awaits: dict[int, str] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    media: list = field(default_factory=list)


def learn(environment, news):
    """Apply `news` (a list of the classes above, oldest first) to the environment's rows."""
    learned, sheet = Learned(), EventSheet(environment)
    chats = learn_chats(environment, news, sheet)
    messages = learn_messages(environment, news, chats, sheet, learned)
    learn_consent(environment, messages, sheet)
    learn_changes(environment, news, sheet, learned)
    sheet.record()
    return learned


__all__ = ["ChatNews", "EditNews", "FailureNews", "HandleNews", "Learned", "MessageNews", "learn"]
